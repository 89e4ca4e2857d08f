"""Bedrooms that ganskit draws itself: any number of images without a download, each with its factors and boxes."""

from __future__ import annotations

import numpy as np
from attrs import Attribute, field, frozen

from ganskit.data.dataset import Dataset, Field
from ganskit.data.rooms.picture import Box, Picture, check_size, draw, draw_pixels
from ganskit.data.rooms.scene import Scene
from ganskit.validators import at_least

__all__ = ["Box", "Picture", "Rooms", "Scene", "draw"]

DRAWING = "1"
"""Changes whenever the same (seed, index) gives another picture, so that prepared stores are made anew."""


@frozen
class Rooms(Dataset):
    """`num_images` bedrooms, size x size pixels, labelled by how many windows are seen.

    Image `i` is a pure function of (seed, i), whatever `num_images` is: another seed gives other rooms.
    Options out of range raise UserError.
    """

    num_images: int = field(default=20_000, validator=at_least(1))
    size: int = field(default=64)
    seed: int = field(default=0, validator=at_least(0))

    @size.validator
    def _check_size(self, _attribute: Attribute[int], value: int) -> None:
        check_size(value)

    def provides(self) -> dict[str, Field]:
        """`x` (3, size, size) uint8 pixels, `y` () int64: 0, 1 or 2 windows."""
        return {
            "x": Field((3, self.size, self.size), "uint8", pixels=True),
            "y": Field((), "int64", classes=("no window", "one window", "two windows")),
        }

    def open(self) -> RoomSource:
        """Nothing has to be found or downloaded."""
        return RoomSource(self)


class RoomSource:
    """Draws each room when it is read."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self.fingerprint = f"rooms {DRAWING} seed={rooms.seed} size={rooms.size} num_images={rooms.num_images}"

    def __len__(self) -> int:
        return self._rooms.num_images

    def name(self, index: int) -> str:
        """How the report of skipped files calls it: "room 17"."""
        return f"room {index}"

    def read(self, index: int) -> dict[str, np.ndarray]:
        """The room as `provides` says. Raises IndexError beyond the last one."""
        if not 0 <= index < len(self):
            raise IndexError(f"there is no room {index} among {len(self)}")
        scene = Scene.sample(self._rooms.seed, index)
        pixels = draw_pixels(scene, self._rooms.size)
        return {"x": np.ascontiguousarray(pixels.transpose(2, 0, 1)), "y": np.array(scene.num_windows, np.int64)}
