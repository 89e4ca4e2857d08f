"""Which face is seen at each sample of the picture, and how far away it is.

Half-planes without clipping, after Olano and Greer, "Triangle scan conversion using 2D homogeneous coordinates" (1997):
seen from the eye, an edge spans a plane, and a convex polygon is what lies on the inner side of all of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from attrs import evolve, frozen

from ganskit.data.rooms.mesh import Face
from ganskit.data.rooms.space import Array, Camera, Mask

FAR_M = 100.0

Columns = npt.NDArray[Any]
"""uint16."""
Doubles = npt.NDArray[Any]
"""float64, for geometry."""
Whole = npt.NDArray[np.intp]


@frozen
class View:
    """Rays from `origin` through a grid of samples, each as long as to be one metre deep.

    The ray of row r and column c is (column_x[c], row_y[r], column_z[c]).
    """

    origin: Doubles
    column_x: Doubles
    column_z: Doubles
    row_y: Doubles

    @classmethod
    def through(cls, camera: Camera, side: int) -> View:
        """The whole picture in side x side samples."""
        centres = (np.arange(side) + 0.5) * (2 / side) - 1
        stretch = np.sqrt(1 + camera.turn * camera.turn)
        right = centres / camera.focal
        return cls(
            np.array([camera.x, camera.height, camera.distance]),
            (right + camera.turn) / stretch,
            (right * camera.turn - 1) / stretch,
            (-centres - camera.horizon) / camera.focal,
        )

    def band(self, rows: slice) -> View:
        """Some rows of it."""
        return evolve(self, row_y=self.row_y[rows])


@frozen
class Samples:
    """What each of the (H, W) samples of a view shows."""

    face: npt.NDArray[np.intp]
    """The number of the nearest face."""
    closeness: Array
    """One over the depth in metres."""
    frames: dict[int, tuple[slice, slice]]
    """Rows and columns within which a face lies, for every face that is not wholly outside."""


def rasterise(faces: list[Face], view: View) -> Samples:
    """The nearest face at every sample."""
    height, width = len(view.row_y), len(view.column_x)
    first, count = _spans(faces, view)
    near_rows, near_columns = _closeness(faces, view)
    face = np.zeros((height, width), np.intp)
    closeness = np.full((height, width), 1 / FAR_M, np.float32)
    frames = _frames(first, count)
    columns = np.arange(width, dtype=np.uint16)
    for number, frame in frames.items():
        rows, cols = frame
        near = near_rows[number, rows, None] + near_columns[number, cols]
        # unsigned: to the left of the first column the difference wraps round to a large number
        nearest = (columns[cols] - first[number, rows, None]) < count[number, rows, None]
        nearest &= near > closeness[frame]
        np.copyto(closeness[frame], near, where=nearest)
        np.copyto(face[frame], number, where=nearest)
    return Samples(face, closeness, frames)


def _frames(first: Columns, count: Columns) -> dict[int, tuple[slice, slice]]:
    """The rectangle around each face that has any sample, from its spans (F, H)."""
    any_sample: Mask = count > 0
    top, bottom = any_sample.argmax(1), any_sample.shape[1] - any_sample[:, ::-1].argmax(1)
    left, right = np.where(any_sample, first, 65535).min(1), (first + count).max(1)
    numbers = np.flatnonzero(any_sample.any(1))
    bounds = np.stack([numbers, top[numbers], bottom[numbers], left[numbers], right[numbers]], 1).tolist()
    return {number: (slice(y_0, y_1), slice(x_0, x_1)) for number, y_0, y_1, x_0, x_1 in bounds}


def _closeness(faces: list[Face], view: View) -> tuple[Array, Array]:
    """One over the depth of each face's plane as (F, H) for the rows plus (F, W) for the columns."""
    normal = np.array([face.normal for face in faces])
    corner = np.array([face.corners[0] for face in faces])
    x, y, z = (normal / ((corner - view.origin) * normal).sum(1, keepdims=True)).T
    rows = y[:, None] * view.row_y
    columns = x[:, None] * view.column_x + z[:, None] * view.column_z
    return rows.astype(np.float32), columns.astype(np.float32)


def _spans(faces: list[Face], view: View) -> tuple[Columns, Columns]:
    """For every face and row (F, H): the first column inside, and how many there are."""
    counts = np.array([len(face.corners) for face in faces])
    starts = np.cumsum(counts) - counts
    planes = _edge_planes(faces, view.origin, counts, starts)
    # A ray is inside where x * ray_x + y * ray_y + z * ray_z > 0: in one row, linear in the column.
    x, y, z = planes
    width = len(view.column_x)
    at_first, at_last = (x * view.column_x[end] + z * view.column_z[end] for end in (0, -1))
    slope = (at_last - at_first) / (width - 1)
    slope = np.where(np.abs(slope) < 1e-9, 1e-9, slope)
    offset, tilt, row_y = (each.astype(np.float32) for each in (-at_first / slope, -y / slope, view.row_y))
    crossing = offset[:, None] + tilt[:, None] * row_y
    rising = (slope > 0)[:, None]
    lefts, rights = np.where(rising, crossing, np.float32(0)), np.where(rising, np.float32(width), crossing)
    left, right = np.empty((2, len(faces), len(row_y)), np.float32)
    for num_edges in np.unique(counts):  # several times faster than ufunc.reduceat
        same = (counts == num_edges).nonzero()[0]
        edges = starts[same, None] + np.arange(num_edges)
        left[same], right[same] = lefts[edges].max(1), rights[edges].min(1)
    first, beyond = (np.ceil(np.clip(edge, 0, width)).astype(np.int32) for edge in (left, right))
    return first.astype(np.uint16), np.maximum(beyond - first, 0).astype(np.uint16)


def _edge_planes(faces: list[Face], origin: Doubles, counts: Whole, starts: Whole) -> Doubles:
    """The normals (3, E) of the planes through the eye and each edge, turned towards the face's middle."""
    corners = np.array([corner for face in faces for corner in face.corners]) - origin
    following = np.arange(1, len(corners) + 1)
    following[starts + counts - 1] = starts
    x_0, y_0, z_0 = corners.T
    x_1, y_1, z_1 = corners[following].T
    planes = np.stack([y_0 * z_1 - z_0 * y_1, z_0 * x_1 - x_0 * z_1, x_0 * y_1 - y_0 * x_1])
    middles = np.repeat(np.add.reduceat(corners, starts), counts, axis=0).T
    return planes * np.where((planes * middles).sum(0) < 0, -1.0, 1.0)
