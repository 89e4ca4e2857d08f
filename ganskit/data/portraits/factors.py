"""What is to be learnt from a portrait, as numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ganskit.data.colours import Colour
from ganskit.data.portraits.face import Face
from ganskit.data.portraits.palette import BACKDROPS, hair_colour

FACTORS = (
    "man", "smile", "glasses", "beard", "moustache", "turn", "nod", "tilt", "age", "skin", "hair_length", "hair_lightness",
    "curls", "fringe", "bun", "lipstick", "earrings", "gaze", "light", "contrast", "backdrop_lightness",
)  # fmt: skip
"""Angles are in degrees, yes-or-no factors 0 or 1, all others as in Face; lightness is 0 (black) to 1 (white)."""


def factors(face: Face) -> npt.NDArray[np.float32]:
    """(F,) float32 in the order of FACTORS."""
    numbers = {
        "man": face.is_man,
        "glasses": face.glasses != "none",
        "beard": face.beard in ("goatee", "full"),
        "moustache": face.beard in ("moustache", "goatee", "full"),
        "hair_lightness": _lightness(hair_colour(face.hair, face.grey)),
        "backdrop_lightness": _lightness(BACKDROPS[face.backdrop]),
    }
    return np.array([numbers[name] if name in numbers else getattr(face, name) for name in FACTORS], np.float32)


def _lightness(colour: Colour) -> float:
    """The square root of the luminance (the weights of Rec. 709)."""
    return float(np.sqrt(0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]))
