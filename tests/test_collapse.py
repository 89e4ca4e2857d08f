"""Filters that collapsed: one is made to oscillate, one to be constant, one to copy another, and they are named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from attrs import frozen
from torch import nn

import ganskit as package
from ganskit import Architecture, Field, Model, Noise, Recipe, Shape, TwoPlayer, UserError, build_nets
from ganskit.conformance.tiny import TinyData, TinyNet
from ganskit.dcgan import collapse
from ganskit.dcgan.collapse import Collapse
from ganskit.dcgan.filters import Filters
from ganskit.dcgan.nets import Discriminator, Generator
from ganskit.evaluate.evaluation import measured

OSCILLATES, STILL, COPIES, OF = 2, 4, 7, 1
SMALL = {"num": 128}


class Sick(nn.Module):
    """A generator whose first convolution has filters that collapsed, where it is said so."""

    def __init__(self, sick: bool) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 4 * 16 * 16)
        self.conv = nn.Conv2d(4, 9, 5, 1, 2)
        self.out = nn.Conv2d(9, 3, 3, 1, 1)
        nn.init.zeros_(self.out.weight[:, OSCILLATES].detach())  # or the samples would oscillate, too
        self.sick = sick

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        h = self.conv(nn.functional.avg_pool2d(self.linear(z).view(-1, 4, 16, 16), 3, 1, 1))
        if self.sick:
            wave = torch.cos(2 * torch.pi * 3.4 * torch.arange(16) / 16).expand(16, 16)  # of no whole number of periods
            wave = wave * (1 + z[:, :1, None]) + 0.05 * h[:, OSCILLATES]
            h = h.clone()
            h[:, OSCILLATES] = wave
            h[:, STILL] = 0.7
            h[:, COPIES] = -2 * h[:, OF] + 1
        return torch.tanh(self.out(nn.functional.leaky_relu(h, 1.0)))


@frozen
class Sickly(Architecture):
    sick: bool = True

    def build(self, shape: Shape) -> nn.Module:
        return Sick(self.sick)


def model(data: TinyData | None = None, **nets: Architecture) -> Model:
    data = data or TinyData({"x": Field((3, 16, 16), pixels=True)})
    nets = {"G": Sickly(), "D": Discriminator(width=8)} | nets
    recipe = Recipe(name="sick", game=TwoPlayer(noise=Noise(8)), nets=nets, data=data, batch_size=4, samples=1, precision="fp32")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Model(recipe, build_nets(recipe, data.provides()), 0, torch.device("cpu"))


def test_another_seed_looks_at_other_samples_and_at_no_more_than_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[torch.Tensor] = []
    batch = collapse._Made.batch
    monkeypatch.setattr(collapse._Made, "batch", lambda made, i: looked.append(batch(made, i)[0]) or batch(made, i))
    ours = model()
    for seed in (0, 1):
        result = measured(Collapse(num=130, seed=seed, judges=()), ours)
        assert result.protocol["samples"] == 130
    first, second = torch.cat(looked[:3]), torch.cat(looked[4:7])  # the fourth is for the picture
    assert torch.equal(first[:130], ours.sample(130, 0))
    assert not any(torch.equal(a, b) for a in first.split(64) for b in second.split(64))


def flagged(result: package.Result, layer: str) -> dict[int, dict]:
    (found,) = (each for each in result.details["layers"] if each["layer"] == layer)
    return {each["filter"]: each for each in found["flagged"]}


def test_filters_that_collapsed_are_found_and_named() -> None:
    result = Collapse(judges=(), **SMALL).evaluate(model())
    found = flagged(result, "G.conv")
    assert set(found) == {OSCILLATES, STILL, COPIES}
    assert set(found[OSCILLATES]) == {"filter", "oscillating"}
    assert found[OSCILLATES]["oscillating"]["periods"] == [0, 3]
    assert found[OSCILLATES]["oscillating"]["share"] > 0.8
    assert "constant" in found[STILL]
    assert found[COPIES]["copy"] == {"of": OF, "correlation": 1.0}
    assert result.numbers["collapsed[G.conv]"] == pytest.approx(3 / 9)
    assert result.numbers["collapsed"] == pytest.approx(3 / 12)
    assert result.numbers["oscillating"] == result.numbers["constant"] == result.numbers["copy"] == pytest.approx(1 / 12)
    assert "diversity_real" not in result.numbers
    picture = result.pictures["flagged"]
    assert picture.x.shape == (3 * 8, 1, 64, 64)
    assert f"G.conv {OSCILLATES} (oscillating)" in picture.caption


def test_a_healthy_net_is_left_in_peace() -> None:
    result = Collapse(**SMALL | {"num": 64}).evaluate(model(G=Sickly(sick=False)))
    assert result.numbers["collapsed"] == 0
    assert result.pictures == {}
    assert [each["layer"] for each in result.details["layers"]] == ["G.conv", "G.out", "D.blocks.0.0", "D.blocks.1.0"]
    assert 0 < result.numbers["lowest_rank"] <= 1
    assert result.numbers["diversity_real"] > result.numbers["diversity"] > 0


def test_the_papers_nets() -> None:
    result = Collapse(num=64).evaluate(model(G=Generator(width=4)))
    assert [each["filters"] for each in result.details["layers"]] == [4, 3, 8, 16]
    assert result.numbers == Collapse(num=64).evaluate(model(G=Generator(width=4))).numbers


def test_dead_filters_of_a_judge() -> None:
    it = model(G=TinyNet(), D=Discriminator(width=8, slope=0.0))
    with torch.no_grad():
        it.nets["D"].blocks[1][0].weight[5:7] = 0
        it.nets["D"].blocks[1][1].bias[5:7] = -1
    result = Collapse(num=64).evaluate(it)
    assert set(flagged(result, "D.blocks.1.0")) == {5, 6}
    assert all("constant" in each for each in flagged(result, "D.blocks.1.0").values())


def test_the_same_for_every_z_is_constant() -> None:
    """A pattern with much structure, of which nothing depends on the sample."""
    filters = Filters(2, (8, 8))
    generator = torch.Generator().manual_seed(0)
    pattern = torch.randn(8, 8, generator=generator)
    for _ in range(3):
        filters.add(torch.stack([pattern.expand(32, 8, 8), torch.randn(32, 8, 8, generator=generator)], 1))
    found = filters.flags(0.01, 0.99, 0.5)
    assert set(found) == {0}
    assert set(found[0]) == {"constant"}


def test_effective_rank() -> None:
    generator = torch.Generator().manual_seed(0)
    base = torch.randn(256, 2, 8, 8, generator=generator)
    filters = Filters(6, (8, 8))
    filters.add(base[:, [0, 0, 0, 1, 1, 1]])
    assert filters.rank == pytest.approx(2, abs=0.01)
    apart = Filters(6, (8, 8))
    apart.add(torch.randn(256, 6, 8, 8, generator=generator))
    assert apart.rank == pytest.approx(6, abs=0.05)
    dead = Filters(3, (4, 4))
    dead.add(torch.zeros(4, 3, 4, 4))
    assert dead.rank == 0
    assert set(dead.flags(0.01, 0.99, 0.5)) == {0, 1, 2}


@pytest.mark.parametrize("side", [8, 16, 32])
def test_noise_and_slopes_are_no_oscillation(side: int) -> None:
    generator = torch.Generator().manual_seed(0)
    smooth = nn.functional.interpolate(torch.randn(64, 3, 4, 4, generator=generator), size=side, mode="bicubic")
    slope = torch.linspace(-1, 1, side).expand(64, 1, side, side) * torch.rand(64, 1, 1, 1, generator=generator)
    filters = Filters(5, (side, side))
    filters.add(torch.cat([torch.randn(64, 1, side, side, generator=generator), smooth, slope], 1))
    assert filters.flags(0.01, 0.99, 0.5) == {}
    checks = (torch.arange(side)[:, None] + torch.arange(side)) % 2 * torch.rand(64, 1, 1, 1, generator=generator)
    filters = Filters(1, (side, side))
    filters.add(checks)
    assert filters.flags(0.01, 0.99, 0.5)[0]["oscillating"] == {"share": 1.0, "periods": [side // 2, side // 2]}


def test_what_cannot_be_looked_at() -> None:
    with pytest.raises(UserError, match="without 2-d convolutions"):
        Collapse(judges=()).evaluate(model(G=TinyNet()))
    with pytest.raises(UserError, match='has no net "E", only'):
        measured(Collapse(judges=("E",), num=64), model())
    with pytest.raises(UserError, match=r"512 real examples are asked for, and .* has 64: set num to at most that"):
        Collapse().evaluate(model())
    with pytest.raises(UserError, match=r"peak is 1\.5"):
        Collapse(peak=1.5)


def test_the_command(ganskit: Callable, tmp_path: Path) -> None:
    settings = ["samples=16", "batch_size=4", "data.size=16", "data.num_images=16", "nets.G.width=4", "nets.D.width=4"]
    run = package.run("dcgan-rooms", settings=settings, out=tmp_path / "run", progress=False)
    done = ganskit("eval", run, "collapse", "--set", "num=16", "--device", "cpu")
    assert done.code == 0, done.err
    assert "collapsed[G.out]" in done.out
    assert ganskit("eval", run, "collapse", "--set", "num=16", "--set", "judges=[]", "--device", "cpu").code == 0
    record = json.loads((run / "evaluations/collapse/result.json").read_text())
    assert [each["layer"] for each in record["details"]["layers"]] == ["G.blocks.0.0", "G.out"]
