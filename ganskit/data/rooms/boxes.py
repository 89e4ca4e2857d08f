"""Rooms with the boxes of what is seen in them: what a detector is trained on."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from ganskit.data.dataset import Field
from ganskit.data.drawn import Drawn, DrawnSource
from ganskit.data.rooms import DRAWING, Scene, draw

KINDS = ("window", "bed", "door", "picture", "lamp", "table", "wardrobe", "chest", "rug", "plant", "curtain")
NOTHING = "nothing"
MOST = 20
"""Objects in a room; there are at most 16."""


@frozen
class RoomBoxes(Drawn):
    """The pictures of `Rooms`, each with a box around the visible part of every object.

    Image `i` is a pure function of (seed, i), whatever `num_images` is. Options out of range raise UserError.
    """

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
        return RoomBoxesSource(self, "room with boxes", DRAWING)


class RoomBoxesSource(DrawnSource):
    """Draws each room when it is read."""

    def draw(self, seed: int, index: int, size: int) -> dict[str, np.ndarray]:
        """The room as `RoomBoxes.provides` says."""
        picture = draw(Scene.sample(seed, index), size)
        boxes, kinds = np.zeros((MOST, 4), np.float32), np.zeros(MOST, np.int64)
        for row, box in enumerate(picture.boxes):
            boxes[row] = box.left, box.top, box.right, box.bottom
            kinds[row] = 1 + KINDS.index(box.kind)
        return {"x": np.ascontiguousarray(picture.pixels.transpose(2, 0, 1)), "boxes": boxes, "kinds": kinds}
