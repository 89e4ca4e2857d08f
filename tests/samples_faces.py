"""Photographs whose faces are where we drew them, and a model that answers as YuNet does."""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from attrs import evolve, frozen
from data_samples import noise
from PIL import Image

from ganskit.data.portraits import LANDMARKS, Face, draw

ODD = (os.fsdecode(b"not utf-8 \xff.png"), "new\nline \U0001f600.png", 'quo"te, comma.png', "a" * 251 + ".png")
"""Names of files that go wrong easily."""


@frozen
class Placed:
    """A portrait of `size` pixels with its corner at (left, top)."""

    index: int
    left: int
    top: int
    size: int

    def face(self) -> Face:
        """Somebody who looks at us: a detector of 2001 can see it."""
        straight = {"turn": 0.0, "nod": 0.0, "tilt": 0.0, "eyes_open": 0.9, "glasses": "none", "contrast": 0.5, "fringe": 0.1}
        return evolve(Face.sample(0, self.index), **straight)

    def holds(self, left: float, top: float, side: float) -> bool:
        """Whether a box is that of the face: eyes, nose and mouth are in it, and it is not much larger than the head."""
        points = (draw(self.face(), self.size).landmarks + 1) / 2 * self.size + (self.left, self.top)
        at = dict(zip(LANDMARKS, points, strict=True))
        inside = all(
            left < at[name][0] < left + side and top < at[name][1] < top + side
            for name in ("left_eye", "right_eye", "nose_tip", "mouth")
        )
        return bool(inside and side < 1.6 * (at["right_ear"][0] - at["left_ear"][0]))


def photograph(width: int, height: int, faces: Sequence[Placed] = (), seed: int = 0) -> Image.Image:
    """A wall of soft colours, and portraits on it."""
    wall = Image.fromarray(noise(seed, 4, 4, 3) // 2 + 64).resize((width, height), Image.Resampling.BICUBIC)
    for each in faces:
        wall.paste(Image.fromarray(draw(each.face(), each.size).pixels), (each.left, each.top))
    return wall


def write_yunet(file: Path, side: float = 2.0) -> Path:
    """An ONNX model with YuNet's input and outputs that takes every red 32 x 32 block for a face of `side` blocks.

    Written by hand, as protocol buffers, so that no further package is needed.
    """
    nodes, constants, outputs = [], [], []

    def constant(name: str, values: np.ndarray) -> str:
        kind = 7 if values.dtype == np.int64 else 1
        dims = b"".join(_number(1, dim) for dim in values.shape)
        constants.append(dims + _number(2, kind) + _bytes(8, name.encode()) + _bytes(9, values.tobytes()))
        return name

    def node(kind: str, name: str, inputs: Sequence[str], **attributes: Sequence[int]) -> str:
        lists = b"".join(
            _bytes(5, _bytes(1, key.encode()) + b"".join(_number(8, value) for value in values) + _number(20, 7))
            for key, values in attributes.items()
        )
        names = b"".join(_bytes(1, each.encode()) for each in inputs)
        nodes.append(names + _bytes(2, name.encode()) + _bytes(3, name.encode()) + _bytes(4, kind.encode()) + lists)
        return name

    def head(name: str, source: str, weight: np.ndarray, bias: Sequence[float]) -> None:
        """A 1 x 1 convolution, as (1, places, channels)."""
        channels = len(bias)
        weights = constant(f"{name}.weight", weight.astype(np.float32).reshape(channels, 3, 1, 1))
        made = node("Conv", f"{name}.conv", [source, weights, constant(f"{name}.bias", np.array(bias, np.float32))])
        made = node("Transpose", f"{name}.last", [made], perm=[0, 2, 3, 1])
        node("Reshape", name, [made, constant(f"{name}.shape", np.array([1, -1, channels]))])

    redness = np.array([-1, -1, 1]) / 200  # of BGR
    for stride in (8, 16, 32):
        pooled = node("AveragePool", f"pool_{stride}", ["input"], kernel_shape=[stride] * 2, strides=[stride] * 2)
        seen = redness if stride == 32 else 0 * redness
        head(f"cls_{stride}", pooled, seen, [0.0])
        head(f"obj_{stride}", pooled, seen, [0.0])
        head(f"bbox_{stride}", pooled, np.zeros((4, 3)), [0.5, 0.5, *[float(np.log(side))] * 2])
        head(f"kps_{stride}", pooled, np.zeros((10, 3)), [0.0] * 10)
    for kind, channels in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
        outputs += [_value(f"{kind}_{stride}", [1, (640 // stride) ** 2, channels]) for stride in (8, 16, 32)]
    graph = b"".join(_bytes(1, each) for each in nodes) + _bytes(2, b"net") + b"".join(_bytes(5, each) for each in constants)
    graph += _bytes(11, _value("input", [1, 3, 640, 640])) + b"".join(_bytes(12, each) for each in outputs)
    file.write_bytes(_number(1, 7) + _bytes(7, graph) + _bytes(8, _number(2, 11)))
    return file


def _value(name: str, dims: Sequence[int]) -> bytes:
    shape = b"".join(_bytes(1, _number(1, dim)) for dim in dims)
    return _bytes(1, name.encode()) + _bytes(2, _bytes(1, _number(1, 1) + _bytes(2, shape)))


def _number(key: int, value: int) -> bytes:
    return _varint(key << 3) + _varint(value)


def _bytes(key: int, value: bytes) -> bytes:
    return _varint(key << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = []
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return struct.pack(f"{len(out) + 1}B", *out, value)
