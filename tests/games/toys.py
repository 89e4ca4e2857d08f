"""Tiny datasets and nets that the test games share."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from ganskit import Dataset, Field, use


class Examples:
    """Blobs of light on dark, `keys` to an example; example i is a pure function of i."""

    fingerprint = "blobs 1"

    def __init__(self, num: int, size: int, keys: tuple[str, ...]) -> None:
        self.num, self.size, self.keys = num, size, keys

    def __len__(self) -> int:
        return self.num

    def name(self, index: int) -> str:
        return f"blob {index}"

    def read(self, index: int) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(index)
        steps = np.arange(self.size)
        out = {}
        for key in self.keys:
            x, y, width = *rng.uniform(0, self.size, 2).tolist(), rng.uniform(1, self.size / 3)
            light = np.exp(-((steps[:, None] - y) ** 2 + (steps[None] - x) ** 2) / (2 * width**2))
            out[key] = (light[None] * rng.uniform(0, 255, (3, 1, 1))).astype(np.uint8)
        return out


@frozen
class Blobs(Dataset):
    """Small pictures without files."""

    num: int = 96
    size: int = 16
    keys: tuple[str, ...] = ("x",)

    def provides(self) -> dict[str, Field]:
        return {key: Field((3, self.size, self.size), pixels=True) for key in self.keys}

    def open(self) -> Examples:
        return Examples(self.num, self.size, self.keys)


def tiny_nets(width: int = 4, **options: object) -> dict[str, object]:
    """The DCGAN nets, as small as they get."""
    return {
        "G": use("dcgan.generator", width=width, **options),
        "D": use("dcgan.discriminator", width=width, **options),
    }
