"""Faces that ganskit draws itself: any number of images without a download, each with its factors and landmarks."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from ganskit.data.dataset import Field
from ganskit.data.drawn import Drawn, DrawnSource
from ganskit.data.portraits.face import Face
from ganskit.data.portraits.factors import FACTORS, factors
from ganskit.data.portraits.landmarks import LANDMARKS
from ganskit.data.portraits.picture import Picture, draw

__all__ = ["FACTORS", "LANDMARKS", "Face", "Picture", "Portraits", "draw", "factors"]

DRAWING = "1"
"""Changes whenever the same (seed, index) gives another picture, so that prepared stores are made anew."""


@frozen
class Portraits(Drawn):
    """`num_images` faces, size x size pixels, labelled woman or man, neutral or smiling.

    Image `i` is a pure function of (seed, i), whatever `num_images` is: another seed gives other faces.
    Options out of range raise UserError.
    """

    def provides(self) -> dict[str, Field]:
        """`x` (3, size, size) uint8 pixels, `y` () int64 as in `Face.label`, `factors` (F,) and `landmarks` (L, 2)
        float32 in the order of FACTORS and LANDMARKS.
        """
        return {
            "x": Field((3, self.size, self.size), "uint8", pixels=True),
            "y": Field((), "int64", classes=("neutral woman", "smiling woman", "neutral man", "smiling man")),
            "factors": Field((len(FACTORS),), "float32"),
            "landmarks": Field((len(LANDMARKS), 2), "float32"),
        }

    def open(self) -> PortraitSource:
        """Nothing has to be found or downloaded."""
        return PortraitSource(self, "portrait", DRAWING)


class PortraitSource(DrawnSource):
    """Draws each face when it is read."""

    def draw(self, seed: int, index: int, size: int) -> dict[str, np.ndarray]:
        """The portrait as `Portraits.provides` says."""
        face = Face.sample(seed, index)
        picture = draw(face, size)
        return {
            "x": np.ascontiguousarray(picture.pixels.transpose(2, 0, 1)),
            "y": np.array(face.label, np.int64),
            "factors": factors(face),
            "landmarks": picture.landmarks,
        }
