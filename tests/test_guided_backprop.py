"""Guided backpropagation: the rule itself, and a unit whose cause is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from attrs import frozen
from PIL import Image
from torch import nn

import ganskit as package
from ganskit import Architecture, Field, Model, Noise, Recipe, Shape, TwoPlayer, UserError, build_nets
from ganskit.conformance.tiny import TinyData, TinyNet
from ganskit.dcgan.guided_backprop import Guided, GuidedBackprop, selectivity
from ganskit.dcgan.nets import Discriminator
from ganskit.evaluate.evaluation import measured

SMALL = {"num": 24, "top": 3, "units": 2}


def by_hand(x: torch.Tensor, weight: torch.Tensor, slope: float) -> torch.Tensor:
    """Gradients of two rectified layers, w2 . f(w1 x), by Springenberg's rule."""
    first = x @ weight.T
    second = F.leaky_relu(first, slope) @ weight.T
    back = torch.ones_like(second) * (second > 0)
    back = (back @ weight).clamp(min=0) * (first > 0)
    return back @ weight


@pytest.mark.parametrize("slope", [0.0, 0.2])
@pytest.mark.parametrize("in_place", [False, True])
def test_the_rule(slope: float, in_place: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(6, 6, generator=generator)
    x = torch.randn(5, 6, generator=generator, requires_grad=True)
    rectify = nn.LeakyReLU(slope, inplace=in_place) if slope else nn.ReLU(inplace=in_place)
    with Guided():
        out = rectify(rectify(x @ weight.T) @ weight.T)
    (gradient,) = torch.autograd.grad(out.sum(), x)
    assert torch.allclose(gradient, by_hand(x.detach(), weight, slope), atol=1e-5)
    plain = rectify(rectify(x @ weight.T) @ weight.T)
    assert torch.equal(out, plain), "what is computed is the same"
    (ordinary,) = torch.autograd.grad(plain.sum(), x)
    assert not torch.allclose(gradient, ordinary), "and outside nothing is guided"


@pytest.mark.parametrize("rectify", [F.relu, torch.relu, torch.Tensor.relu, F.elu, F.gelu, torch.relu_])
def test_functions_are_guided_like_modules(rectify: Callable) -> None:
    x = torch.tensor([-1.0, 2.0, 3.0], requires_grad=True)
    with Guided():
        out = rectify(x * 1)
    (gradient,) = torch.autograd.grad(out, x, torch.tensor([1.0, -1.0, 1.0]))
    assert gradient[:2].tolist() == [0, 0]
    assert gradient[2] > 0.9


def model(data: TinyData | None = None, **nets: Architecture) -> Model:
    data = data or TinyData({"x": Field((3, 16, 16), pixels=True)})
    nets = {"G": TinyNet(), "D": Discriminator(width=4)} | nets
    recipe = Recipe(name="looks", game=TwoPlayer(noise=Noise(8)), nets=nets, data=data, batch_size=4, samples=1, precision="fp32")
    return Model(recipe, build_nets(recipe, data.provides()), 0, torch.device("cpu"))


class Spot(nn.Module):
    """One unit that answers to brightness, through two convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv2d(3 if i == 0 else 1, 1, 3, 2, 1, bias=False) for i in range(2)])
        for conv in self.convs:
            nn.init.constant_(conv.weight, 0.1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for conv in self.convs:
            x = F.leaky_relu(conv(x), 0.2)
        return x.mean((1, 2, 3))[:, None]


@frozen
class Spots(Architecture):
    def build(self, shape: Shape) -> nn.Module:
        return Spot()


def test_the_patch_is_where_the_unit_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bright spot on dark ground: the strongest response comes from it, and nothing outside its field is shown."""
    it = model(D=Spots())
    x = torch.full((24, 3, 16, 16), -0.1)
    x[5, :, 9:12, 3:6] = 1.0
    monkeypatch.setattr(Model, "real", lambda *_, **__: {"x": x})
    result = GuidedBackprop(num=24, top=1, units=1).evaluate(it)
    assert result.details["trained"][0]["pictures"] == [5]
    patches = result.pictures["patches"]
    assert patches.columns == 3
    assert patches.x.shape[2] == patches.x.shape[3] == 63, "a field of 7x7, each pixel nine times as wide"
    assert (patches.x[2] == 1).any()
    guided = result.pictures["guided"].x[2]
    assert (guided > 0).any()
    assert guided.abs().max() <= 1
    assert (result.pictures["guided"].x[1] == 1).all(), "the gap"


def test_trained_stands_beside_random() -> None:
    result = GuidedBackprop(**SMALL).evaluate(model())
    assert {"trained_top_tenth", "random_top_tenth", "trained_entropy", "trained_selectivity"} <= set(result.numbers)
    assert all(0 <= value <= 1 for value in result.numbers.values())
    assert result.protocol["layer"] == "blocks.1.0"
    assert result.pictures["guided"].x.shape[0] == 2 * (2 * 3 + 1)
    assert len(result.details["trained"]) == 2
    chosen = GuidedBackprop(**SMALL | {"pick": "first", "layer": "blocks.0.0"}).evaluate(model())
    assert [unit["unit"] for unit in chosen.details["random"]] == [0, 1]
    strongest = GuidedBackprop(**SMALL | {"units": 8}).evaluate(model()).details["trained"]
    means = [sum(unit["responses"]) for unit in strongest]
    assert means == sorted(means, reverse=True)


def test_the_same_twice_and_nothing_is_changed() -> None:
    it = model()
    before = {name: tensor.clone() for name, tensor in it.nets.state_dict().items()}
    random = torch.random.get_rng_state()
    first, second = (GuidedBackprop(**SMALL).evaluate(it) for _ in range(2))
    assert first.numbers == second.numbers
    assert torch.equal(first.pictures["guided"].x, second.pictures["guided"].x)
    assert all(torch.equal(before[name], tensor) for name, tensor in it.nets.state_dict().items())
    assert torch.equal(random, torch.random.get_rng_state())


def test_selectivity() -> None:
    r = torch.zeros(10, 4)
    r[:, 0] = 2  # alike to all
    r[3, 1] = 5  # to one
    r[:, 2] = -1  # to none
    r[:5, 3] = 1
    assert torch.allclose(selectivity(r), torch.tensor([0, 1, 0, 0.5 / 0.9], dtype=torch.float64))


def test_what_cannot_be_looked_at() -> None:
    with pytest.raises(UserError, match=r'no layer "blocks.1.1"\. Did you mean "blocks.1.0"'):
        GuidedBackprop(layer="blocks.1.1", **SMALL).evaluate(model())
    with pytest.raises(UserError, match='The net "D" of "looks": TinyModule has no 2-d convolution'):
        GuidedBackprop(**SMALL).evaluate(model(D=TinyNet()))
    with pytest.raises(UserError, match='has no net "E", only'):
        measured(GuidedBackprop(net="E", **SMALL), model())
    with pytest.raises(UserError, match="cannot be shown samples"):
        GuidedBackprop(net="G", **SMALL).evaluate(model())
    with pytest.raises(UserError, match=r"2,000 real examples are asked for, and .* has 64: set num to at most that"):
        GuidedBackprop().evaluate(model())
    with pytest.raises(UserError, match="expected pictures"):
        measured(GuidedBackprop(**SMALL), model(TinyData({"x": Field((2,), "float32")}), D=TinyNet()))
    with pytest.raises(UserError, match="top is 8 of num = 4"):
        measured(GuidedBackprop(num=4), model())


def test_the_command(ganskit: Callable, tmp_path: Path) -> None:
    settings = ["samples=16", "batch_size=4", "data.size=16", "data.num_images=16", "nets.G.width=4", "nets.D.width=4"]
    run = package.run("dcgan-rooms", settings=settings, out=tmp_path / "run", progress=False)
    done = ganskit("eval", run, "guided-backprop", "--set", "num=12", "--set", "top=2", "--device", "cpu")
    assert done.code == 0, done.err
    assert "trained_selectivity" in done.out
    record = json.loads((run / "evaluations/guided-backprop/result.json").read_text())
    assert "left with random weights" in record["pictures"]["guided"]["caption"]
    with Image.open(run / "evaluations/guided-backprop/patches.png") as picture:
        assert picture.size[0] > picture.size[1] * 0.5
    wrong = ganskit("eval", run, "guided-backprop", "--set", "num=12", "--set", "layer=blocks.9.0", "--device", "cpu")
    assert wrong.code == 2
    assert 'has no layer "blocks.9.0"' in wrong.err
