"""CycleGAN: two players with four nets, image pools, D on G's batch, micro-batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from attrs import field, frozen
from torch import nn

from ganskit import Adam, Architecture, Batch, Field, Game, Nets, Optimizer, Player, Recipe, Shape, Turn, use

from toys import Blobs


@frozen
class CycleGAN(Game):
    """Zhu 2017, eq. 3: L_GAN(G, D_Y) + L_GAN(F, D_X) + weight L_cyc(G, F), with least squares (section 4)."""

    weight: float = 10.0
    opt: Optimizer = field(factory=Adam)

    def players(self) -> dict[str, Player]:
        return {"G": Player(("G_ab", "G_ba"), self.opt), "D": Player(("D_a", "D_b"), self.opt)}

    def turns(self, stage: Any) -> Sequence[Turn]:
        return (Turn("G", self.g_loss), Turn("D", self.d_loss, reuse=True))

    def needs(self) -> tuple[str, ...]:
        return ("a", "b")

    def conditions(self) -> tuple[str, ...]:
        return ("a",)

    def shapes(self, provides: Mapping[str, Field]) -> dict[str, Shape]:
        a, b = provides["a"].shape, provides["b"].shape
        judged = {"D_a": Shape(a, (1,)), "D_b": Shape(b, (1,)), "pool_a": Shape(a, a), "pool_b": Shape(b, b)}
        return {"G_ab": Shape(a, b), "G_ba": Shape(b, a)} | judged

    def g_loss(self, nets: Nets, b: Batch) -> dict[str, torch.Tensor]:
        fake_b, fake_a = nets.G_ab(b.a), nets.G_ba(b.b)
        b.keep(fake_a=fake_a, fake_b=fake_b)
        cycle = F.l1_loss(nets.G_ba(fake_b).float(), b.a) + F.l1_loss(nets.G_ab(fake_a).float(), b.b)
        fooled = sum(((nets[d](fake).float() - 1) ** 2).mean() for d, fake in (("D_a", fake_a), ("D_b", fake_b)))
        return {"fake": fooled, "cycle": self.weight * cycle}

    def d_loss(self, nets: Nets, b: Batch) -> dict[str, torch.Tensor]:
        loss = {}
        for side in "ab":
            d, real, fake = nets[f"D_{side}"], getattr(b, side), nets[f"pool_{side}"](getattr(b, f"fake_{side}"))
            loss[side] = (((d(real).float() - 1) ** 2).mean() + (d(fake).float() ** 2).mean()) / 2
        return loss

    def sample(self, nets: Nets, b: Batch) -> torch.Tensor:
        return nets.G_ab(b.a)


@frozen
class Translator(Architecture):
    def build(self, shape: Shape) -> nn.Module:
        convs = nn.Conv2d(shape.input[0], 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, shape.output[0], 3, padding=1), nn.Tanh()
        return nn.Sequential(*convs)


@frozen
class Pool(Architecture):
    """Zhu 2017, section 4: "a history of generated images rather than the ones produced by the latest generators"."""

    size: int = 6

    def build(self, shape: Shape) -> nn.Module:
        return PoolNet(self.size, shape.input)


class PoolNet(nn.Module):
    rank_local = True

    def __init__(self, size: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("images", torch.zeros(size, *shape))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = []
        for image in x.float():
            if self.count < len(self.images):
                self.images[self.count] = image
                self.count += 1
                out.append(image)
            elif torch.rand(()) < 0.5:
                place = int(torch.randint(len(self.images), ()))
                out.append(self.images[place].clone())
                self.images[place] = image
            else:
                out.append(image)
        return torch.stack(out)


def recipe() -> Recipe:
    """Two micro-batches of four."""
    d = use("dcgan.discriminator", width=4, norm="none")
    nets = {"G_ab": Translator(), "G_ba": Translator(), "D_a": d, "D_b": d, "pool_a": Pool(), "pool_b": Pool()}
    return Recipe(
        name="cyclegan", game=CycleGAN(), nets=nets, data=Blobs(keys=("a", "b")), batch_size=8, accumulate=2, samples=8 * 6
    )
