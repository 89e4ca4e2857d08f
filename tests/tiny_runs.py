"""Small runs for the tests: a recipe, and what a run left behind."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from attrs import evolve
from safetensors.torch import load_file

import ganskit as package
from ganskit import Recipe, TwoPlayer
from ganskit.engine import checkpoint as checkpoints

from toys import Blobs, tiny_nets

BATCH = 8


ROUND = 2 * BATCH


def tiny(rounds: int = 6, **changes: object) -> Recipe:
    recipe = Recipe(
        name="tiny", game=TwoPlayer(), nets=tiny_nets(), data=Blobs(), batch_size=BATCH, samples=rounds * ROUND,
        precision="fp32", log_every=1, checkpoint_every=2,
    )  # fmt: skip
    return evolve(recipe, **changes)


def run(recipe: Recipe, out: Path, **options: object) -> Path:
    return package.run(recipe, out=out, device="cpu", progress=False, **options)


def state(run_path: Path) -> dict[str, torch.Tensor]:
    return load_file(checkpoints.files(run_path / "checkpoints")[-1])


def differing(one: Path, other: Path) -> list[str]:
    """Names of tensors that are not bit by bit the same in the newest checkpoints."""
    a, b = state(one), state(other)
    assert a.keys() == b.keys()
    return [name for name in a if not torch.equal(a[name], b[name])]


def metrics(run_path: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run_path / "metrics.jsonl").read_text().splitlines()]


def grids(run_path: Path) -> list[int]:
    return sorted(int(file.stem) for file in (run_path / "samples").glob("*.png"))


def numbers(run_path: Path) -> list[int]:
    return [int(file.stem) for file in checkpoints.files(run_path / "checkpoints")]


def flip_a_byte(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of six rounds that nobody may change."""
    return run(tiny(), tmp_path_factory.mktemp("runs") / "finished")


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """One that may be changed."""
    return Path(shutil.copytree(finished, tmp_path / "copy"))
