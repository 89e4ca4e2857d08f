"""The linear L2-SVM on a discriminator's features."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from labelled import Halves, model, recipe

import ganskit as package
from ganskit import Shape, UserError, use
from ganskit.data.prepared import Prepared
from ganskit.evaluate.evaluation import measured
from ganskit.evaluate.svm import extract
from ganskit.evaluate.svm.draws import Draws, sample
from ganskit.evaluate.svm.evaluator import Svm
from ganskit.evaluate.svm.extract import pooled

FEW = {"per_class": 5, "draws": 2, "test_draws": 3, "Cs": (1e-3, 1e-1)}


@pytest.mark.parametrize(
    ("size", "options", "width"), [(32, {"width": 8, "kernel": 3, "convs": 2}, 28_672 // 16), (32, {"width": 8}, 7_168 // 8)]
)
def test_features_are_all_layers_on_a_grid_of_4(size: int, options: dict[str, int], width: int) -> None:
    """At widths 128 and 64 they are the paper's 28,672 and 7,168."""
    net = use("dcgan.discriminator", **options).build(Shape((3, size, size), (1,)))
    x = torch.rand(5, 3, size, size)
    with torch.no_grad():
        found, maps = pooled(net, x), net.features(x)
    assert found.shape == (5, width)
    expected = [h.unflatten(2, (4, -1)).unflatten(4, (4, -1)).amax((3, 5)).flatten(1) for h in maps]
    assert torch.equal(found, torch.cat(expected, 1))


def test_what_is_bright_can_be_told_from_an_untrained_discriminators_features() -> None:
    result = measured(Svm(Cs=(1e-3, 1e-1)), model())
    assert result.numbers["accuracy"] > 80
    assert result.numbers["accuracy"] == pytest.approx(100 - result.numbers["error"])
    assert result.protocol["num_features"] == 4 * 16 + 8 * 16
    assert {name: part["examples"] for name, part in result.protocol["data"].items()} == {
        "train": 108,
        "validation": 12,
        "test": 120,
    }
    assert set(result.plots) == {"error-by-C", "confusion"}
    assert np.sum(result.details["confusion"]) == 120
    assert set(result.details["test_error_by_class"]) == {"upper", "lower", "left", "right"}


@pytest.mark.parametrize("per_class", [None, 5])
def test_both_solvers_give_the_same(per_class: int | None) -> None:
    options = {**FEW, "per_class": per_class}
    ours, theirs = (measured(Svm(solver=solver, **options), model()) for solver in ("torch", "sklearn"))
    assert ours.numbers == pytest.approx(theirs.numbers, abs=1.0)
    assert ours.numbers["C"] == theirs.numbers["C"]
    assert ours.details["validation_error_by_C"].keys() == theirs.details["validation_error_by_C"].keys()


def test_a_few_labels_many_times() -> None:
    result = measured(Svm(**FEW), model())
    assert result.numbers == measured(Svm(**FEW), model()).numbers
    errors = result.details["test_error_by_draw"]
    assert len(errors) == 3
    assert result.numbers["interval"] == pytest.approx(1.96 * np.std(errors), abs=1e-3)
    assert result.numbers["error"] == pytest.approx(np.mean(errors), abs=1e-3)
    by_c = {float(c): np.mean(each) for c, each in result.details["validation_error_by_C"].items()}
    assert result.numbers["C"] == min(by_c, key=by_c.__getitem__)
    assert np.sum(result.details["confusion"]) == 3 * 120
    assert measured(Svm(**FEW, seed=7), model()).details["test_error_by_draw"] != errors


def test_pixels_and_random_weights_for_comparison() -> None:
    pixels = measured(Svm(features="pixels", **FEW), model())
    assert pixels.protocol["num_features"] == 3 * 16 * 16
    trained = measured(Svm(**FEW), model())
    fresh = measured(Svm(features="random", **FEW), model())
    assert fresh.protocol["num_features"] == trained.protocol["num_features"]
    assert fresh.details != trained.details


def test_statistics_of_batch_norm_are_the_runs_or_the_labelled_datas() -> None:
    own = measured(Svm(**FEW), model())
    assert measured(Svm(**FEW, statistics="data"), model()).details == own.details  # the same data
    run, labelled = model(Halves(num=20, rare=True)), {"data": Halves()}
    assert measured(Svm(**FEW, **labelled, statistics="data"), run).details == own.details
    assert measured(Svm(**FEW, **labelled), run).details != own.details


def test_features_that_are_too_many_for_memory_lie_in_files_that_go(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = measured(Svm(Cs=(1e-3, 1e-2)), model())
    monkeypatch.setattr(extract, "IN_MEMORY", 50_000)
    monkeypatch.setattr(extract, "ROWS_PER_BLOCK", 32)
    again = measured(Svm(Cs=(1e-3, 1e-2)), model())
    assert again.numbers == pytest.approx(usual.numbers, abs=1.0)
    assert not list((extract.data_home() / "features").glob("svm-*"))


def test_a_dataset_without_splits_gives_a_tenth_each(tmp_path: Path) -> None:
    from ganskit.data.prepare import prepare

    stored = Prepared.at(prepare(Halves(num=200)).path)
    result = measured(Svm(data=stored, Cs=(1e-2,)), model())
    examples = {name: part["examples"] for name, part in result.protocol["data"].items()}
    assert examples == {"test": 20, "validation": 18, "train": 162}


class Python2(random.Random):
    """Python 2 drew numbers below n like this; the rest of `sample` is as it was."""

    def _randbelow(self, n: int) -> int:
        return int(self.random() * n)


@given(num=st.integers(1, 3000), share=st.floats(0, 1), seed=st.integers(0, 100))
def test_draws_are_python_2s(num: int, share: float, seed: int) -> None:
    """Small populations are a list that shrinks, of large ones it tries again."""
    count = int(share * num)
    assert sample(random.Random(seed), num, count) == Python2(seed).sample(range(num), count)


def test_draws_take_so_many_of_each_class_and_go_on() -> None:
    labels = np.arange(4000) % 4
    draws = Draws(labels, ("a", "b", "c", "d"), 100, 42)
    first, second = draws.next(), draws.next()
    assert (labels[first] == np.repeat(np.arange(4), 100)).all()
    assert len(set(first.tolist())) == 400
    assert not np.array_equal(first, second)


def test_too_few_of_a_class_are_named() -> None:
    with pytest.raises(UserError, match=r"fewer of lower \(\d+\), left .*Set per_class to \d+ at most"):
        measured(Svm(**{**FEW, "per_class": 20}), model(Halves(rare=True)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"net": "critic"}, 'no net "critic", only G, D'),
        ({"label": "weight"}, 'no label "weight", one whole number'),
        ({"label": "digit"}, 'no label "digit"'),
        ({"Cs": ()}, "Cs is"),
        ({"Cs": (float("nan"),)}, "Cs is"),
        ({"Cs": (float("inf"),)}, "Cs is"),
        ({"solver": "lbfgs"}, "solver is 'lbfgs'"),
        ({"features": "raw"}, "features is 'raw'"),
        ({"data": Halves(num=5, split="test")}, "too few to set a tenth aside"),
        ({"test": Halves(split="test", named=False)}, "classes of the test data are 0, 1, 2, 3, those of the training"),
    ],
)
def test_what_cannot_be_measured_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        measured(Svm(**{**FEW, **options}), model())


def test_a_discriminator_without_convolutions_is_refused() -> None:
    from ganskit.conformance.tiny import TinyNet

    nets = {**recipe().nets, "D": TinyNet()}
    with pytest.raises(UserError, match="no 2-d convolution"):
        measured(Svm(**FEW), model(nets=nets))


def test_on_the_command_line(ganskit: Callable, tmp_path: Path) -> None:
    drawn = 'data={use="portraits", size=32, num_images=80}'
    small = [drawn, "nets.G.width=8", "nets.D.width=8", "batch_size=8", "samples=16"]
    run = package.run("dcgan-svhn", settings=small, out=tmp_path / "run", device="cpu", progress=False)
    few = ["per_class=5", "draws=1", "test_draws=2", "Cs=[0.01]", "batches=2", drawn]
    done = ganskit("eval", run, "svm", "--device", "cpu", *(word for each in few for word in ("--set", each)))
    assert done.code == 0, done.err
    record = json.loads((run / "evaluations" / "svm" / "result.json").read_text())
    assert record["protocol"]["num_features"] == 7168 // 8
    assert f"{record['numbers']['error']:.6g}" in done.out
    assert (run / "evaluations" / "svm" / "confusion.svg").read_text().startswith("<svg")
