"""Stacked MNIST, from idx files that the tests write, and how many of its modes a generator covers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from drawn_digits import write_digits
from tiny_runs import tiny

import ganskit
from ganskit import UserError, evolve
from ganskit.conformance import checks
from ganskit.data.mnist import Mnist
from ganskit.data.prepare import prepare
from ganskit.data.stacked_mnist import StackedMnist, chosen
from ganskit.errors import BadData, DataNotFound
from ganskit.evaluate.evaluation import measured
from ganskit.evaluate.model import Model
from ganskit.evaluate.stacked_modes import StackedModes


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    write_digits(folder)
    return folder


def test_pictures_are_three_digits(files: Path) -> None:
    digits, labels = write_digits(files)
    data = StackedMnist(path=str(files), num=30, seed=4)
    source = data.open()
    assert (len(source), source.read(0)["x"].shape, source.read(0)["y"].dtype) == (30, (3, 32, 32), np.int64)
    for i in range(30):
        which, example = chosen(4, i, 200), source.read(i)
        assert example["y"] == int("".join(str(labels[each]) for each in which))
        assert np.array_equal(example["x"][:, 2:-2, 2:-2], digits[which])
    assert not source.read(0)["x"][:, :2].any(), "padded with zeros"
    assert data.provides()["y"].classes[37] == "037"


def test_a_picture_follows_from_seed_and_index(files: Path) -> None:
    few, many = (StackedMnist(path=str(files), num=num, size=28).open() for num in (5, 50))
    assert np.array_equal(few.read(3)["x"], many.read(3)["x"])
    other = StackedMnist(path=str(files), num=5, size=28, seed=1).open()
    assert [int(other.read(i)["y"]) for i in range(5)] != [int(few.read(i)["y"]) for i in range(5)]
    assert other.fingerprint != few.fingerprint
    part = many.part(10, 20)
    assert np.array_equal(part.read(3)["x"], many.read(13)["x"])
    assert len({tuple(chosen(0, i, 60_000)) for i in range(1000)}) == 1000


def test_the_dataset_conforms(files: Path) -> None:
    checks.deals(StackedMnist(path=str(files), num=10))


def test_its_store(files: Path) -> None:
    store = prepare(StackedMnist(path=str(files), num=600, size=28), workers=2)
    assert len(store) == 600
    assert len(store.gather(range(600))["y"].unique()) > 400


def test_missing_and_wrong_files(tmp_path: Path) -> None:
    with pytest.raises(DataNotFound, match="train-images"):
        StackedMnist(path=str(tmp_path)).open()
    write_digits(tmp_path, num=20, num_classes=12)
    with pytest.raises(BadData, match="20 pictures and 20 labels up to 11: expected"):
        StackedMnist(path=str(tmp_path)).open()
    with pytest.raises(UserError, match="channels is 1"):
        StackedMnist(channels=1)


class Drawn:
    """A model of stacked digits whose samples are given."""

    shape = Model.shape

    def __init__(self, files: Path, x: torch.Tensor, **data: object) -> None:
        self.recipe = evolve(tiny(), data=StackedMnist(path=str(files), **({"num": 50} | data)))
        self.x, self.device = x, torch.device("cpu")

    def sample(self, num: int, seed: int = 0) -> torch.Tensor:
        return self.x[torch.arange(num) % len(self.x)]


def stacks(files: Path, num: int, **options: object) -> torch.Tensor:
    source = StackedMnist(path=str(files), num=num, size=28, **options).open()
    return torch.from_numpy(np.stack([source.read(i)["x"] for i in range(num)])).float() / 127.5 - 1


@pytest.fixture(scope="module")
def evaluator() -> StackedModes:
    """Trained for so long that it knows the drawn digits."""
    return StackedModes(num=2000, train_samples=3000, sure=0.5)


def test_true_stacks_cover_what_uniform_draws_cover(files: Path, evaluator: StackedModes) -> None:
    result = measured(evaluator, Drawn(files, stacks(files, 2000), size=28))
    expected = result.details["modes_of_uniform_draws"]
    assert expected == pytest.approx(1000 * (1 - np.exp(-2)), rel=1e-3)
    assert result.numbers["modes"] == pytest.approx(expected, abs=40)
    assert result.numbers["num_modes"] == 1000
    assert result.numbers["reverse_kl"] < 0.5
    assert result.numbers["high_quality"] > 0.9
    assert result.protocol["classifier"]["accuracy"] == 1.0
    json.dumps(dict(result.protocol))


def test_a_collapsed_generator(files: Path, evaluator: StackedModes) -> None:
    x = stacks(files, 1)
    result = measured(evaluator, Drawn(files, x, size=28))
    assert result.numbers["modes"] == 1
    assert result.numbers["reverse_kl"] == pytest.approx(np.log(1000))


def test_what_is_refused(files: Path, evaluator: StackedModes) -> None:
    model = Drawn(files, stacks(files, 1), size=28)
    with pytest.raises(UserError, match=r"stacked-modes: 999 samples cannot cover 1,000 modes. Set num to 1000 or more"):
        measured(evolve(evaluator, num=999), model)
    with pytest.raises(UserError, match=r"got digits of \(1, 32, 32\), and the model's channels are \(28, 28\)"):
        measured(evolve(evaluator, digits=Mnist(path=str(files))), model)
    model.recipe = evolve(model.recipe, data=ganskit.use("portraits", num_images=64, size=28))
    with pytest.raises(UserError, match="is on Portraits, and not on stacked-mnist: say what digits its channels are"):
        measured(evaluator, model)
    model.recipe = evolve(model.recipe, data=Mnist(path=str(files)))
    with pytest.raises(UserError, match=r"three channels, each a digit; those of this model are \(1, 32, 32\)"):
        measured(evaluator, model)


def test_of_a_run(files: Path, tmp_path: Path) -> None:
    """Any labelled pictures of the size will do."""
    recipe = evolve(tiny(rounds=2), data=StackedMnist(path=str(files), num=64, size=32))
    run = ganskit.run(recipe, out=tmp_path / "run", progress=False)
    evaluator = StackedModes(num=64, train_samples=64, digits=ganskit.use("portraits", num_images=64, size=32))
    result = ganskit.evaluate_run(run, evaluator, name="stacked", recipe=recipe)
    assert result.numbers["num_modes"] == 64
    assert (run / "evaluations/stacked/samples.png").is_file()
