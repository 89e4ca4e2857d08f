"""The mouth, from neutral to a broad smile with teeth, and what a smile does to the cheeks."""

from __future__ import annotations

import numpy as np

from ganskit.data.colours import blend, scaled
from ganskit.data.portraits.anatomy import Anatomy
from ganskit.data.portraits.face import Face
from ganskit.data.portraits.painting import blob, within
from ganskit.data.portraits.palette import BLUSH, MOUTH, TEETH, lip_colour
from ganskit.data.portraits.skin import Skin
from ganskit.data.portraits.space import clipped


def paint_mouth(face: Face, anatomy: Anatomy, skin: Skin) -> None:
    """Lips, the line between them, and teeth."""
    a, soft = anatomy, skin.soft
    place = skin.x * np.float32(1 / a.mouth_width)
    square = place * place
    arch = np.maximum(1 - square, 0)
    up = skin.y - np.float32(a.mouth_y) - (square - 0.25) * np.float32(a.mouth_lift)
    full = (1.16 - 0.30 * face.is_man + 0.22 * face.lip_fullness) * (1 - 0.25 * face.smile)
    # from above: the upper lip with the bow of Cupid, the lips' inner edges, the lower lip
    top = 0.066 * full * arch * (1 - 0.28 * np.maximum(1 - 12 * square, 0))
    middle = np.float32(0.3 * a.mouth_gap) * arch
    inner = np.float32(-0.7 * a.mouth_gap) * arch
    bottom = inner - 0.092 * full * np.sqrt(arch) * arch
    corners = within(1 - np.abs(place), 1.5 * soft / a.mouth_width)

    skin.shade(blob(skin.x, up - inner + 0.16 * full, 0.17, 0.06), 0.22)  # under the lower lip
    lips = within(np.minimum(top - up, up - bottom), max(soft, 0.02)) * corners
    colour = lip_colour(face.skin, face.warmth, face.lipstick)
    skin.paint(colour, lips * np.float32(0.92))
    skin.shade(lips * (up > middle), 0.24)
    skin.gloss += blob(skin.x, up - inner + 0.05 * full, 0.15, 0.045) * lips * np.float32(0.05 + 0.09 * face.lipstick)
    if a.mouth_gap > 0:
        gap = within(np.minimum(middle - up, up - inner), soft) * corners
        teeth = within(up - inner - np.float32(0.1 * a.mouth_gap) * arch, soft) * within(0.86 - np.abs(place), 0.22)
        skin.paint(MOUTH, gap)
        skin.paint(TEETH, gap * teeth)
        skin.shade(gap * square, 0.5)
        skin.shade(gap * within(0.022 - (middle - up), 0.03), 0.3)  # the shadow of the upper lip
    line = within(0.012 - np.minimum(np.abs(up - middle), np.abs(up - inner)), max(soft, 0.012))
    skin.paint(scaled(colour, 0.22), line * corners * np.float32(0.8 - 0.35 * face.smile))
    skin.shade(blob(np.abs(skin.x) - np.float32(a.mouth_width), up, 0.06, 0.05), 0.30)


def paint_cheeks(face: Face, anatomy: Anatomy, skin: Skin) -> None:
    """Cheeks that a smile rounds, and the folds beside them, which a smile and age deepen."""
    a = anatomy
    behind = 1 - within(skin.z - 0.12, 0.3)  # the back of a turned head is far from any cheek
    out = np.abs(skin.x) + behind
    skin.stain(blend((1.0, 1.0, 1.0), BLUSH, 0.14 + 0.18 * face.blush), blob(out - 0.44, skin.y + 0.22, 0.30, 0.24))
    middle = np.sign(skin.x) * np.float32(0.43)
    skin.bump(skin.x - middle + behind, skin.y + 0.24, 0.30, 0.26, 0.030 + 0.055 * face.smile)
    start_x, start_y = a.nose_width + 0.03, a.nose_base_y + 0.06
    fall = (np.float32(start_y) - skin.y) * np.float32(1 / (start_y - a.mouth_y + 0.04))
    # a fold is a step down from the cheek towards the lip
    to_fold = np.float32(start_x) + np.sqrt(np.clip(fall, 0, 1)) * np.float32(a.mouth_width + 0.10 - start_x) - out
    fold = within(to_fold, 0.05) * clipped(1 - to_fold * 9)
    fold *= clipped(fall * 6) * clipped((1.15 - fall) * 4)
    skin.shade(fold, min(0.35 * face.smile + 0.19 * face.age * (0.6 + 0.4 * face.smile), 0.6))
