"""A room as flat faces: convex polygons, grouped into parts of one look, grouped into things."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from attrs import frozen

from ganskit.data.colours import Colour
from ganskit.data.rooms.space import Array, Point, Span, Wall

Texture = Callable[[Array, Array, Array], Array]
"""(along, up, out), each (H, W), in metres on the part's wall -> colours (3, H, W)."""

ROOM = 0
"""The thing number of walls, floor and ceiling, which get no box."""

_DIAGONAL = 0.7071068
"""Each part of a unit vector at 45 degrees."""


@frozen
class Look:
    """How a part looks. `glow` is light of its own; `bulge` bends its normals, so that it shades as if round."""

    colour: Colour
    texture: Texture | None = None
    glow: float = 0.0
    bulge: float = 0.0


@frozen
class Part:
    """Faces with one look: the mattress of a bed, the shade of a lamp."""

    thing: int
    wall: Wall
    look: Look
    body: Sequence[Point]
    """Points whose bounding block a bulge rounds off."""


@frozen
class Face:
    """A convex polygon of part number `part`, with the unit normal towards the side that is seen."""

    part: int
    corners: Sequence[Point]
    normal: Point


class Mesh:
    """Collects what can be seen from `eye`. `thing` begins an object, `part` a part of it, to which faces are added."""

    def __init__(self, eye: Point) -> None:
        self.eye = eye
        self.kinds = ["room"]
        self.parts: list[Part] = []
        self.faces: list[Face] = []

    def thing(self, kind: str) -> None:
        """The parts that follow belong to another object of this kind."""
        self.kinds.append(kind)

    def part(self, wall: Wall, look: Look, body: Sequence[Point]) -> None:
        """The faces that follow belong to another part, described in the wall's coordinates."""
        self.parts.append(Part(len(self.kinds) - 1, wall, look, body))

    def face(self, corners: Sequence[Point], normal: Point) -> None:
        """A face in the room's coordinates; left out when its back is turned to the eye."""
        (x, y, z), (eye_x, eye_y, eye_z) = corners[0], self.eye
        if (eye_x - x) * normal[0] + (eye_y - y) * normal[1] + (eye_z - z) * normal[2] > 0:
            self.faces.append(Face(len(self.parts) - 1, corners, normal))

    def sheet(self, wall: Wall, corners: Sequence[Point], normal: Point, look: Look) -> None:
        """A part of a single face."""
        self.part(wall, look, corners)
        self.face(corners, normal)

    def panel(self, wall: Wall, along: Span, up: Span, out: float, look: Look) -> None:
        """An upright rectangle parallel to the wall."""
        (left, right), (low, high) = along, up
        outline = ((left, low), (right, low), (right, high), (left, high))
        self.sheet(wall, [wall.point(a, y, out) for a, y in outline], wall.normal, look)

    def box(self, wall: Wall, along: Span, up: Span, out: Span, look: Look, rounding: float = 0.0) -> None:
        """A block against or in front of the wall: front, sides and top; the top edges bevelled by `rounding`."""
        (x_0, y_0, z_0), (x_1, y_1, z_1) = wall.point(along[0], up[0], out[0]), wall.point(along[1], up[1], out[1])
        x_0, x_1, z_0, z_1 = min(x_0, x_1), max(x_0, x_1), min(z_0, z_1), max(z_0, z_1)
        x, side = (x_1, 1.0) if self.eye[0] > (x_0 + x_1) / 2 else (x_0, -1.0)
        y_r, x_r, z_r = y_1 - rounding, x - side * rounding, z_1 - rounding
        a_0, a_1, b_0 = x_0 + rounding, x_1 - rounding, z_0 + rounding
        self.part(wall, look, ((x_0, y_0, z_0), (x_1, y_1, z_1)))
        self.face(((a_0, y_1, b_0), (a_1, y_1, b_0), (a_1, y_1, z_r), (a_0, y_1, z_r)), (0.0, 1.0, 0.0))
        self.face(((x, y_0, z_0), (x, y_r, z_0), (x, y_r, z_1), (x, y_0, z_1)), (side, 0.0, 0.0))
        self.face(((x_0, y_0, z_1), (x_1, y_0, z_1), (x_1, y_r, z_1), (x_0, y_r, z_1)), (0.0, 0.0, 1.0))
        if rounding:
            bevel = ((x_0, y_r, z_1), (x_1, y_r, z_1), (a_1, y_1, z_r), (a_0, y_1, z_r))
            self.face(bevel, (0.0, _DIAGONAL, _DIAGONAL))
            bevel = ((x, y_r, z_0), (x, y_r, z_1), (x_r, y_1, z_r), (x_r, y_1, b_0))
            self.face(bevel, (side * _DIAGONAL, _DIAGONAL, 0.0))

    def cutout(self, wall: Wall, base: Point, outline: Sequence[tuple[float, float]], look: Look) -> None:
        """A flat convex outline, (right, up) metres from `base`, turned to the eye: what is round looks so."""
        x, z = self.eye[0] - base[0], self.eye[2] - base[2]
        length = math.sqrt(x * x + z * z)
        x, z = x / length, z / length
        corners = [(base[0] + right * z, base[1] + up, base[2] - right * x) for right, up in outline]
        self.sheet(wall, corners, (x, 0.0, z), look)
