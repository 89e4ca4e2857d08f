"""Faces that ganskit draws itself: any number of images without a download, each with its factors and landmarks."""

from __future__ import annotations

import numpy as np
from attrs import Attribute, field, frozen

from ganskit.data.dataset import Dataset, Field
from ganskit.data.portraits.face import Face
from ganskit.data.portraits.factors import FACTORS, factors
from ganskit.data.portraits.landmarks import LANDMARKS
from ganskit.data.portraits.picture import Picture, check_size, draw
from ganskit.validators import at_least

__all__ = ["FACTORS", "LANDMARKS", "Face", "Picture", "Portraits", "draw", "factors"]

DRAWING = "1"
"""Changes whenever the same (seed, index) gives another picture, so that prepared stores are made anew."""


@frozen
class Portraits(Dataset):
    """`num_images` faces, size x size pixels, labelled woman or man, neutral or smiling.

    Image `i` is a pure function of (seed, i), whatever `num_images` is: another seed gives other faces.
    Options out of range raise UserError.
    """

    num_images: int = field(default=20_000, validator=at_least(1))
    size: int = field(default=64)
    seed: int = field(default=0, validator=at_least(0))

    @size.validator
    def _check_size(self, _attribute: Attribute[int], value: int) -> None:
        check_size(value)

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
        return PortraitSource(self)


class PortraitSource:
    """Draws each face when it is read."""

    def __init__(self, portraits: Portraits) -> None:
        self._portraits = portraits
        options = f"seed={portraits.seed} size={portraits.size} num_images={portraits.num_images}"
        self.fingerprint = f"portraits {DRAWING} {options}"

    def __len__(self) -> int:
        return self._portraits.num_images

    def name(self, index: int) -> str:
        """How the report of skipped files calls it: "portrait 17"."""
        return f"portrait {index}"

    def read(self, index: int) -> dict[str, np.ndarray]:
        """The portrait as `provides` says. Raises IndexError beyond the last one."""
        if not 0 <= index < len(self):
            raise IndexError(f"there is no portrait {index} among {len(self)}")
        face = Face.sample(self._portraits.seed, index)
        picture = draw(face, self._portraits.size)
        return {
            "x": np.ascontiguousarray(picture.pixels.transpose(2, 0, 1)),
            "y": np.array(face.label, np.int64),
            "factors": factors(face),
            "landmarks": picture.landmarks,
        }
