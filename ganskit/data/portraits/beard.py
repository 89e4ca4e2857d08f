"""Beards and moustaches, painted on the skin."""

from __future__ import annotations

import numpy as np

from ganskit.data.colours import scaled
from ganskit.data.portraits.anatomy import Anatomy
from ganskit.data.portraits.face import Face
from ganskit.data.portraits.painting import clouds, noise, within
from ganskit.data.portraits.palette import hair_colour
from ganskit.data.portraits.skin import Skin
from ganskit.data.portraits.space import Array


def paint_beard(face: Face, anatomy: Anatomy, skin: Skin) -> None:
    """Before the mouth, so that the lips come out of it."""
    if face.beard == "none":
        return
    out = np.abs(skin.x)
    grown = _moustache(anatomy, skin, out)
    if face.beard in ("full", "stubble"):
        grown = np.maximum(grown, _whiskers(anatomy, skin, out))
    elif face.beard == "goatee":
        grown = np.maximum(grown, _goatee(anatomy, skin, out))
    stubble = face.beard == "stubble"
    cover = within(grown + 0.02 * noise(skin.x * 17 + skin.y * 5), 0.10 if stubble else 0.07)
    cover *= np.float32(0.34 if stubble else 0.95)
    skin.paint(scaled(hair_colour(face.hair, face.grey), 0.85), cover)
    skin.shade(cover * clouds(skin.x * 11, skin.y * 8), 0.20)


def _moustache(anatomy: Anatomy, skin: Skin, out: Array) -> Array:
    """How far inside: between nose and mouth, falling towards the corners."""
    width = anatomy.mouth_width + 0.04
    square = skin.x * skin.x * np.float32(1 / (width * width))
    line = np.float32(anatomy.mouth_y + 0.095) + square * np.float32(anatomy.mouth_lift - 0.10)
    thick = np.float32(0.062) * (1 - 0.45 * square)
    inside: Array = np.minimum(thick - np.abs(skin.y - line), np.float32(width) - out)
    return inside


def _whiskers(anatomy: Anatomy, skin: Skin, out: Array) -> Array:
    """How far inside: jaw and chin, as far as the ears."""
    edge = np.maximum(out - 0.30, 0)
    height = np.float32(anatomy.mouth_y + 0.03) + edge * 0.55 + edge * edge * 2.6
    inside: Array = np.minimum(height - skin.y, skin.z + 0.05)
    return inside


def _goatee(anatomy: Anatomy, skin: Skin, out: Array) -> Array:
    """How far inside: around the mouth, and the chin."""
    down = skin.y - np.float32(anatomy.mouth_y - 0.14)
    ring = 0.30 - np.sqrt(out * out + 0.7 * down * down)
    inside: Array = np.minimum(ring, np.float32(anatomy.mouth_y + 0.02) - skin.y)
    return inside
