"""Where things are: the head's own space, and how a picture looks at it.

Head space: the middle of the head is 0, half of a head's height is about 1; x to the viewer's right, y up, z towards
the viewer when the head is not turned. Everything is projected in parallel.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from attrs import frozen

Array = npt.NDArray[Any]
"""float32: numpy keeps it in arithmetic with plain numbers, which type checkers do not know."""
Point = tuple[float, float, float]

REACH = 1.4
"""Half the side of the picture in units of head space, when `zoom` is 1."""
MIDDLE_Y = -0.06
"""The height in head space that is in the middle of the picture."""
NECK_Y = -0.7
"""About which point of the middle line the head tilts."""


def sin_cos(degrees: float) -> tuple[float, float]:
    """Taylor's series, good to 1e-7 up to 90 degrees: plain arithmetic, because sines differ between systems."""
    x = degrees * 0.017453292519943295
    q = x * x
    sine = x * (1 - q / 6 * (1 - q / 20 * (1 - q / 42 * (1 - q / 72 * (1 - q / 110)))))
    cosine = 1 - q / 2 * (1 - q / 12 * (1 - q / 30 * (1 - q / 56 * (1 - q / 90 * (1 - q / 132)))))
    return sine, cosine


def clipped(values: Array) -> Array:
    """From 0 to 1, in place: several times faster than numpy's own on small arrays."""
    np.maximum(values, 0, out=values)
    return np.minimum(values, 1, out=values)


@frozen
class Pose:
    """How something is turned against the picture. Angles are given by what arithmetic needs of them."""

    turn: tuple[float, float] = (0.0, 1.0)
    """Sine and cosine of the angle to the viewer's right."""
    tilt: tuple[float, float] = (0.0, 1.0)
    """Sine and cosine of the angle, clockwise in the picture."""
    nod: float = 0.0
    """The tangent of the angle upwards."""

    @classmethod
    def of(cls, turn: float, nod: float, tilt: float) -> Pose:
        """From angles in degrees."""
        sine, cosine = sin_cos(nod)
        return cls(sin_cos(turn), sin_cos(tilt), sine / cosine)


@frozen
class Camera:
    """What part of head space the picture shows. The picture is -1 to 1, to the right and down."""

    reach: float
    """Half the side of the picture in units of head space."""
    shift: tuple[float, float]
    """Where in the picture the middle is."""

    def project(self, pose: Pose, point: Point) -> tuple[float, float]:
        """Head space to the picture: (to the right, down)."""
        x, y, z = point
        flat_x = x * pose.turn[1] + z * pose.turn[0]
        rise = y + pose.nod * z - NECK_Y
        right = flat_x * pose.tilt[1] + rise * pose.tilt[0]
        up = NECK_Y - flat_x * pose.tilt[0] + rise * pose.tilt[1]
        return right / self.reach + self.shift[0], (MIDDLE_Y - up) / self.reach + self.shift[1]


@frozen
class Frame:
    """A rectangle of samples: first row and column, and those after the last."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def here(self) -> tuple[slice, slice]:
        """Its rows and columns in the canvas."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def inside(self, outer: Frame) -> tuple[slice, slice]:
        """Its rows and columns in arrays that cover `outer`."""
        return slice(self.top - outer.top, self.bottom - outer.top), slice(self.left - outer.left, self.right - outer.left)

    def overlap(self, other: Frame) -> Frame | None:
        """What both cover; None when that is nothing."""
        top, bottom = max(self.top, other.top), min(self.bottom, other.bottom)
        left, right = max(self.left, other.left), min(self.right, other.right)
        return Frame(top, bottom, left, right) if top < bottom and left < right else None


@frozen(eq=False)
class Patch:
    """Samples and their flat coordinates, (H, W): tilt and shift undone."""

    frame: Frame
    across: Array
    up: Array


class View:
    """How `height` rows of a picture, from row `top` on, look at something in a pose. `columns` (W,) and `rows` (H,)
    are where in the picture its samples are, -1 to 1.
    """

    def __init__(self, camera: Camera, pose: Pose, columns: Array, top: int, height: int) -> None:
        self.camera, self.pose, self.top = camera, pose, top
        self.columns, self.rows = columns, columns[top : top + height]  # the picture is square
        self.sample = 2 * camera.reach / len(columns)
        """The side of a sample in units of head space."""
        x = (self.columns - np.float32(camera.shift[0])) * np.float32(camera.reach)
        y = (np.float32(camera.shift[1]) - self.rows) * np.float32(camera.reach) + np.float32(MIDDLE_Y - NECK_Y)
        sine, cosine = (np.float32(part) for part in pose.tilt)
        self._across = x * cosine - (y * sine)[:, None]
        self._up = x * sine + (y * cosine + np.float32(NECK_Y))[:, None]

    def frame(self, low: Point, high: Point) -> Frame | None:
        """The samples that may show something of the block between two corners; None when there are none."""
        pose = self.pose
        middle = self.camera.project(pose, ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2))
        x, y, z = (high[0] - low[0]) / 2, (high[1] - low[1]) / 2, (high[2] - low[2]) / 2
        aside, rise = x * pose.turn[1] + z * abs(pose.turn[0]), y + z * abs(pose.nod)
        reach_x = (aside * pose.tilt[1] + rise * abs(pose.tilt[0])) / self.camera.reach
        reach_y = (aside * abs(pose.tilt[0]) + rise * pose.tilt[1]) / self.camera.reach
        half = len(self.columns) / 2
        block = Frame(
            math.floor(half * (middle[1] - reach_y + 1)) - self.top,
            math.ceil(half * (middle[1] + reach_y + 1)) - self.top,
            math.floor(half * (middle[0] - reach_x + 1)),
            math.ceil(half * (middle[0] + reach_x + 1)),
        )
        return block.overlap(Frame(0, len(self.rows), 0, len(self.columns)))

    def patch(self, low: Point, high: Point) -> Patch | None:
        """The same with coordinates."""
        frame = self.frame(low, high)
        return Patch(frame, self._across[frame.here], self._up[frame.here]) if frame else None
