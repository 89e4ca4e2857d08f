"""Where things are: the room's walls, places on them, and the camera. Metres; x to the right, y up, z towards us.

The back wall is the plane z = 0, the left wall x = 0, the floor y = 0.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from attrs import frozen

Array = npt.NDArray[Any]
"""float32: numpy keeps it in arithmetic with plain numbers, which type checkers do not know."""
Mask = npt.NDArray[np.bool_]
Point = tuple[float, float, float]
Span = tuple[float, float]


@frozen
class Wall:
    """A wall's own coordinates: `along` it (on side walls from the back corner), up, and `out` into the room."""

    name: str
    room_width: float

    @property
    def normal(self) -> Point:
        """The unit vector into the room."""
        return {"back": (0.0, 0.0, 1.0), "left": (1.0, 0.0, 0.0), "right": (-1.0, 0.0, 0.0)}[self.name]

    def point(self, along: float, up: float, out: float) -> Point:
        """The wall's coordinates in the room's."""
        if self.name == "back":
            return along, up, out
        return (out if self.name == "left" else self.room_width - out), up, along

    def along_and_out(self, x: Array, z: Array) -> tuple[Array, Array]:
        """The room's coordinates in the wall's."""
        if self.name == "back":
            return x, z
        return z, (x if self.name == "left" else np.float32(self.room_width) - x)


@frozen
class Place:
    """What an object takes up: on which wall, the middle along it, its width and heights, how far out it reaches."""

    wall: str
    middle: float
    width: float
    bottom: float
    top: float
    out: float = 0.0

    @property
    def start(self) -> float:
        """The lower end along the wall."""
        return self.middle - self.width / 2

    @property
    def end(self) -> float:
        """The upper end along the wall."""
        return self.middle + self.width / 2

    def overlaps(self, other: Place, margin: float = 0.0) -> bool:
        """Whether the two would touch on the same wall."""
        return (
            self.wall == other.wall
            and self.start - margin < other.end
            and other.start - margin < self.end
            and self.bottom - margin < other.top
            and other.bottom - margin < self.top
        )


@frozen
class Camera:
    """A view camera: turned sideways only, so that upright lines stay upright; the horizon is moved by shifting.

    `turn` is the tangent of the angle to the right; `focal` is in half image sides; `horizon` is its height in the
    image, from -1 (the bottom) to 1. Tangents rather than angles, because sines differ between systems.
    """

    x: float
    height: float
    distance: float
    turn: float = 0.0
    focal: float = 1.4
    horizon: float = 0.1

    def project(self, point: Point) -> tuple[float, float, float]:
        """Room coordinates to (x to the right, y up, depth): the image is the square -1 to 1; ahead, depth > 0."""
        stretch = math.sqrt(1 + self.turn * self.turn)
        x, y, z = point[0] - self.x, point[1] - self.height, self.distance - point[2]
        depth = (z + self.turn * x) / stretch
        scale = self.focal / depth if depth > 0.01 else 100.0
        return scale * (x - self.turn * z) / stretch, scale * y + self.horizon, depth
