"""`--data`: what of a recipe's own data stays, and which stores are taken."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import samples_arrays
from data_samples import fill

from ganskit.data import Folder, Prepared, Store, Svhn
from ganskit.data.prepare import prepare
from ganskit.data.subset import leave_out
from ganskit.errors import DataNotFound, UserError
from ganskit.train import resolve


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path / "home"))
    return tmp_path / "home"


def test_the_recipes_own_dataset_keeps_its_split(tmp_path: Path) -> None:
    """Else dcgan-svhn would train on its validation set."""
    samples_arrays.write_svhn(tmp_path / "svhn", 3)
    for data in ("svhn", str(tmp_path / "svhn")):
        found = resolve("dcgan-svhn", data=data).data
        assert isinstance(found, Svhn)
        assert found.split == "train-without-validation"
    assert resolve("dcgan-svhn", data=str(tmp_path / "svhn")).data.path == str(tmp_path / "svhn")


def test_a_store_of_another_shape_is_refused(tmp_path: Path) -> None:
    store = prepare(Folder(path=str(fill(tmp_path / "pets", 3)), size=16))
    with pytest.raises(UserError, match=r"pictures of \(3, 16, 16\), and the recipe is for \(3, 64, 64\).*--set 'data="):
        resolve("dcgan-rooms", data=str(store.path))
    with pytest.raises(UserError, match="the recipe is for"):
        resolve("dcgan-rooms", data=store.path.name)
    settings = [f'data={{use = "store", path = "{store.path}"}}']
    assert resolve("dcgan-rooms", settings=settings).data.provides()["x"].shape == (3, 16, 16)
    right = prepare(Folder(path=str(tmp_path / "pets"), size=64))
    assert resolve("dcgan-rooms", data=right.path.name).data == Prepared.at(right.path)


def test_originals_that_were_deleted_are_not_missed_because_of_a_subset(home: Path) -> None:
    dataset = Folder(name="pets", size=8)
    store = prepare(Folder(name="pets", size=8)) if fill(home / "originals" / "pets", 5) else None
    assert store is not None
    shutil.rmtree(home / "originals")
    leave_out(store, [0], store.path.with_name(f"{store.path.name}-dedup8"), "test")
    assert prepare(dataset).path == store.path
    damaged = home / "stores" / "pets-damaged"
    damaged.mkdir()
    (damaged / "manifest.json").write_text("{")
    assert prepare(dataset).path == store.path
    with pytest.raises(DataNotFound):
        prepare(Folder(name="birds", size=8))


def test_one_damaged_store_does_not_hide_the_others(ganskit: Callable, home: Path, tmp_path: Path) -> None:
    store = prepare(Folder(path=str(fill(tmp_path / "pets", 5)), name="pets", size=8))
    shutil.copytree(store.path, store.path.with_name("pets-newer"))
    (store.path.with_name("pets-newer") / "manifest.json").write_text('{"format": 99}')
    done = ganskit("data", "info")
    assert done.code == 0
    assert f"{store.path}: 5 examples" in done.out
    assert "pets-newer/manifest.json has format 99; this ganskit reads up to" in done.out
    assert ganskit("data", "info", "folder").code == 0


def test_prepare_of_a_path_keeps_the_datasets_own_size(ganskit: Callable, tmp_path: Path) -> None:
    samples_arrays.write_svhn(tmp_path / "svhn", 3)
    done = ganskit("data", "prepare", tmp_path / "svhn")
    assert done.code == 0
    assert 'the dataset "svhn"' in done.out
    store = Store.open(next((tmp_path / "home" / "stores").glob("*/manifest.json")).parent)
    assert store.fields["x"].shape == (3, 32, 32)
    again = ganskit("data", "prepare", store.path, "--size", 16)
    assert again.code == 2
    assert "is a store already" in again.err


def test_long_names_are_cut(tmp_path: Path) -> None:
    store = prepare(Folder(path=str(fill(tmp_path / "data", 2)), name="x" * 250, size=8))
    assert len(store.path.name) < 100


def test_a_subset_never_takes_the_place_of_its_store(tmp_path: Path) -> None:
    store = prepare(Folder(path=str(fill(tmp_path / "data", 3)), size=8))
    with pytest.raises(UserError, match="is the store itself"):
        leave_out(store, [0], store.path, "test")
