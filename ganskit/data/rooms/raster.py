"""Which face is seen at each sample of the picture, and how far away it is.

Half-planes without clipping, after Olano and Greer, "Triangle scan conversion using 2D homogeneous coordinates" (1997):
seen from the eye, an edge is a plane, and a polygon the samples on the inner side of all of them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from attrs import frozen

from ganskit.data.rooms.mesh import Array, Face
from ganskit.data.rooms.space import Camera

NEAR_M = 0.05
FAR_M = 100.0


@frozen
class View:
    """Directions from the camera through each column and row of samples, one metre deep."""

    origin: Array
    column_rays: Array
    """(2, W): how far right (x) and towards us (z) the ray goes."""
    row_rays: Array
    """(H,): how far up."""


@frozen
class Samples:
    """What each of the (H, W) samples shows."""

    face: npt.NDArray[np.intp]
    closeness: Array
    """One over the depth in metres."""
    regions: tuple[tuple[int, slice, slice], ...]
    """For each face that may be seen: its number, rows and columns."""


def look_through(camera: Camera, side: int) -> View:
    """The view of a square picture of side x side samples."""
    centres = ((np.arange(side) + 0.5) * (2 / side) - 1).astype(np.float64)
    stretch = np.sqrt(1 + camera.turn * camera.turn)
    right = centres / camera.focal
    column_rays = np.stack([(right + camera.turn) / stretch, (right * camera.turn - 1) / stretch])
    row_rays = (-centres - camera.horizon) / camera.focal
    origin = np.array([camera.x, camera.height, camera.distance])
    return View(origin, column_rays, row_rays)


def rasterise(faces: list[Face], view: View) -> Samples:
    """The nearest face at every sample."""
    side = len(view.row_rays)
    left, right = _spans(faces, view)
    depth_rows, depth_columns = _closeness(faces, view)
    nonempty = left < right
    top = nonempty.argmax(1)
    bottom = side - nonempty[:, ::-1].argmax(1)
    first, last = np.where(nonempty, left, side).min(1), np.where(nonempty, right, 0).max(1)
    closeness = np.full((side, side), 1 / FAR_M, np.float32)
    shown = np.zeros((side, side), np.intp)
    columns = np.arange(side, dtype=np.int32)
    regions = []
    seen = nonempty.any(1).nonzero()[0].tolist()
    bounds = np.stack([top, bottom, first, last], 1).tolist()
    for number in seen:
        y_0, y_1, x_0, x_1 = bounds[number]
        rows, cols = slice(y_0, y_1), slice(x_0, x_1)
        near = depth_rows[number, rows, None] + depth_columns[number, cols]
        covered = columns[cols] >= left[number, rows, None]
        covered &= columns[cols] < right[number, rows, None]
        covered &= near > closeness[rows, cols]
        np.copyto(closeness[rows, cols], near, where=covered)
        np.copyto(shown[rows, cols], number, where=covered)
        regions.append((number, rows, cols))
    return Samples(shown, closeness, tuple(regions))


def _closeness(faces: list[Face], view: View) -> tuple[Array, Array]:
    """One over the depth of each face's plane, as (F, H) + (F, W): it is linear in the picture."""
    normal = np.array([face.normal for face in faces])
    corner = np.array([face.corners[0] for face in faces])
    x, y, z = (normal / ((corner - view.origin) * normal).sum(1, keepdims=True)).T
    rows = y[:, None] * view.row_rays
    columns = x[:, None] * view.column_rays[0] + z[:, None] * view.column_rays[1]
    return rows.astype(np.float32), columns.astype(np.float32)


def _spans(faces: list[Face], view: View) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """For every face and row, the first column inside and the first beyond: (F, H) and (F, H)."""
    counts = np.array([len(face.corners) for face in faces])
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    corners = np.array([corner for face in faces for corner in face.corners]) - view.origin
    following = np.arange(1, len(corners) + 1)
    following[starts + counts - 1] = starts
    x_0, y_0, z_0 = corners.T
    x_1, y_1, z_1 = corners[following].T
    x, y, z = y_0 * z_1 - z_0 * y_1, z_0 * x_1 - x_0 * z_1, x_0 * y_1 - y_0 * x_1
    middle = np.add.reduceat(corners, starts, axis=0)
    mx, my, mz = np.repeat(middle, counts, axis=0).T
    sign = np.where(x * mx + y * my + z * mz < 0, -1.0, 1.0)
    x, y, z = x * sign, y * sign, z * sign
    # x*ray_x + z*ray_z is linear in the column: slope * column + offset, from its values at the two ends
    side = view.column_rays.shape[1]
    at_first = x * view.column_rays[0, 0] + z * view.column_rays[1, 0]
    at_last = x * view.column_rays[0, -1] + z * view.column_rays[1, -1]
    slope = (at_last - at_first) / (side - 1)
    slope = np.where(np.abs(slope) < 1e-9, 1e-9, slope)
    crossing = (-at_first / slope)[:, None] - (y / slope)[:, None] * view.row_rays
    rising = (slope > 0)[:, None]
    left = np.maximum.reduceat(np.where(rising, crossing, 0), starts, axis=0)
    right = np.minimum.reduceat(np.where(rising, side, crossing), starts, axis=0)
    return (
        np.ceil(np.clip(left, 0, side)).astype(np.int32),
        np.ceil(np.clip(right, 0, side)).astype(np.int32),
    )
