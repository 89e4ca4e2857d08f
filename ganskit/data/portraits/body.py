"""Neck, shoulders and clothes."""

from __future__ import annotations

import numpy as np

from ganskit.data.colours import scaled
from ganskit.data.portraits.anatomy import Anatomy
from ganskit.data.portraits.face import Face
from ganskit.data.portraits.painting import Light, lay, noise, paint, within
from ganskit.data.portraits.palette import CLOTHS, SHIRT, skin_colour
from ganskit.data.portraits.skin import WRAP
from ganskit.data.portraits.space import Array, View


def paint_body(face: Face, anatomy: Anatomy, canvas: Array, view: View, light: Light) -> None:
    """Skin with the shadow of the chin on it, then clothes. `view` is that of the body, which hardly turns."""
    patch = view.patch(*anatomy.body.bounds())
    if patch is None:
        return
    hit = anatomy.body.hit(view, patch)
    lit = light.on(hit.normal, WRAP)
    shadow = within(hit.y - np.float32(anatomy.chin_y - 0.16), 0.42)
    lay(canvas, patch, lit * paint(skin_colour(face.skin, face.warmth)) * (1 - 0.62 * shadow), hit.cover)
    out, cloth = np.abs(hit.x), CLOTHS[face.cloth]
    below = _below_neckline(face.clothes, out, hit.y)
    lit *= 1 + 0.10 * noise(hit.x * 4.0 + hit.y * 5.0 + face.motif % 11)  # folds
    hem = 1 - 0.3 * within(0.03 - below, 0.04)
    lay(canvas, patch, lit * paint(cloth) * hem, hit.cover * within(below, view.sample))
    if face.clothes in ("shirt", "suit"):
        collar = SHIRT if face.clothes == "suit" else scaled(cloth, 1.15)
        lay(canvas, patch, lit * paint(collar), hit.cover * within(0.13 - np.abs(below - 0.06), view.sample))
    if face.clothes == "suit":
        tie = CLOTHS["red" if face.motif % 2 else "navy"]
        lay(canvas, patch, lit * paint(tie), hit.cover * within(np.minimum(0.075 - out, -1.33 - hit.y), view.sample))


def _below_neckline(clothes: str, out: Array, y: Array) -> Array:
    """How far below the neckline, in head space; `out` is the distance from the middle."""
    if clothes == "turtleneck":
        below: Array = -1.17 - y
        return below
    if clothes == "vee":
        line = out * 0.95 - 1.58
    elif clothes in ("shirt", "suit"):
        line = out * 0.75 - 1.48
    else:
        line = out * out * 0.6 - 1.40
    below = np.minimum(line, -1.17) - y
    return below
