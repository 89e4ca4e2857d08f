"""From a scene to its picture and the boxes of what is seen."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from attrs import frozen

from ganskit.data.rooms.lighting import halo, illuminate
from ganskit.data.rooms.mesh import ROOM, Array, Mesh, Part
from ganskit.data.rooms.objects import build
from ganskit.data.rooms.raster import Samples, View, rasterise
from ganskit.data.rooms.scene import Scene

Pixels = npt.NDArray[np.uint8]

SUPERSAMPLING = 2
"""Samples per pixel, across and down."""
BAND_SAMPLES = 1 << 16
"""A large picture is drawn in bands of about so many samples, to stay within the processor's cache."""


@frozen
class Box:
    """The visible part of one object, in fractions of the image side from the top left corner."""

    kind: str
    left: float
    top: float
    right: float
    bottom: float


@frozen(eq=False)
class Picture:
    """A drawn scene: `pixels` (size, size, 3) uint8, and a box for each object of which anything is seen."""

    pixels: Pixels
    boxes: tuple[Box, ...]


def draw(scene: Scene, size: int = 64) -> Picture:
    """The scene, size x size pixels: "door", "window" and the like in its boxes; walls and floor have none."""
    mesh = build(scene)
    side = size * SUPERSAMPLING
    view = View.through(scene.camera, side)
    thing_of_face = np.array([mesh.parts[face.part].thing for face in mesh.faces], np.uint8)
    things = np.empty((side, side), np.uint8)
    light = np.empty((3, size, size), np.float32)
    height = max(1, BAND_SAMPLES // (side * SUPERSAMPLING))
    for top in range(0, size, height):
        rows = slice(top * SUPERSAMPLING, min(top + height, size) * SUPERSAMPLING)
        band = view.band(rows)
        samples = rasterise(mesh.faces, band)
        things[rows] = thing_of_face[samples.face]
        light[:, top : top + height] = _average(_shade(scene, mesh, band, samples))
    light += halo(scene, size)
    values = np.sqrt(np.minimum(light, 1)) * 255 + 0.5
    return Picture(values.astype(np.uint8).transpose(1, 2, 0), _boxes(mesh.kinds, things))


def _shade(scene: Scene, mesh: Mesh, view: View, samples: Samples) -> Array:
    """The light that comes from each sample, (3, H, W)."""
    points = _points(view, samples)
    colours, normals, glow = _surfaces(mesh, samples, points)
    light = illuminate(scene, points, normals)
    light += glow
    light *= colours
    return light


def _points(view: View, samples: Samples) -> Array:
    """Where in the room each sample lies, (3, H, W)."""
    depth = 1 / samples.closeness
    points = np.empty((3, *depth.shape), np.float32)
    rays = view.column_x, view.row_y[:, None], view.column_z
    for axis, ray, start in zip(points, rays, view.origin, strict=True):
        np.multiply(depth, ray.astype(np.float32), out=axis)
        axis += np.float32(start)
    return points


def _surfaces(mesh: Mesh, samples: Samples, points: Array) -> tuple[Array, Array, Array]:
    """Colour (3, H, W), unit normal (3, H, W) and own light (H, W) of what each sample shows."""
    parts = [mesh.parts[face.part] for face in mesh.faces]
    rows = [(*part.look.colour, *face.normal, part.look.glow) for part, face in zip(parts, mesh.faces, strict=True)]
    table = np.array(rows, np.float32).T
    looks = np.empty((7, *samples.face.shape), np.float32)
    for values, look in zip(table, looks, strict=True):
        np.take(values, samples.face, out=look, mode="clip")
    colours, normals, glow = looks[:3], looks[3:6], looks[6]
    part_of_face = np.array([face.part for face in mesh.faces], np.uint8)
    part_shown = part_of_face[samples.face]
    for number, frame in _frames(mesh, samples).items():
        part = mesh.parts[number]
        shown = part_shown[frame] == number
        here = points[:, frame[0], frame[1]]
        if part.look.texture:
            along, out = part.wall.along_and_out(here[0], here[2])
            np.copyto(colours[:, frame[0], frame[1]], part.look.texture(along, here[1], out), where=shown)
        if part.look.bulge:
            bent = _bulging(part, here, normals[:, frame[0], frame[1]])
            np.copyto(normals[:, frame[0], frame[1]], bent, where=shown)
    return colours, normals, glow


def _frames(mesh: Mesh, samples: Samples) -> dict[int, tuple[slice, slice]]:
    """Rows and columns of the parts that are seen and need more than their plain colour."""
    seen = np.bincount(samples.face.ravel(), minlength=len(mesh.faces)).tolist()
    frames: dict[int, tuple[slice, slice]] = {}
    for number, (rows, columns) in samples.frames.items():
        part = mesh.faces[number].part
        look = mesh.parts[part].look
        if seen[number] and (look.texture or look.bulge):
            other_rows, other_columns = frames.get(part, (rows, columns))
            frames[part] = (
                slice(min(rows.start, other_rows.start), max(rows.stop, other_rows.stop)),
                slice(min(columns.start, other_columns.start), max(columns.stop, other_columns.stop)),
            )
    return frames


def _bulging(part: Part, points: Array, normals: Array) -> Array:
    """The normals, bent outwards near the edges of the part's block."""
    body = np.array(part.body, np.float32)
    low, high = body.min(0), body.max(0)
    middle, reach = (low + high) / 2, (high - low) / 2 + np.float32(1e-3)
    offset = (points - middle.reshape(3, 1, 1)) / reach.reshape(3, 1, 1)
    bent = normals + part.look.bulge * offset * offset * offset
    x, y, z = bent
    bent /= np.sqrt(x * x + y * y + z * z)
    return bent


def _average(light: Array) -> Array:
    """The mean light of the samples of each pixel; what is brighter than white counts as white."""
    np.minimum(light, 1, out=light)
    rows = sum(light[:, first::SUPERSAMPLING] for first in range(SUPERSAMPLING))
    total: Array = sum(rows[:, :, first::SUPERSAMPLING] for first in range(SUPERSAMPLING))
    return total * np.float32(1 / SUPERSAMPLING**2)


def _boxes(kinds: list[str], things: npt.NDArray[np.uint8]) -> tuple[Box, ...]:
    """The bounding box of every thing but the room itself, from the thing number of each sample."""
    side = len(things)
    boxes = []
    for number, kind in enumerate(kinds):
        if number != ROOM:
            seen = things == number
            rows, columns = seen.any(1).nonzero()[0].tolist(), seen.any(0).nonzero()[0].tolist()
            if rows:
                box = Box(kind, columns[0] / side, rows[0] / side, (columns[-1] + 1) / side, (rows[-1] + 1) / side)
                boxes.append(box)
    return tuple(boxes)
