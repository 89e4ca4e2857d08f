"""From a face to its picture and landmarks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from attrs import frozen

from ganskit.data.drawn import check_size
from ganskit.data.portraits.anatomy import Anatomy
from ganskit.data.portraits.backdrop import backdrop
from ganskit.data.portraits.body import paint_body
from ganskit.data.portraits.face import Face
from ganskit.data.portraits.glasses import paint_glasses
from ganskit.data.portraits.hair import Hair
from ganskit.data.portraits.head import paint_head
from ganskit.data.portraits.landmarks import locate
from ganskit.data.portraits.painting import Light
from ganskit.data.portraits.space import REACH, Array, Camera, Pose, View, clipped

Pixels = npt.NDArray[np.uint8]

FINE_BELOW = 48
"""Edges are as soft as a sample is wide. In pictures smaller than this that is too soft, so four samples make a pixel."""
BAND_SAMPLES = 1 << 15
"""A large picture is drawn in bands of about so many samples, to stay within the processor's cache."""


@frozen(eq=False)
class Picture:
    """A drawn face.

    `pixels` (size, size, 3) uint8. `landmarks` (L, 2) float32 are (x to the right, y down) in the order of LANDMARKS;
    the picture is -1 to 1. They are where things are, also when they are hidden by hair or on the far side.
    """

    pixels: Pixels
    landmarks: npt.NDArray[np.float32]


def draw(face: Face, size: int = 64) -> Picture:
    """The face, size x size pixels, and its landmarks. Raises UserError for a size below 16 or above 1024."""
    check_size("portraits", size)
    anatomy = Anatomy.of(face)
    hair = Hair(face, anatomy)
    camera = Camera(REACH / face.zoom, (face.shift_x, face.shift_y))
    fine = 2 if size < FINE_BELOW else 1
    side = size * fine
    columns = (np.arange(side, dtype=np.float32) + np.float32(0.5)) * np.float32(2 / side) - 1
    light = np.empty((3, side, side), np.float32)
    height = max(1, BAND_SAMPLES // side)
    for top in range(0, side, height):
        body = View(camera, Pose.of(0.25 * face.turn, 0, 0.2 * face.tilt), columns, top, height)
        head = View(camera, Pose.of(face.turn, face.nod, face.tilt), columns, top, height)
        light[:, top : top + height] = _paint(face, anatomy, hair, body, head)
    return Picture(_developed(light, fine), locate(anatomy, camera, head.pose))


def _paint(face: Face, anatomy: Anatomy, hair: Hair, body: View, head: View) -> Array:
    """The light that comes from each sample, (3, H, W): from the back to the front."""
    light = _light(face)
    head_light = light.turned(head.pose.turn)
    canvas = backdrop(face, body.columns, body.rows)
    locks = hair.seen(head, head_light)
    if locks:
        locks.paint_back(canvas)
    paint_body(face, anatomy, canvas, body, light.turned(body.pose.turn))
    paint_head(face, anatomy, hair, canvas, head, head_light)
    paint_glasses(face, anatomy, canvas, head)
    if locks:
        locks.paint_front(canvas)
    return canvas


def _light(face: Face) -> Light:
    """A warm lamp, somewhat from above, and a little blue from all around."""
    x, y, z = 0.75 * face.light, 0.5, 1 - 0.2 * abs(face.light)
    length = float(np.sqrt(x * x + y * y + z * z))
    key, fill = 0.62 + 0.32 * face.contrast, 0.52 - 0.24 * face.contrast
    return Light((x / length, y / length, z / length), (1.04 * key, key, 0.95 * key), (0.97 * fill, fill, 1.05 * fill))


def _developed(light: Array, fine: int) -> Pixels:
    """Light (3, fine H, fine W) to the pixels' bytes (H, W, 3): square roots are a gamma of 2."""
    clipped(light)
    if fine == 2:
        rows = light[:, ::2] + light[:, 1::2]
        light = (rows[:, :, ::2] + rows[:, :, 1::2]) * np.float32(0.25)
    values = np.sqrt(light, out=light)
    values *= 255
    values += 0.5
    return np.ascontiguousarray(values.astype(np.uint8).transpose(1, 2, 0))
