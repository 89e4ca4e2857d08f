"""From a scene to its picture and the boxes of what is seen."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from attrs import frozen

from ganskit.data.drawn import check_size
from ganskit.data.rooms.lighting import halo, illuminate
from ganskit.data.rooms.mesh import ROOM, Mesh, Part
from ganskit.data.rooms.objects import build
from ganskit.data.rooms.raster import Samples, View, rasterise
from ganskit.data.rooms.scene import Scene
from ganskit.data.rooms.space import Array

Pixels = npt.NDArray[np.uint8]
Things = npt.NDArray[np.uint8]
"""The thing number of each sample."""

SUPERSAMPLING = 2
"""Samples per pixel, across and down; `_average` is written for two."""
BAND_SAMPLES = 1 << 15
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
    """The scene, size x size pixels, with boxes for everything but walls, floor and ceiling.

    Raises UserError for a size below 16 or above 1024.
    """
    check_size("rooms", size)
    mesh = build(scene)
    pixels, things = _paint(scene, mesh, size)
    return Picture(pixels, _boxes(mesh.kinds, things))


def draw_pixels(scene: Scene, size: int = 64) -> Pixels:
    """The picture alone, (size, size, 3): a little faster."""
    return _paint(scene, build(scene), size)[0]


def _paint(scene: Scene, mesh: Mesh, size: int) -> tuple[Pixels, Things]:
    """The pixels, and the number of the thing that each sample shows."""
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
        np.take(thing_of_face, samples.face, out=things[rows], mode="clip")
        light[:, top : top + height] = _average(_shade(scene, mesh, band, samples))
    light += halo(scene, size)
    values = np.sqrt(np.minimum(light, 1, out=light), out=light)
    values *= 255
    values += 0.5
    return np.ascontiguousarray(values.astype(np.uint8).transpose(1, 2, 0)), things


def _shade(scene: Scene, mesh: Mesh, view: View, samples: Samples) -> Array:
    """The light that comes from each sample, (3, H, W)."""
    # One block, large for small pictures too: malloc would give anything smaller back to the system after every
    # picture and fetch it anew for the next, which takes a fifth of the time.
    block = np.empty(16 * BAND_SAMPLES, np.float32)
    planes = block[: 13 * samples.face.size].reshape(13, *samples.face.shape)
    light, colours, normals, glow, points = planes[:3], planes[3:6], planes[6:9], planes[9], planes[10:]
    _locate(view, samples, points)
    _look_up(mesh, samples, planes[3:10])
    _finish(mesh, samples, points, colours, normals)
    illuminate(scene, points, normals, light)
    light += glow
    light *= colours
    return light


def _locate(view: View, samples: Samples, points: Array) -> None:
    """Fill in where in the room each sample lies, (3, H, W)."""
    depth = 1 / samples.closeness
    rays = view.column_x, view.row_y[:, None], view.column_z
    for axis, ray, start in zip(points, rays, view.origin, strict=True):
        np.multiply(depth, ray.astype(np.float32), out=axis)
        axis += np.float32(start)


def _look_up(mesh: Mesh, samples: Samples, planes: Array) -> None:
    """Fill in the plain colour (3), unit normal (3) and own light (1) of each sample, (7, H, W)."""
    looks = (mesh.parts[face.part].look for face in mesh.faces)
    rows = [(*look.colour, *face.normal, look.glow) for look, face in zip(looks, mesh.faces, strict=True)]
    for plane, values in zip(planes, np.array(rows, np.float32).T, strict=True):
        np.take(values, samples.face, out=plane, mode="clip")


def _finish(mesh: Mesh, samples: Samples, points: Array, colours: Array, normals: Array) -> None:
    """Put textures over the colours and bend the normals of what bulges."""
    part_of_face = np.array([face.part for face in mesh.faces], np.uint8)
    part_shown = np.take(part_of_face, samples.face, mode="clip")
    for number, (rows, columns) in _frames(mesh, samples).items():
        part = mesh.parts[number]
        shown = part_shown[rows, columns] == number
        here = points[:, rows, columns]
        if part.look.texture:
            along, out = part.wall.along_and_out(here[0], here[2])
            np.copyto(colours[:, rows, columns], part.look.texture(along, here[1], out), where=shown)
        if part.look.bulge:
            bent = _bulging(part, here, normals[:, rows, columns])
            np.copyto(normals[:, rows, columns], bent, where=shown)


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
    bent: Array = normals + part.look.bulge * offset * offset * offset
    x, y, z = bent
    bent /= np.sqrt(x * x + y * y + z * z)
    return bent


def _average(light: Array) -> Array:
    """The mean light of the samples of each pixel; what is brighter than white counts as white."""
    np.minimum(light, 1, out=light)
    rows = light[:, ::2] + light[:, 1::2]
    mean: Array = (rows[:, :, ::2] + rows[:, :, 1::2]) * np.float32(0.25)
    return mean


def _boxes(kinds: list[str], things: Things) -> tuple[Box, ...]:
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
