"""FID and its like on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import ganskit as package

FEW = ["--set", "num=4", "--set", "subset_size=2", "--set", "subsets=2"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run on data with labels."""
    settings = ["samples=64", "batch_size=4", "data.size=16", "data.num_images=64", "nets.G.width=4", "nets.D.width=4"]
    return package.run("dcgan-rooms", settings=settings, out=tmp_path_factory.mktemp("runs") / "run", progress=False)


def test_they_are_listed(ganskit) -> None:
    listed = ganskit("list", "evaluator").out
    for name in ("fid", "kid", "precision-recall", "inception-score", "ppl", "fd"):
        assert f"{name} " in listed


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["fid", "--set", "num=500"], "500 pictures do not determine a covariance of 2,048 dimensions"),
        (["kid", *FEW], "put it into"),
        (["ppl", "--set", "num=4"], "vgg16-397923af.pth (553.4 MB)"),
        (["kid", *FEW, "--set", "weights=nowhere.pth"], "The weights nowhere.pth cannot be read"),
        (["precision-recall", "--set", "network=vgg"], 'Did you mean "vgg16"?'),
    ],
)
def test_what_cannot_be_measured(
    ganskit, run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str], says: str
) -> None:
    monkeypatch.setenv("GANSKIT_OFFLINE", "1")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    done = ganskit("eval", run, *words)
    assert done.code == 2
    assert says in done.err
    assert not (run / "evaluations" / words[0]).exists()


def test_fd(ganskit, run: Path) -> None:
    done = ganskit("eval", run, "fd", *FEW, "--set", "allow_few=true", "--set", "train_samples=64")
    assert done.code == 0, done.err
    record = json.loads((run / "evaluations/fd/result.json").read_text())
    (name,) = (name for name in record["numbers"] if name.startswith("fd["))
    assert name in done.out
    assert record["protocol"]["allow_few"] is True
    assert record["protocol"]["extractor"]["name"] == name[3:-1]
