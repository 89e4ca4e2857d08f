"""Glasses: two rims in a plane before the eyes, a bridge, and the temple that is seen."""

from __future__ import annotations

import numpy as np

from ganskit.data.portraits.anatomy import Anatomy
from ganskit.data.portraits.face import Face
from ganskit.data.portraits.painting import lay, paint, within
from ganskit.data.portraits.palette import FRAMES
from ganskit.data.portraits.space import Array, View, clipped

LENSES = {"round": (0.235, 0.205, 1), "square": (0.245, 0.175, 3), "wide": (0.275, 0.165, 2)}
"""Half the width and half the height of a lens, and how square it is."""
RIM, BRIDGE, TEMPLE = 0.020, 0.020, 0.018
"""Half their thickness."""


def paint_glasses(face: Face, anatomy: Anatomy, canvas: Array, view: View) -> None:
    """After the face, before the hair."""
    if face.glasses == "none":
        return
    half_width, half_height, squareness = LENSES[face.glasses]
    plane, soft = anatomy.bridge_z + 0.02, view.sample
    middle_x, middle_y = anatomy.eye_x + 0.015, anatomy.eye_y - 0.015
    end = middle_x + half_width
    patch = view.patch((-end - 0.1, middle_y - 0.3, -0.2), (end + 0.1, middle_y + 0.3, plane))
    if patch is None:
        return
    sine, cosine = view.pose.turn
    x = (patch.across - np.float32(plane * sine)) * np.float32(1 / cosine)
    y = patch.up - np.float32(view.pose.nod * plane + middle_y)
    out = np.abs(x)
    u, v = np.abs(out - np.float32(middle_x)) * np.float32(1 / half_width), np.abs(y) * np.float32(1 / half_height)
    beyond = _roundness(u, v, squareness) * np.float32(min(half_width, half_height))
    bridge = within(BRIDGE - np.abs(y - 0.055 + out * out * 1.5), soft) * (out < middle_x - half_width + RIM)
    temple = _temple(view, patch.across, patch.up, (end, middle_y + 0.06, plane))
    shown = np.maximum(np.maximum(within(RIM - np.abs(beyond), soft), bridge), temple)

    lens = within(-beyond, soft)
    streak = within(0.05 - np.abs(u * 0.8 - v * 0.6 - np.where(x > 0, np.float32(0.1), np.float32(0.3))), 0.08)
    below = canvas[(..., *patch.frame.here)]
    below += lens * (0.010 + 0.05 * streak)
    lay(canvas, patch, paint(FRAMES[face.frame]) * (0.75 + 0.5 * clipped(y * 3 + 0.3)), shown)


def _roundness(u: Array, v: Array, squareness: int) -> Array:
    """About how far outside of |u|^p + |v|^p = 1, with p = 2, 3 or 6: plain products, because powers differ between systems."""
    powers = u * u + v * v
    if squareness == 2:
        powers = u * u * u + v * v * v
    elif squareness == 3:
        u, v = u * u * u, v * v * v
        powers = u * u + v * v
    outside: Array = (np.minimum(powers, 3) - 1) * np.float32(1 / (2, 3, 6)[squareness - 1])
    return outside


def _temple(view: View, across: Array, up: Array, hinge: tuple[float, float, float]) -> Array:
    """On the side that is turned to the viewer: a line from the rim back to the ear."""
    (sine, cosine), (x, y, z) = view.pose.turn, hinge
    side = -1 if sine > 0 else 1
    start_x, start_y = side * x * cosine + z * sine, y + view.pose.nod * z
    along_x, along_y = side * 0.78 * cosine - 0.1 * sine - start_x, y - 0.02 - start_y
    from_x, from_y = across - np.float32(start_x), up - np.float32(start_y)
    share = from_x * np.float32(along_x) + from_y * np.float32(along_y)
    share = clipped(share * np.float32(1 / (along_x * along_x + along_y * along_y + 1e-6)))
    from_x -= share * np.float32(along_x)
    from_y -= share * np.float32(along_y)
    return within(TEMPLE - np.sqrt(from_x * from_x + from_y * from_y), view.sample)
