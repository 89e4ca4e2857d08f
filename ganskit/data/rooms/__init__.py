"""Bedrooms that ganskit draws itself: any number of images without a download, each with its factors and boxes."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from ganskit.data.dataset import Field
from ganskit.data.drawn import Drawn, DrawnSource
from ganskit.data.rooms.picture import Box, Picture, draw, draw_pixels
from ganskit.data.rooms.scene import Scene

__all__ = ["Box", "Picture", "Rooms", "Scene", "draw"]

DRAWING = "1"
"""Changes whenever the same (seed, index) gives another picture, so that prepared stores are made anew."""


@frozen
class Rooms(Drawn):
    """`num_images` bedrooms, size x size pixels, labelled by how many windows are seen.

    Image `i` is a pure function of (seed, i), whatever `num_images` is: another seed gives other rooms.
    Options out of range raise UserError.
    """

    def provides(self) -> dict[str, Field]:
        """`x` (3, size, size) uint8 pixels, `y` () int64: 0, 1 or 2 windows."""
        return {
            "x": Field((3, self.size, self.size), "uint8", pixels=True),
            "y": Field((), "int64", classes=("no window", "one window", "two windows")),
        }

    def open(self) -> RoomSource:
        """Nothing has to be found or downloaded."""
        return RoomSource(self, "room", DRAWING)


class RoomSource(DrawnSource):
    """Draws each room when it is read."""

    def draw(self, seed: int, index: int, size: int) -> dict[str, np.ndarray]:
        """The room as `Rooms.provides` says."""
        scene = Scene.sample(seed, index)
        pixels = draw_pixels(scene, size)
        return {"x": np.ascontiguousarray(pixels.transpose(2, 0, 1)), "y": np.array(scene.num_windows, np.int64)}
