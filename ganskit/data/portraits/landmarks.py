"""Where the parts of a face are in its picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ganskit.data.portraits.anatomy import Anatomy
from ganskit.data.portraits.space import Camera, Point, Pose

LANDMARKS = (
    "left_eye", "left_eye_outer", "left_eye_inner", "left_brow",
    "right_eye", "right_eye_outer", "right_eye_inner", "right_brow",
    "nose_tip", "mouth", "mouth_left", "mouth_right", "chin", "left_ear", "right_ear",
)  # fmt: skip
"""Left is the viewer's left. An eye is the middle between its corners; the mouth is the middle of the lips' line."""


def locate(anatomy: Anatomy, camera: Camera, pose: Pose) -> npt.NDArray[np.float32]:
    """(L, 2) float32: (x to the right, y down), the picture is -1 to 1."""
    a = anatomy
    eye = ((a.eye_x, a.eye_y), (a.eye_x + a.eye_width, a.eye_y), (a.eye_x - a.eye_width, a.eye_y), (a.eye_x, a.brow_y))
    corner_y = a.mouth_y + 0.75 * a.mouth_lift
    mouth = ((0.0, a.mouth_y - 0.25 * a.mouth_lift), (-a.mouth_width, corner_y), (a.mouth_width, corner_y))
    face = [*((-x, y) for x, y in eye), *eye, *mouth, (0.0, a.chin_y + 0.01)]
    points: list[Point] = [(x, y, z) for (x, y), z in zip(face, a.head.fronts(face), strict=True)]
    tip = (0.0, a.nose_tip_y, a.nose.fronts([(0.0, a.nose_tip_y)])[0])
    ears = [(ear.x, -0.08, -0.07) for ear in a.ears]
    return np.array([camera.project(pose, point) for point in [*points[:8], tip, *points[8:], *ears]], np.float32)
