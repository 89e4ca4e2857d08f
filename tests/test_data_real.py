"""The publishers' own files, where they are at hand: GANSKIT_REAL, or ~/.cache/ganskit-real."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from data_samples import NAMES

from ganskit.data import Cifar10, Dataset, Folder, Lsun, Mnist
from ganskit.data.prepare import prepare

REAL = Path(os.environ.get("GANSKIT_REAL", Path.home() / ".cache" / "ganskit-real"))

pytestmark = pytest.mark.real


@pytest.mark.parametrize(
    ("folder", "dataset", "num_examples"),
    [
        ("bedroom_val_lmdb", Lsun(path=str(REAL), split="val"), 300),
        ("celeba10k", Folder(path=str(REAL / "celeba10k"), size=32), 10_000),
        ("cifar-10-batches-bin", Cifar10(path=str(REAL), split="test"), 10_000),
        ("mnist", Mnist(path=str(REAL / "mnist"), split="test"), 10_000),
    ],
)
def test_real_files(folder: str, dataset: Dataset, num_examples: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every original is usable, and the pixels look like pictures and not like noise."""
    if not (REAL / folder).is_dir():
        pytest.skip(f"{REAL / folder} is not there")
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path))
    store = prepare(dataset)
    assert (len(store), store.manifest.num_skipped) == (num_examples, 0)
    batch = store.gather(range(0, num_examples, 10))
    x = batch["x"].float()
    assert (x[..., 1:] - x[..., :-1]).abs().mean() < 0.5 * x.std()
    if "y" in batch:
        assert sorted(set(batch["y"].tolist())) == list(range(len(NAMES)))
