"""From a scene to its picture and the boxes of what is seen."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from attrs import frozen

from ganskit.data.rooms.lighting import illuminate
from ganskit.data.rooms.mesh import SHELL, Array, Face, Mesh
from ganskit.data.rooms.objects import build
from ganskit.data.rooms.raster import Samples, View, look_through, rasterise
from ganskit.data.rooms.scene import Scene

Pixels = npt.NDArray[np.uint8]

SUPERSAMPLING = 2


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
    """Draw the scene, size x size pixels."""
    mesh, samples, pixels = _render(scene, size)
    return Picture(pixels, _boxes(mesh, samples))


def draw_pixels(scene: Scene, size: int = 64) -> Pixels:
    """Only the picture, (size, size, 3) uint8: faster."""
    return _render(scene, size)[2]


def _render(scene: Scene, size: int) -> tuple[Mesh, Samples, Pixels]:
    mesh = build(scene)
    view = look_through(scene.camera, size * SUPERSAMPLING)
    samples = rasterise(mesh.faces, view)
    points = _points(view, samples)
    colours, normals, glow = _surfaces(mesh.faces, samples, points)
    light = illuminate(scene, points, normals)
    light += glow
    colours *= light
    return mesh, samples, _develop(colours, size)


def _points(view: View, samples: Samples) -> Array:
    """Where in the room each sample lies: (3, H, W)."""
    depth = 1 / samples.closeness
    x, y, z = view.origin.astype(np.float32)
    points = np.empty((3, *depth.shape), np.float32)
    rays = view.column_rays.astype(np.float32)
    points[0] = depth * rays[0] + x
    points[1] = depth * view.row_rays.astype(np.float32)[:, None] + y
    points[2] = depth * rays[1] + z
    return points


def _surfaces(faces: list[Face], samples: Samples, points: Array) -> tuple[Array, Array, Array]:
    """Colour (3, H, W), normal (3, H, W) and own light (H, W) of what each sample shows."""
    table = np.array([(*face.look.colour, *face.normal, face.look.glow) for face in faces], np.float32)
    looks = np.empty((7, *samples.face.shape), np.float32)
    for column, values in zip(table.T, looks, strict=True):
        np.take(column, samples.face, out=values, mode="clip")
    colours, normals, glow = looks[:3], looks[3:6], looks[6]
    for number, rows, columns in samples.regions:
        face = faces[number]
        if face.look.texture is None and not face.look.bulge:
            continue
        shown = samples.face[rows, columns] == number
        here = points[:, rows, columns]
        if face.look.texture is not None:
            x, y, z = here
            if face.wall.name == "back":
                along, out = x, z
            else:
                along, out = z, x if face.wall.name == "left" else np.float32(face.wall.room_width) - x
            np.copyto(colours[:, rows, columns], face.look.texture(along, y, out), where=shown)
        if face.look.bulge:
            np.copyto(normals[:, rows, columns], _bulging(face, here), where=shown)
    return colours, normals, glow


def _bulging(face: Face, points: Array) -> Array:
    corners = np.array(face.corners, np.float32)
    low, high = corners.min(0), corners.max(0)
    middle, half = (low + high) / 2, (high - low) / 2 + np.float32(1e-3)
    offset = (points - middle.reshape(3, 1, 1)) / half.reshape(3, 1, 1)
    bent = np.array(face.normal, np.float32).reshape(3, 1, 1) + face.look.bulge * offset * offset * offset
    return bent / np.sqrt((bent * bent).sum(0))


def _develop(colours: Array, size: int) -> Pixels:
    """Average the samples of each pixel and turn light into values."""
    np.minimum(colours, 1.0, out=colours)
    rows = sum(colours[:, first::SUPERSAMPLING] for first in range(SUPERSAMPLING))
    total = sum(rows[:, :, first::SUPERSAMPLING] for first in range(SUPERSAMPLING))
    return (np.sqrt(total) * (255 / SUPERSAMPLING) + 0.5).astype(np.uint8).transpose(1, 2, 0)


def _boxes(mesh: Mesh, samples: Samples) -> tuple[Box, ...]:
    thing = np.array([face.thing for face in mesh.faces])[samples.face]
    side = len(thing)
    boxes = []
    for number, kind in enumerate(mesh.kinds):
        if number == SHELL:
            continue
        seen = thing == number
        rows, columns = seen.any(1).nonzero()[0], seen.any(0).nonzero()[0]
        if len(rows):
            boxes.append(Box(kind, columns[0] / side, rows[0] / side, (columns[-1] + 1) / side, (rows[-1] + 1) / side))
    return tuple(boxes)
