"""Progressive growing: stages with their own resolution and batch size, and a fade-in between them."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from attrs import frozen
from torch import nn

from ganskit import Architecture, Batch, Nets, Recipe, Shape, Stage, TwoPlayer

from toys import Blobs

LEVELS = (4, 8, 16)


@frozen
class Level(Stage):
    """A resolution."""

    resolution: int = 4


@frozen
class Growing(TwoPlayer):
    """Karras 2018, section 2: a new resolution every `step` samples, faded in over half of them."""

    step: int = 64

    def stage(self, samples: int) -> Level:
        level = min(samples // self.step, len(LEVELS) - 1)
        return Level(batch_size=(16, 8, 8)[level], reset_optimizers=True, resolution=LEVELS[level])

    def scalars(self, samples: int) -> dict[str, float]:
        return {"alpha": min(2 * (samples % self.step) / self.step, 1.0) if samples >= self.step else 1.0}

    def generate(self, nets: Nets, b: Batch) -> torch.Tensor:
        return nets.G(b.z, b.stage.resolution, b.alpha)

    def judge(self, nets: Nets, x: torch.Tensor, b: Batch) -> torch.Tensor:
        x = F.adaptive_avg_pool2d(x, b.stage.resolution)
        return nets.D(x, b.stage.resolution, b.alpha).float()


@frozen
class GrowingG(Architecture):
    def build(self, shape: Shape) -> nn.Module:
        return GNet(shape.input[0])


@frozen
class GrowingD(Architecture):
    def build(self, shape: Shape) -> nn.Module:
        return DNet()


class GNet(nn.Module):
    def __init__(self, z: int, width: int = 8) -> None:
        super().__init__()
        self.first = nn.Linear(z, width * 16)
        self.convs = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in LEVELS[1:])
        self.to_rgb = nn.ModuleList(nn.Conv2d(width, 3, 1) for _ in LEVELS)

    def forward(self, z: torch.Tensor, resolution: int, alpha: torch.Tensor) -> torch.Tensor:
        h = self.first(z).view(len(z), -1, 4, 4)
        x = self.to_rgb[0](h)
        for conv, to_rgb in zip(self.convs[: LEVELS.index(resolution)], self.to_rgb[1:], strict=False):
            h = F.leaky_relu(conv(F.interpolate(h, scale_factor=2)), 0.2)
            before, x = F.interpolate(x, scale_factor=2), to_rgb(h)
        return torch.tanh(x if resolution == LEVELS[0] else torch.lerp(before.float(), x.float(), alpha))


class DNet(nn.Module):
    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.from_rgb = nn.ModuleList(nn.Conv2d(3, width, 1) for _ in LEVELS)
        self.convs = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in LEVELS[1:])
        self.last = nn.Linear(width * 16, 1)

    def forward(self, x: torch.Tensor, resolution: int, alpha: torch.Tensor) -> torch.Tensor:
        level = LEVELS.index(resolution)
        h = self.from_rgb[level](x)
        for i in range(level, 0, -1):
            h = F.avg_pool2d(F.leaky_relu(self.convs[i - 1](h), 0.2), 2)
            if i == level:
                h = torch.lerp(self.from_rgb[i - 1](F.avg_pool2d(x, 2)).float(), h.float(), alpha)
        return self.last(h.flatten(1))


def recipe() -> Recipe:
    """Three levels, of 64 samples each but the last."""
    nets: dict[str, Any] = {"G": GrowingG(), "D": GrowingD()}
    return Recipe(name="progan", game=Growing(), nets=nets, data=Blobs(), batch_size=16, samples=192, ema=0.9)
