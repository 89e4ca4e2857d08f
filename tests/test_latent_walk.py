"""Walking in the latent space: a generator that jumps, and one that does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from attrs import frozen
from PIL import Image
from torch import nn

import ganskit as package
from ganskit import Batch, Model, Nets, Noise, Recipe, TwoPlayer, UserError, build_nets, named
from ganskit.conformance.tiny import LABEL, PICTURE, TinyData, TinyNet
from ganskit.dcgan.latent_walk import LatentWalk, slerp
from ganskit.dcgan.nets import Discriminator
from ganskit.evaluate.evaluation import measured


@frozen
class OfClasses(TwoPlayer):
    """Samples are of a class."""

    def needs(self) -> tuple[str, ...]:
        return ("x", "y")

    def conditions(self) -> tuple[str, ...]:
        return ("y",)

    def generate(self, nets: Nets, b: Batch) -> torch.Tensor:
        return nets.G(b.z + b.y[:, None])


SMALL = {"rows": 3, "points": 4}


class Memoriser(nn.Module):
    """Shows the stored picture whose own z is nearest."""

    def __init__(self, num: int = 12, dim: int = 8) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.register_buffer("places", torch.rand(num, dim, generator=generator) * 2 - 1)
        self.register_buffer("pictures", torch.rand(num, 3, 8, 8, generator=generator) * 2 - 1)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.pictures[torch.cdist(z, self.places).argmin(1)]


class Smooth(Memoriser):
    """Mixes the same pictures, nearer ones more."""

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return torch.einsum("nk,kchw->nchw", torch.softmax(-4 * torch.cdist(z, self.places), 1), self.pictures)


class Steep(nn.Module):
    """Black on one side and white on the other, and a steep slope between them."""

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return torch.tanh(20 * z[:, :1])[:, :, None, None].expand(-1, 3, 8, 8)


def model(generator: nn.Module, game: TwoPlayer | None = None, data: TinyData | None = None) -> Model:
    nets = {"G": TinyNet(), "D": Discriminator(width=4)}
    game = game or TwoPlayer(noise=Noise(8))
    recipe = Recipe(name="walk", game=game, nets=nets, data=data or TinyData(), batch_size=4, samples=1, precision="fp32")
    built = build_nets(recipe, recipe.data.provides())
    return Model(recipe, Nets({"G": generator, "D": built["D"]}), 0, torch.device("cpu"))


@pytest.mark.parametrize("space", ["features", "pixels"])
def test_a_memoriser_is_told_from_a_smooth_generator(space: str) -> None:
    jumps = LatentWalk(space=space, **SMALL).evaluate(model(Memoriser())).numbers
    flows = LatentWalk(space=space, **SMALL).evaluate(model(Smooth())).numbers
    assert jumps["sharp_transitions"] >= 9
    assert jumps["sharp_stretches"] > 0.5
    assert jumps["median_step"] == 0
    assert jumps["largest_over_median"] == float("inf")
    assert flows["sharp_transitions"] == 0
    assert flows["largest_over_median"] < 10
    assert 1 / 16 < flows["largest_step"] < 0.5


def test_a_steep_slope_is_suspect_and_not_sharp() -> None:
    result = LatentWalk(space="pixels", steps=4, **SMALL).evaluate(model(Steep()))
    assert result.numbers["sharp_transitions"] == 0
    assert result.details["suspects"]
    assert all(each["halved"] < 0.5 < each["length"] for each in result.details["suspects"])
    without = LatentWalk(space="pixels", steps=4, halvings=0, **SMALL).evaluate(model(Steep()))
    assert without.numbers["sharp_transitions"] == len(result.details["suspects"])


def test_the_picture_has_the_papers_layout() -> None:
    it = model(Smooth())
    result = LatentWalk(rows=2, points=3, steps=8, shown=4).evaluate(it)
    picture = result.pictures["walk"]
    assert picture.columns == 9
    assert picture.x.shape == (18, 3, 8, 8)
    points = it.from_z(it.z(6))
    assert torch.equal(picture.x[[0, 4, 8, 9, 13, 17]], points), "every fourth picture is of a random point"
    assert [len(row) for row in result.details["steps"]] == [16, 16]
    assert result.plots["steps"].startswith("<svg")


def test_the_same_twice() -> None:
    it = model(Memoriser())
    first, second = (LatentWalk(**SMALL).evaluate(it) for _ in range(2))
    assert first.numbers == second.numbers
    assert LatentWalk(seed=1, **SMALL).evaluate(it).details != first.details


def test_slerp_keeps_to_the_sphere() -> None:
    generator = torch.Generator().manual_seed(0)
    a, b = torch.nn.functional.normalize(torch.randn(2, 5, 100, generator=generator), dim=-1)
    t = torch.linspace(0, 1, 7).view(-1, 1, 1)
    between = slerp(a, b, t)
    assert torch.allclose(between.norm(dim=-1), torch.ones(7, 5), atol=1e-5)
    assert torch.allclose(between[0], a, atol=1e-6)
    assert torch.allclose(between[-1], b, atol=1e-6)
    assert torch.allclose(slerp(a, a, t[3]), a, atol=1e-6)
    game = TwoPlayer(noise=Noise(8, "normal"))
    assert LatentWalk(path="slerp", **SMALL).evaluate(model(Smooth(), game)).protocol["path"] == "slerp"
    with pytest.raises(UserError, match='uniform noise: path "slerp" is for normal noise'):
        measured(LatentWalk(path="slerp"), model(Smooth()))


def test_a_label_is_held_on_the_walk() -> None:
    data = TinyData({"x": PICTURE, "y": LABEL})
    recipe = Recipe(
        name="classes",
        game=OfClasses(noise=Noise(8)),
        nets={"G": TinyNet(), "D": TinyNet()},
        data=data,
        samples=1,
        precision="fp32",
    )
    it = Model(recipe, build_nets(recipe, data.provides()), 0, torch.device("cpu"))
    result = LatentWalk(space="pixels", **SMALL).evaluate(it)
    assert result.protocol["label"] == 0
    assert result.numbers["sharp_transitions"] == 0
    with pytest.raises(UserError, match=r"no 2-d convolution(.|\n)*--set space=pixels"):
        LatentWalk(**SMALL).evaluate(it)


def test_what_cannot_be_walked() -> None:
    recipe = named("dcgan-dedup")
    data = TinyData({"x": package.Field((3, 32, 32), pixels=True)})
    nets = build_nets(package.evolve(recipe, data=data), data.provides())
    with pytest.raises(UserError, match="not make its samples from noise alone"):
        measured(LatentWalk(), Model(package.evolve(recipe, data=data), nets, 0, torch.device("cpu")))
    with pytest.raises(UserError, match='has no net "C", only G, D'):
        measured(LatentWalk(net="C", **SMALL), model(Smooth()))
    with pytest.raises(UserError, match='The net "G" of "walk" cannot be shown samples'):
        LatentWalk(net="G", **SMALL).evaluate(model(Smooth()))
    same = Memoriser(num=1)
    with pytest.raises(UserError, match="are all the same"):
        LatentWalk(**SMALL).evaluate(model(same))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"shown": 5}, "shown is 5: expected a divisor of steps, 16, such as 2"),
        ({"points": 1}, "points is 1"),
        ({"path": "sler"}, 'Did you mean "slerp"'),
        ({"space": "lpips"}, "features, pixels"),
    ],
)
def test_options_out_of_range(options: dict, says: str) -> None:
    with pytest.raises(UserError, match=says):
        LatentWalk(**options)


def test_points_in_a_plane_have_numbers_and_no_picture() -> None:
    data = TinyData({"x": package.Field((2,), "float32")})
    recipe = Recipe(
        name="plane",
        game=TwoPlayer(noise=Noise(8)),
        nets={"G": TinyNet(), "D": TinyNet()},
        data=data,
        samples=1,
        precision="fp32",
    )
    it = Model(recipe, build_nets(recipe, data.provides()), 0, torch.device("cpu"))
    result = LatentWalk(space="pixels", **SMALL).evaluate(it)
    assert not result.pictures
    assert result.numbers["way"] >= 0.5


def test_the_command(ganskit: Callable, tmp_path: Path) -> None:
    settings = ["samples=16", "batch_size=4", "data.size=16", "data.num_images=16", "nets.G.width=4", "nets.D.width=4"]
    run = package.run("dcgan-rooms", settings=settings, out=tmp_path / "run", progress=False)
    done = ganskit("eval", run, "latent-walk", "--set", "rows=2", "--set", "points=3", "--device", "cpu")
    assert done.code == 0, done.err
    assert "sharp_transitions" in done.out
    record = json.loads((run / "evaluations/latent-walk/result.json").read_text())
    assert record["evaluator"]["rows"] == 2
    with Image.open(run / "evaluations/latent-walk/walk.png") as picture:
        assert picture.size == (5 * 18 + 2, 2 * 18 + 2)


def test_a_walk_that_would_never_end_is_refused() -> None:
    with pytest.raises(UserError, match="rows x points x steps are 144,000,000,000 pictures: expected 10,000,000 at most"):
        LatentWalk(rows=1_000_000_000)
    with pytest.raises(UserError, match="halvings is 1,000,000,000: expected 20 at most"):
        LatentWalk(halvings=1_000_000_000)
