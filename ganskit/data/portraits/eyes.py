"""Eyes, lids, brows and forehead, painted on the skin. Both sides at once, with distances outwards from each eye."""

from __future__ import annotations

import numpy as np

from ganskit.data.colours import blend, scaled
from ganskit.data.portraits.anatomy import Anatomy
from ganskit.data.portraits.face import Face
from ganskit.data.portraits.painting import blob, disc, noise, within
from ganskit.data.portraits.palette import IRISES, LASH, PUPIL, SCLERA, hair_colour
from ganskit.data.portraits.skin import Skin
from ganskit.data.portraits.space import Array, clipped

IRIS_RADIUS = 0.086


def paint_forehead(face: Face, skin: Skin) -> None:
    """Lines that come with age."""
    if face.age > 0.5:
        lines = within(0.016 - np.abs(np.abs(skin.y - 0.50 + 0.1 * skin.x * skin.x) - 0.055), 0.03)
        skin.shade(lines * clipped(1.5 - 4 * np.abs(skin.x)), 0.36 * (face.age - 0.5))


def paint_sockets(face: Face, anatomy: Anatomy, skin: Skin) -> None:
    """The hollows in which the eyes lie, and bags under them."""
    a = anatomy
    out, up = np.abs(skin.x) - np.float32(a.eye_x), skin.y - np.float32(a.eye_y)
    middle = np.sign(skin.x) * np.float32(0.78 * a.eye_x)
    skin.bump(skin.x - middle, up - 0.03, 0.30, 0.20, -0.060 - 0.02 * face.is_man)
    skin.shade(blob(out + 0.10, up - 0.06, 0.20, 0.20), 0.20)
    skin.shade(blob(out, up - 0.02, 0.32, 0.20), 0.10)
    skin.shade(blob(out + 0.02, up + 0.15, 0.20, 0.07), 0.06 + 0.16 * face.age)


def paint_eyes(face: Face, anatomy: Anatomy, skin: Skin) -> None:
    """Lids and what is between them."""
    a, soft = anatomy, skin.soft
    out = np.abs(skin.x) - np.float32(a.eye_x)
    up = skin.y - np.float32(a.eye_y) - out * np.float32(0.10 + 0.10 * face.eye_tilt)
    place = out * np.float32(1 / a.eye_width)
    arch = np.maximum(1 - place * place, 0)
    # the upper lid is highest a little inwards, the lower lid lowest a little outwards
    upper = arch * (1 - 0.18 * place) * np.float32(a.eye_height)
    lower = arch * (1 + 0.15 * place) * np.float32(-0.058 - 0.006 * face.eye_size)
    below_upper, corners = upper - up, within(1 - np.abs(place), soft / a.eye_width)
    inside = within(np.minimum(below_upper, up - lower), soft) * corners

    lid = blob(out, up - np.float32(0.6 * a.eye_height), 1.35 * a.eye_width, 2 * a.eye_height)
    skin.shade(lid * (below_upper < 0), 0.16 if face.is_man else 0.22)
    crease = within(0.016 - np.abs(below_upper + np.float32(0.040)), max(soft, 0.016))
    skin.shade(crease * (arch > 0.06), 0.38)

    skin.paint(SCLERA, inside)
    skin.shade(inside * within(0.035 - below_upper, 0.05), 0.40)  # the shadow of the upper lid
    skin.shade(inside * place * place, 0.20)
    _paint_irises(face, anatomy, skin, up, inside)

    weight = 0.020 if face.is_man else 0.030
    thick = np.float32(weight) * (0.7 + 0.5 * place) * clipped((1.15 - place) * 3)
    lashes = within(thick - np.abs(below_upper + np.float32(0.3 * weight)), soft)
    lashes *= within(1.08 - np.abs(place - 0.04), soft / a.eye_width)
    skin.paint(LASH, lashes * np.float32(0.75 if face.is_man else 0.95))
    skin.shade(within(0.008 - np.abs(up - lower), soft) * corners, 0.45)


def _paint_irises(face: Face, anatomy: Anatomy, skin: Skin, up: Array, inside: Array) -> None:
    """They turn against the head, to look at the viewer."""
    soft, radius, colour = skin.soft, IRIS_RADIUS, IRISES[face.iris]
    aside = 0.085 * face.gaze - 0.13 * skin.view.pose.turn[0]
    x = skin.x - np.float32(aside) - np.sign(skin.x) * np.float32(anatomy.eye_x)
    y = up - np.float32(0.012 - 0.10 * skin.view.pose.nod)
    skin.paint(scaled(colour, 0.35), disc(x, y, radius, radius, soft) * inside)
    skin.paint(scaled(colour, 1.15), disc(x, y, 0.80 * radius, 0.80 * radius, 1.5 * soft) * inside)
    skin.paint(PUPIL, disc(x, y, 0.40 * radius, 0.40 * radius, soft) * inside)
    side = 1 if face.light > 0 else -1
    skin.gloss += disc(x - np.float32(0.030 * side), y - 0.034, 0.026, 0.026, soft) * inside * np.float32(0.75)
    skin.gloss += blob(x + np.float32(0.02 * side), y + 0.045, 0.05, 0.04) * inside * np.float32(0.04)


def paint_brows(face: Face, anatomy: Anatomy, skin: Skin) -> None:
    """Tapered strokes of hair."""
    place = (np.abs(skin.x) - np.float32(anatomy.eye_x + 0.01)) * np.float32(1 / (1.32 * anatomy.eye_width))
    bend = 0.045 - 0.02 * face.is_man + 0.02 * face.brow_arch
    from_peak = place - 0.25
    fall = from_peak * from_peak * np.where(from_peak < 0, np.float32(0.62), np.float32(1.5))
    line = np.float32(anatomy.brow_y) + np.float32(bend) * (0.4 - fall)
    weight = 0.034 + 0.012 * face.is_man + 0.012 * face.brow_weight
    thick = np.float32(weight) * np.clip(0.93 - 0.55 * place, 0.2, 1.05)
    cover = within(thick - np.abs(skin.y - line), max(skin.soft, 0.018))
    cover *= within(1 - np.abs(place), 0.16)
    cover *= 0.76 + 0.12 * noise(skin.x * 40 + skin.y * 22)
    skin.paint(blend(scaled(hair_colour(face.hair, face.grey), 0.75), LASH, 0.35), cover)
