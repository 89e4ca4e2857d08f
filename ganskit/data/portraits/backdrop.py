"""What is behind: a soft gradient, often with discs of light out of focus."""

from __future__ import annotations

import numpy as np

from ganskit.data.colours import blend
from ganskit.data.portraits.face import Face
from ganskit.data.portraits.painting import disc, paint
from ganskit.data.portraits.palette import BACKDROPS, LAMP
from ganskit.data.portraits.space import Array, clipped

BLUR = 0.05
"""The width of a disc's edge, in half picture sides."""


def backdrop(face: Face, columns: Array, rows: Array) -> Array:
    """The canvas (3, H, W) to begin with, for samples at these places in the picture, -1 to 1."""
    start, end = BACKDROPS[face.backdrop], blend(BACKDROPS[face.backdrop], BACKDROPS[face.backdrop_end], 0.6)
    share = clipped(0.5 + 0.45 * rows[:, None] + np.float32(face.backdrop_slant) * columns)
    canvas = paint(start) + (paint(end) - paint(start)) * share
    across, down = columns - np.float32(0.5 * face.light), rows + np.float32(0.1)
    canvas *= 1.06 - 0.20 * (across * across + (down * down)[:, None])
    for x, y, radius, strength in face.bokeh:
        reach = radius + BLUR
        top, bottom = np.searchsorted(rows, (y - reach, y + reach)).tolist()
        left, right = np.searchsorted(columns, (x - reach, x + reach)).tolist()
        glow = disc(columns[left:right] - np.float32(x), rows[top:bottom, None] - np.float32(y), radius, radius, BLUR)
        canvas[:, top:bottom, left:right] += glow * (paint(blend(end, LAMP, 0.6)) * np.float32(strength))
    return np.ascontiguousarray(canvas)
