"""Rooms with the boxes of what is seen in them: what a detector is trained on."""

from __future__ import annotations

import numpy as np
from attrs import field, frozen
from attrs.validators import optional
from PIL import Image

from ganskit.data.dataset import Field
from ganskit.data.drawn import Drawn, DrawnSource
from ganskit.data.rooms import DRAWING, Scene, draw
from ganskit.validators import at_least

KINDS = ("window", "bed", "door", "picture", "lamp", "table", "wardrobe", "chest", "rug", "plant", "curtain")
NOTHING = "nothing"
MOST = 20
"""Objects in a room; there are at most 16."""
BLURS = (1, 2, 3, 4)
"""So many pixels a side are left of a blurred picture: too few to say what is on it."""


@frozen
class RoomBoxes(Drawn):
    """The pictures of `Rooms`, each with a box around the visible part of every object.

    Of every `blur_every` pictures the last is blurred beyond recognition, and has no boxes: where nothing can be seen, nothing
    is to be found. Image `i` is a pure function of (seed, blur_every, i), whatever `num_images` is. Options out of range raise
    UserError.
    """

    blur_every: int | None = field(default=None, validator=optional(at_least(1)))

    def provides(self) -> dict[str, Field]:
        """`x` (3, size, size) uint8 pixels; `boxes` (20, 4) float32: left, top, right and bottom in fractions of the side, from
        the top left corner; `kinds` (20,) int64: what each box is of, 0 for the rows of zeros that fill the table up.
        """
        return {
            "x": Field((3, self.size, self.size), "uint8", pixels=True),
            "boxes": Field((MOST, 4), "float32"),
            "kinds": Field((MOST,), "int64", classes=(NOTHING, *KINDS)),
        }

    def open(self) -> RoomBoxesSource:
        """Nothing has to be found or downloaded."""
        return RoomBoxesSource(self)


class RoomBoxesSource(DrawnSource):
    """Draws each room when it is read."""

    def __init__(self, dataset: RoomBoxes) -> None:
        super().__init__(dataset, "room with boxes", DRAWING)
        self._blur_every = dataset.blur_every
        if self._blur_every is not None:
            self.fingerprint += f" blur_every={self._blur_every}"

    def draw(self, seed: int, index: int, size: int) -> dict[str, np.ndarray]:
        """The room as `RoomBoxes.provides` says."""
        picture = draw(Scene.sample(seed, index), size)
        boxes, kinds = np.zeros((MOST, 4), np.float32), np.zeros(MOST, np.int64)
        x, every = np.ascontiguousarray(picture.pixels.transpose(2, 0, 1)), self._blur_every
        if every is not None and index % every == every - 1:
            x = blurred(x, BLURS[index // every % len(BLURS)])
        else:
            for row, box in enumerate(picture.boxes):
                boxes[row] = box.left, box.top, box.right, box.bottom
                kinds[row] = 1 + KINDS.index(box.kind)
        return {"x": x, "boxes": boxes, "kinds": kinds}


def blurred(x: np.ndarray, side: int) -> np.ndarray:
    """x (3, H, W) uint8 -> the same size, of which side x side means are left, and smooth transitions between them."""
    picture = Image.fromarray(x.transpose(1, 2, 0))
    means = picture.resize((side, side), Image.Resampling.BOX)
    return np.ascontiguousarray(np.asarray(means.resize(picture.size, Image.Resampling.BICUBIC)).transpose(2, 0, 1))
