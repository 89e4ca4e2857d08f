"""Nearest training pictures: a generator that replays them, and one that does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import ganskit as package
from ganskit import Field, Model, Nets, Noise, Recipe, TwoPlayer, UserError, build_nets
from ganskit.conformance.tiny import TinyData, TinyNet
from ganskit.data.rooms import Rooms
from ganskit.engine.distributed import World
from ganskit.evaluate import memorise
from ganskit.evaluate.memorise import Memorise, nearer

ROOMS = Rooms(num_images=96, size=32)
FRESH = Rooms(num_images=64, size=32, seed=5)
SMALL = {"num": 32, "nearest": 3, "rows": 4, "coder_samples": 256 * 20}


class Replays(nn.Module):
    """Each z gives one of these pictures."""

    def __init__(self, pictures: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("pictures", pictures)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.pictures[(z[:, 0].abs() * 1e4).long() % len(self.pictures)]


def model(pictures: torch.Tensor | None = None, data: package.Dataset = ROOMS) -> Model:
    nets = {"G": TinyNet(), "D": TinyNet()}
    recipe = Recipe(
        name="replays", game=TwoPlayer(noise=Noise(8)), nets=nets, data=data, batch_size=4, samples=1, precision="fp32"
    )
    built = build_nets(recipe, data.provides())
    if pictures is not None:
        built = Nets({"G": Replays(pictures), "D": built["D"]})
    return Model(recipe, built, 0, torch.device("cpu"))


@pytest.fixture(scope="module")
def real() -> torch.Tensor:
    return model().real(96)["x"]


@pytest.fixture(scope="module", autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory):
    """What is trained here is used by all tests in here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANSKIT_DATA", str(tmp_path_factory.mktemp("data")))
        patch.chdir(tmp_path_factory.mktemp("cwd"))
        yield


def test_a_generator_that_replays_is_found_out(real: torch.Tensor) -> None:
    result = Memorise(held_out=FRESH, **SMALL).evaluate(model(real))
    assert result.numbers["median"] == result.numbers["least"] == 0
    assert result.numbers["duplicates"] == 1
    assert result.numbers["nearer"] > 0.95
    assert result.numbers["fresh_median"] > 0
    assert result.numbers["fresh_duplicates"] < 1
    picture = result.pictures["nearest"]
    assert picture.columns == 5
    rows = picture.x.unflatten(0, (4, 5))
    assert torch.allclose(rows[:, 0], rows[:, 2], atol=0.005), "right of the gap is the same picture from the store"
    assert (rows[:, 1] == 1).all()
    assert result.protocol["fresh"] == "held-out data"
    assert result.plots["distances"].startswith("<svg")


def test_a_generator_of_fresh_pictures_is_not_accused() -> None:
    """One whose pictures are real, and not of the training data."""
    fresh = model(data=Rooms(num_images=64, size=32, seed=9)).real(64)["x"]
    numbers = Memorise(held_out=FRESH, **SMALL).evaluate(model(fresh)).numbers
    assert 0.25 < numbers["nearer"] < 0.75
    assert numbers["median"] > 0


def test_without_held_out_data_training_pictures_stand_in(real: torch.Tensor) -> None:
    result = Memorise(**SMALL).evaluate(model(real))
    assert result.numbers["fresh_least"] > 0, "a picture is not compared with itself"
    assert result.numbers["nearer"] > 0.95
    assert "each compared with the others" in result.protocol["fresh"]


def test_samples_that_are_not_finite_are_noticed_before_minutes_of_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memorise, "kept", lambda *a, **b: pytest.fail("it was trained first"))
    with pytest.raises(UserError, match="samples that are not finite"):
        Memorise(**SMALL | {"coder_samples": 77}).evaluate(model(torch.full((1, 3, 32, 32), torch.nan)))


def test_the_autoencoder_is_trained_once(real: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Memorise(**SMALL).evaluate(model(real)).numbers
    monkeypatch.setattr(memorise, "kept", lambda *a, **b: pytest.fail("it was trained before"))
    assert Memorise(**SMALL).evaluate(model(real)).numbers == first


def test_several_processes_do_not_train_it(real: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Evaluations are the first process's alone: the others would wait for its rounds."""
    monkeypatch.setattr(World, "join", lambda: World(size=2))
    with pytest.raises(UserError, match="several processes cannot train it: evaluate once with one before"):
        Memorise(**SMALL | {"coder_samples": 78}).evaluate(model(real))


def test_a_run_that_is_there_is_used(real: torch.Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ganskit.dedup import recipe_for

    store = model().store()
    trained = package.run(recipe_for(store, 512), out=tmp_path / f"runs/dedup-{store.path.name}", device="cpu", progress=False)
    named_one = Memorise(**SMALL | {"coder": str(trained)}).evaluate(model(real)).protocol["coder"]
    assert named_one["samples"] == 512
    monkeypatch.chdir(tmp_path)
    found = Memorise(num=8, nearest=2).evaluate(model(real)).protocol["coder"]
    assert found == named_one, "`ganskit data dedup` left it there"


def test_what_is_too_small_or_no_picture(tmp_path: Path) -> None:
    for field, says in ((Field((3, 16, 16), pixels=True), "32x32 or more"), (Field((2,), "float32"), "has no pictures x")):
        with pytest.raises(UserError, match=says):
            Memorise(**SMALL).evaluate(model(data=TinyData({"x": field})))
    with pytest.raises(UserError, match=r"num is 1,000 and there are 96 training pictures"):
        Memorise().evaluate(model())
    with pytest.raises(UserError, match="these data are"):
        Memorise(held_out=Rooms(num_images=8, size=64)).check(model().recipe)
    with pytest.raises(UserError, match="nearest is 96 of 96"):
        Memorise(nearest=96).evaluate(model())
    with pytest.raises(UserError, match="radius is 40: expected 0 to 32"):
        Memorise(radius=40)
    with pytest.raises(UserError, match="not a run directory"):
        Memorise(num=8, coder=str(tmp_path)).check(model().recipe)
    other = package.save_run(model().recipe, model().nets, "other", tmp_path / "other")
    with pytest.raises(UserError, match=r"TinyNet|no run of dcgan-dedup"):
        Memorise(num=8, coder=str(other)).evaluate(model())


def test_the_statistic() -> None:
    near, far = np.array([1, 2, 2]), np.array([2, 5])
    assert nearer(near, far) == pytest.approx(sum((a < b) + (a == b) / 2 for a in near for b in far) / 6)
    assert nearer(far, far) == 0.5


def test_the_command(ganskit: Callable, tmp_path: Path) -> None:
    settings = ["samples=16", "batch_size=4", "data.size=32", "data.num_images=96", "nets.G.width=4", "nets.D.width=4"]
    run = package.run("dcgan-rooms", settings=settings, out=tmp_path / "run", progress=False)
    held_out = 'held_out={use="rooms", size=32, num_images=64, seed=5}'
    small = [word for key, value in SMALL.items() for word in ("--set", f"{key}={value}")]
    done = ganskit("eval", run, "memorise", "--set", held_out, *small, "--device", "cpu")
    assert done.code == 0, done.err
    assert "nearer" in done.out
    record = json.loads((run / "evaluations/memorise/result.json").read_text())
    assert record["evaluator"]["held_out"]["seed"] == 5
    assert {"nearest.png", "fresh.png", "distances.svg"} <= {file.name for file in (run / "evaluations/memorise").iterdir()}
