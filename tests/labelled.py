"""Small labelled pictures, and a model that was hardly trained on them."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from attrs import evolve, field, frozen

from ganskit import Dataset, Field, Model, Noise, Recipe, TwoPlayer, build_nets, use
from ganskit.validators import one_of

NAMES = ("upper", "lower", "left", "right")


@frozen
class Halves(Dataset):
    """Grey noise, brighter in one half: which one is the class. Picture i is a pure function of the split and i."""

    split: str = field(default="train", validator=one_of("train", "test"))
    num: int = 120
    size: int = 16
    named: bool = True
    rare: bool = False
    splits: ClassVar[tuple[str, ...]] = ("train", "test")

    def provides(self) -> dict[str, Field]:
        label = Field((), "int64", classes=NAMES if self.named else ())
        return {"x": Field((3, self.size, self.size), pixels=True), "y": label, "weight": Field((), "float32")}

    def open(self) -> HalvesSource:
        return HalvesSource(self)


class HalvesSource:
    def __init__(self, data: Halves) -> None:
        self.data = data
        self.fingerprint = f"halves 1 {data.split}"

    def __len__(self) -> int:
        return self.data.num

    def name(self, index: int) -> str:
        return f"picture {index}"

    def read(self, index: int) -> dict[str, np.ndarray]:
        rng = np.random.default_rng([index, self.data.split == "test"])
        x = rng.integers(60, 160, (3, self.data.size, self.data.size)).astype(np.uint8)
        y = 0 if self.data.rare and index % 5 else index % 4
        first, second, both = slice(self.data.size // 2), slice(self.data.size // 2, None), slice(None)
        rows, columns = ((first, both), (second, both), (both, first), (both, second))[y]
        x[:, rows, columns] += 30
        return {"x": x, "y": np.int64(y).reshape(()), "weight": np.float32(0.5).reshape(())}


def recipe(data: Dataset | None = None, **discriminator: object) -> Recipe:
    nets = {"G": use("dcgan.generator", width=4), "D": use("dcgan.discriminator", **{"width": 4, **discriminator})}
    game = TwoPlayer(noise=Noise(8))
    return Recipe(name="halves", game=game, nets=nets, data=data or Halves(), batch_size=8, samples=16, precision="fp32")


def model(data: Dataset | None = None, **changes: object) -> Model:
    """Untrained, on the CPU."""
    chosen = evolve(recipe(data), **changes)
    return Model(chosen, build_nets(chosen, chosen.data.provides()), 16, torch.device("cpu"))
