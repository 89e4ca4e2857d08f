"""A generator whose pictures are known functions of z, and a classifier that reads them: what section 6 is tried on."""

from __future__ import annotations

import pytest
import torch
from attrs import field, frozen
from torch import nn

from ganskit import Architecture, Field, Model, Noise, Recipe, Shape, TwoPlayer, build_nets
from ganskit.conformance.tiny import PICTURE, TinyData, TinyNet

NAMES = ("smile", "man")
WITH_ATTRIBUTES = TinyData({"x": PICTURE, "attributes": Field((2,), "uint8", classes=NAMES)})


@frozen
class Halves(Architecture):
    """The left half of a picture is as bright as z[0], the right half as z[1]."""

    def build(self, shape: Shape) -> nn.Module:
        return HalvesNet(shape)


class HalvesNet(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape.output
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        x = (self.scale * z[:, :2]).tanh()
        return x[:, None, None].expand(-1, *self.shape[:2], -1).repeat_interleave(self.shape[2] // 2, dim=3)


@frozen
class Reader:
    """Left: smiling. Right: a man."""

    names: tuple[str, ...] = NAMES
    protocol: dict = field(factory=lambda: {"network": "reader"})

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        return 8 * x.mean((1, 2)).unflatten(1, (2, -1)).mean(2)


def model(data: TinyData = WITH_ATTRIBUTES, game: TwoPlayer | None = None, **nets: Architecture) -> Model:
    nets = {"G": Halves(), "D": TinyNet()} | nets
    recipe = Recipe(name="halves", game=game or TwoPlayer(noise=Noise(8)), nets=nets, data=data, samples=1, precision="fp32")
    return Model(recipe, build_nets(recipe, data.provides()), 0, torch.device("cpu"))


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has to be trained: the classifier of attributes reads the halves."""
    monkeypatch.setattr("ganskit.dcgan.exemplars.classifier", lambda *_, **__: Reader())
