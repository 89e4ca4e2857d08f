"""The purely supervised CNN with the discriminator's architecture."""

from __future__ import annotations

import sys
from pathlib import Path

import filelock
import numpy as np
import pytest
from attrs import frozen
from labelled import Halves, HalvesSource, model

from ganskit import Field, UserError
from ganskit.data.home import data_home
from ganskit.dcgan.forget import Forget
from ganskit.evaluate import supervised
from ganskit.evaluate.evaluation import measured
from ganskit.evaluate.kmeans import KMeansFeatures
from ganskit.evaluate.supervised import Supervised
from ganskit.evaluate.svm.evaluator import Svm

SMALL = {"per_class": 8, "trials": 3, "epochs": 4}


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path))


def test_it_searches_at_random_and_tests_the_best() -> None:
    result = measured(Supervised(**SMALL), model())
    trials = result.details["trials"]
    assert len(trials) == 3
    assert result.numbers["validation_error"] == min(trial["validation_error"] for trial in trials)
    assert 0 <= result.numbers["error"] <= 100
    assert len({trial["lr"] for trial in trials}) == 3
    assert all(1e-4 <= trial["lr"] <= 1e-2 and trial["epochs"] <= 4 for trial in trials)


def test_an_interrupted_search_goes_on_as_if_it_had_not_been(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("GANSKIT_DATA", f"{tmp_path}/whole")
    whole = measured(Supervised(**SMALL), model())
    monkeypatch.setenv("GANSKIT_DATA", f"{tmp_path}/parts")
    asked = supervised._settings

    def interrupted(trial: object, epochs: int) -> object:
        if trial.number == 2:
            raise KeyboardInterrupt
        return asked(trial, epochs)

    monkeypatch.setattr(supervised, "_settings", interrupted)
    with pytest.raises(KeyboardInterrupt):
        measured(Supervised(**SMALL), model())
    monkeypatch.setattr(supervised, "_settings", asked)
    drawn = []
    monkeypatch.setattr(supervised, "_settings", lambda trial, epochs: drawn.append(trial.number) or asked(trial, epochs))
    rest = measured(Supervised(**SMALL), model())
    assert len(drawn) == 1  # two were kept
    assert rest.numbers == whole.numbers
    assert rest.details == whole.details


@pytest.mark.parametrize("damage", [b'{"op_code": 4, "wor', b"\xff\xfe\n", b"[" * 100_000 + b"\n", None])
def test_half_a_line_costs_no_more_than_its_trial(damage: bytes | None) -> None:
    whole = measured(Supervised(**SMALL), model())
    (journal,) = (data_home() / "studies").glob("*.jsonl")
    for _ in range(2):  # and what follows is no worse
        data = journal.read_bytes()
        journal.write_bytes(data[:-20] if damage is None else data + damage)
        again = measured(Supervised(**SMALL), model())
        assert (again.numbers, again.details) == (whole.numbers, whole.details)


def test_two_searches_for_the_same_take_turns(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Or trial i would be one's draw and the other's seed."""
    trained, waits = supervised.Supervised._trained, []

    def while_training(*arguments: object) -> object:
        if not waits:  # at last the best is trained for the test, when the search is over
            (file,) = (each for each in (tmp_path / "studies").glob("*.lock") if ".jsonl" not in each.name)
            with pytest.raises(filelock.Timeout):
                filelock.FileLock(file).acquire(timeout=0)
            waits.append(file)
        return trained(*arguments)

    monkeypatch.setattr(supervised.Supervised, "_trained", while_training)
    measured(Supervised(**{**SMALL, "trials": 1}), model())
    assert waits


def test_more_trials_add_to_those_there_are_and_other_settings_do_not() -> None:
    first = measured(Supervised(**{**SMALL, "trials": 1}), model())
    second = measured(Supervised(**{**SMALL, "trials": 2}), model())
    assert second.details["trials"][0] == first.details["trials"][0]
    measured(Supervised(**{**SMALL, "trials": 1, "seed": 1}), model())
    assert len(list((data_home() / "studies").glob("*.jsonl"))) == 2


@frozen
class TwoLabels(Halves):
    def provides(self) -> dict[str, Field]:
        return super().provides() | {"half": Field((), "int64")}

    def open(self) -> TwoLabelsSource:
        return TwoLabelsSource(self)


class TwoLabelsSource(HalvesSource):
    def read(self, index: int) -> dict[str, np.ndarray]:
        return super().read(index) | {"half": np.int64(index % 2).reshape(())}


def test_another_label_is_another_search() -> None:
    of_y, of_half = (measured(Supervised(**SMALL, label=label), model(TwoLabels())) for label in ("y", "half"))
    assert len(list((data_home() / "studies").glob("*.jsonl"))) == 2
    assert of_y.details["trials"] != of_half.details["trials"]


def test_what_it_needs() -> None:
    with pytest.raises(UserError, match='no net "Q", only'):
        measured(Supervised(**SMALL, net="Q"), model())
    with pytest.raises(UserError, match="200 examples of each class"):
        measured(Supervised(**{**SMALL, "per_class": 200}), model())


def test_without_optuna_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UserError, match=r"ganskit\[eval\]"):
        measured(Supervised(**SMALL), model())


@pytest.mark.parametrize("evaluator", [Supervised, Svm, KMeansFeatures, Forget])
def test_seeds_that_no_generator_takes(evaluator: type) -> None:
    for seed in (2**32, -1, 1.5, True):
        with pytest.raises(UserError, match=r"seed is .*, expected a whole number from 0 to 4,294,967,295"):
            evaluator(seed=seed)
    assert evaluator(seed=2**32 - 1).seed == 2**32 - 1
