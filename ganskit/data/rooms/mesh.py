"""A room as flat faces: convex polygons with a colour or a texture, each belonging to a thing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from attrs import frozen

from ganskit.data.rooms.palette import Colour
from ganskit.data.rooms.space import Point, Wall

Array = npt.NDArray[np.float32]

Texture = Callable[[Array, Array, Array], Array]
"""(along, up, out), each (H, W), in metres on the face's wall -> colours (3, H, W)."""

SHELL = 0
"""The thing number of walls, floor and ceiling, which get no box."""


_DIAGONAL = 0.7071068
"""Each part of a unit vector at 45 degrees."""


@frozen
class Look:
    """How a face looks. `glow` is light of its own; `bulge` bends the normals outwards, so that it shades as if round."""

    colour: Colour
    texture: Texture | None = None
    glow: float = 0.0
    bulge: float = 0.0


@frozen
class Face:
    """A convex polygon with its normal (any length, towards the side that is seen)."""

    corners: tuple[Point, ...]
    normal: Point
    look: Look
    wall: Wall
    thing: int


class Mesh:
    """Collects the faces that can be seen from `eye`; `start` begins a new thing, to which the next faces belong."""

    def __init__(self, eye: Point) -> None:
        self.eye = eye
        self.faces: list[Face] = []
        self.kinds: list[str] = ["room"]

    def start(self, kind: str) -> None:
        """The faces that follow are another thing of this kind."""
        self.kinds.append(kind)

    def polygon(self, wall: Wall, corners: Sequence[Point], normal: Point, look: Look) -> None:
        """Any convex polygon, in the room's coordinates."""
        x, y, z = corners[0]
        if (self.eye[0] - x) * normal[0] + (self.eye[1] - y) * normal[1] + (self.eye[2] - z) * normal[2] > 0:
            self.faces.append(Face(tuple(corners), normal, look, wall, len(self.kinds) - 1))

    def panel(self, wall: Wall, along: tuple[float, float], up: tuple[float, float], out: float, look: Look) -> None:
        """An upright rectangle parallel to the wall."""
        (left, right), (low, high) = along, up
        outline = ((left, low), (right, low), (right, high), (left, high))
        self.polygon(wall, [wall.point(a, y, out) for a, y in outline], wall.normal, look)

    def box(
        self,
        wall: Wall,
        along: tuple[float, float],
        up: tuple[float, float],
        out: tuple[float, float],
        look: Look,
        rounding: float = 0.0,
    ) -> None:
        """A block against or in front of the wall: front, sides and top; the top edges bevelled by `rounding`."""
        (x_0, y_0, z_0), (x_1, y_1, z_1) = wall.point(along[0], up[0], out[0]), wall.point(along[1], up[1], out[1])
        x_0, x_1, z_0, z_1 = min(x_0, x_1), max(x_0, x_1), min(z_0, z_1), max(z_0, z_1)
        x, side = (x_1, 1.0) if self.eye[0] > (x_0 + x_1) / 2 else (x_0, -1.0)
        y_r, x_r, z_r = y_1 - rounding, x - side * rounding, z_1 - rounding
        a_0, a_1, b_0 = x_0 + rounding, x_1 - rounding, z_0 + rounding
        top, front, flank = (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (side, 0.0, 0.0)
        self.polygon(wall, ((a_0, y_1, b_0), (a_1, y_1, b_0), (a_1, y_1, z_r), (a_0, y_1, z_r)), top, look)
        self.polygon(wall, ((x, y_0, z_0), (x, y_r, z_0), (x, y_r, z_1), (x, y_0, z_1)), flank, look)
        self.polygon(wall, ((x_0, y_0, z_1), (x_1, y_0, z_1), (x_1, y_r, z_1), (x_0, y_r, z_1)), front, look)
        if rounding:
            bevel = ((x_0, y_r, z_1), (x_1, y_r, z_1), (a_1, y_1, z_r), (a_0, y_1, z_r))
            self.polygon(wall, bevel, (0.0, _DIAGONAL, _DIAGONAL), look)
            bevel = ((x, y_r, z_0), (x, y_r, z_1), (x_r, y_1, z_r), (x_r, y_1, b_0))
            self.polygon(wall, bevel, (side * _DIAGONAL, _DIAGONAL, 0.0), look)

    def facing(self, base: Point) -> tuple[Point, Point]:
        """For upright things drawn as a flat outline turned to the eye: the unit vectors to their right and to us."""
        x, z = self.eye[0] - base[0], self.eye[2] - base[2]
        length = math.sqrt(x * x + z * z)
        return (z / length, 0.0, -x / length), (x / length, 0.0, z / length)

    def cutout(self, wall: Wall, base: Point, outline: Sequence[tuple[float, float]], look: Look) -> None:
        """A flat convex outline, (right, up) metres from `base`, turned to the eye."""
        (right_x, _, right_z), normal = self.facing(base)
        corners = [(base[0] + r * right_x, base[1] + u, base[2] + r * right_z) for r, u in outline]
        self.polygon(wall, corners, normal, look)
