"""Evaluating a run with an evaluator that a plugin brings."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from attrs import frozen
from PIL import Image

import ganskit
from ganskit import Evaluator, Model, Result, UserError
from ganskit.errors import RunFailed

import sabotage
from plugin_files import HOOK, install
from sabotage import ODD_RESULTS, Honest, Plain


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run."""
    settings = ["samples=64", "batch_size=4", "data.size=16", "data.num_images=16", "nets.G.width=4", "nets.D.width=4"]
    return ganskit.run("dcgan-rooms", settings=settings, out=tmp_path_factory.mktemp("runs") / "run", progress=False)


@pytest.fixture
def honest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A plugin with the evaluators of the sabotage module, in a process of its own."""
    import subprocess
    import sys

    entries = [f'    registry.evaluator("{name}", "sabotage:{name.capitalize()}", "A")\n' for name in ("honest", "empty")]
    install(tmp_path, "judge", HOOK + "".join(entries))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("GANSKIT_PLUGINS", "judge")

    def ganskit_command(*words: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ganskit", *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    return ganskit_command


def test_where_a_result_cannot_go(run: Path, tmp_path: Path) -> None:
    """It is said before anything is measured, and what is there stays."""
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    (copy / "evaluations").mkdir(exist_ok=True)
    (tmp_path / "elsewhere").mkdir()
    (copy / "evaluations/linked").symlink_to(tmp_path / "elsewhere")
    (copy / "evaluations/file").write_text("mine")
    for name in ("linked", "file"):
        with pytest.raises(UserError, match=f"evaluations/{name} is not a folder that ganskit made: move it away"):
            ganskit.evaluate_run(copy, Honest(num=4), name=name)
    assert (copy / "evaluations/file").read_text() == "mine"
    for name in ("", "a" * 101):
        with pytest.raises(UserError, match="cannot be kept under the name"):
            ganskit.evaluate_run(copy, Honest(num=4), name=name)


def test_where_nothing_may_be_written(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write everywhere, so that the system is asked in its place."""
    asked = []

    def measure(self: Honest, model: Model) -> Result:
        pytest.fail("it measured, and could not keep it")

    monkeypatch.setattr(os, "access", lambda place, mode: bool(asked.append((place, mode))))
    monkeypatch.setattr(Honest, "evaluate", measure)
    with pytest.raises(UserError, match=r"run may not be written to, and the result is to go there: allow it"):
        ganskit.evaluate_run(run, Honest(num=4))
    assert asked == [(run, os.W_OK)]


@frozen
class Tf32(Evaluator):
    """Whether convolutions may keep ten bits of each factor: while it looks, and while samples are made."""

    def evaluate(self, model: Model) -> Result:
        return Result({"allowed": float(torch.backends.cudnn.allow_tf32)})


def test_fp32_means_it(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    assert ganskit.evaluate_run(run, Tf32(), name="tf32").numbers == {"allowed": 0.0}
    assert torch.backends.cudnn.allow_tf32, "it is put back"


def test_an_evaluation_is_kept_in_the_run(run: Path) -> None:
    result = ganskit.evaluate_run(run, Honest(num=4), name="honest")
    record = json.loads((run / "evaluations/honest/result.json").read_text())
    assert record["numbers"] == dict(result.numbers)
    assert record["protocol"] == {"num": 4}
    assert record["samples"] == 64
    assert record["evaluator"]["num"] == 4
    with Image.open(run / "evaluations/honest/samples.png") as picture:
        assert picture.size == (38, 38)
    assert ganskit.evaluate_run(run, Honest(num=4), name="honest").numbers == result.numbers


def test_a_lack_of_memory_is_said_in_one_line(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def evaluate(self: Honest, model: ganskit.Model) -> None:
        raise MemoryError("2 TiB are asked for.")

    monkeypatch.setattr(Honest, "evaluate", evaluate)
    with pytest.raises(RunFailed, match=r"Out of memory: 2 TiB are asked for\. Measure fewer samples"):
        ganskit.evaluate_run(run, Honest(), name="large")


def test_numbers_without_pictures_are_kept(run: Path) -> None:
    ganskit.evaluate_run(run, Honest(), name="again")
    ganskit.evaluate_run(run, Plain(), name="again")
    assert [file.name for file in (run / "evaluations/again").iterdir()] == ["result.json"], "the earlier picture is gone"
    record = json.loads((run / "evaluations/again/result.json").read_text())
    assert record["numbers"] == {"one": 1.0, "worst": "inf"}
    assert record["ema"] is True
    assert set(record["plugins"]) == {"ganskit"}


@pytest.mark.parametrize("kind", ODD_RESULTS)
def test_a_result_that_cannot_be_kept_leaves_the_earlier_one(run: Path, kind: str) -> None:
    ganskit.evaluate_run(run, Plain(), name="kept")
    with pytest.raises(UserError, match=ODD_RESULTS[kind]):
        ganskit.evaluate_run(run, getattr(sabotage, kind)(), name="kept")
    assert (run / "evaluations/kept/result.json").exists()
    assert not (run.parent / "up.png").exists()


@pytest.mark.parametrize("name", ["../oops", "", "a/b", "a\\b", ".hidden"])
def test_a_name_that_is_no_folders(run: Path, name: str) -> None:
    with pytest.raises(UserError, match="An evaluation cannot be kept under the name"):
        ganskit.evaluate_run(run, Plain(), name=name or " ")


def test_real_examples_are_different_ones(run: Path) -> None:
    model = ganskit.load(run)
    assert len(model.real(16)["x"].unique(dim=0)) == 16
    with pytest.raises(UserError, match=r"17 real examples are asked for, and .* has 16: set num to at most that"):
        model.real(17)


def test_the_command(run: Path, honest) -> None:
    done = honest("eval", run, "honest", "--set", "num=6")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("distance")
    assert "result.json, samples.png" in done.stdout
    assert json.loads((run / "evaluations/honest/result.json").read_text())["evaluator"] == {"use": "honest", "num": 6}
    other = honest("eval", run, "honest", "--set", "num=4", "--name", "honest-4")
    assert f"{run / 'evaluations' / 'honest-4'}: result.json, samples.png" in other.stdout
    kept = [
        json.loads((run / f"evaluations/{name}/result.json").read_text())["evaluator"]["num"] for name in ("honest", "honest-4")
    ]
    assert kept == [6, 4]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["honesty"], 'There is no evaluator "honesty". Did you mean "honest"?'),
        (["honest", "--set", "nun=6"], 'Honest has no option "nun". Did you mean "num"?'),
        (["honest", "--name", "a/b"], 'An evaluation cannot be kept under the name "a/b"'),
        (["honest", "--checkpoint", "7"], "There is no checkpoint 7"),
        (["empty"], 'evaluator "empty" from judge cannot be loaded'),
    ],
)
def test_what_cannot_be_evaluated(run: Path, honest, words: list[str], says: str) -> None:
    done = honest("eval", run, *words)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_no_run(tmp_path: Path, honest) -> None:
    done = honest("eval", tmp_path, "honest")
    assert done.returncode == 2
    assert "is not a run directory" in done.stderr
