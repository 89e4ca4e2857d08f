"""Stores: as sequences, for DataLoaders, with examples left out, as datasets of recipes."""

from __future__ import annotations

import json
import os
import pickle  # what a DataLoader's worker process is sent with
from pathlib import Path

import numpy as np
import pytest
import torch
from attrs import evolve
from click.testing import CliRunner
from data_samples import fill, noise
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import ganskit.data
from ganskit.cli.data_ import command
from ganskit.data import Folder, Prepared, Store
from ganskit.data.plan import plan
from ganskit.data.prepare import prepare
from ganskit.data.subset import leave_out
from ganskit.errors import BadData, DataNotFound, UserError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    for label in ("cat", "dog"):
        fill(tmp_path / "pets" / label, 10, first=100 * (label == "dog"))
    return prepare(Folder(path=str(tmp_path / "pets"), name="pets", size=8, labels=True))


def test_a_store_is_a_sequence(store: Store) -> None:
    opened = ganskit.data.open(store.path.name)
    assert len(opened) == 20
    assert opened[-1]["y"] == 1
    assert opened[0]["x"].dtype == torch.uint8
    assert torch.equal(opened[3]["x"], store.gather([3])["x"][0])
    with pytest.raises(IndexError):
        opened[20]
    assert sum(1 for _ in opened) == 20
    for index in range(20):
        assert np.array_equal(store.arrays(index)["x"], opened[index]["x"].numpy())


@pytest.mark.parametrize("workers", [0, 2])
def test_a_store_in_a_plain_dataloader(store: Store, workers: int) -> None:
    loader = torch.utils.data.DataLoader(ganskit.data.open(store.path), batch_size=8, num_workers=workers)
    batches = list(loader)
    assert [tuple(batch["x"].shape) for batch in batches] == [(8, 3, 8, 8), (8, 3, 8, 8), (4, 3, 8, 8)]
    assert torch.equal(torch.cat([batch["x"] for batch in batches]), store.gather(range(20))["x"])
    assert torch.cat([batch["y"] for batch in batches]).tolist() == [0] * 10 + [1] * 10


def test_a_store_travels_to_another_process_without_its_tensors(store: Store) -> None:
    store.gather(range(20))
    sent = pickle.dumps(store)
    assert len(sent) < 1000
    assert torch.equal(pickle.loads(sent)[5]["x"], store[5]["x"])


def test_names_that_are_not_one_store(store: Store, tmp_path: Path) -> None:
    prepare(Folder(path=str(tmp_path / "pets"), name="pets", size=16))
    with pytest.raises(UserError, match='"pets" names several stores'):
        ganskit.data.open("pets")
    with pytest.raises(UserError, match="no complete store"):
        ganskit.data.open(tmp_path)


def test_statistics_are_those_of_all_pixels(store: Store) -> None:
    x = store.gather(range(20))["x"].double()
    found = store.manifest.statistics()["x"]
    assert found.mean == pytest.approx(x.mean((0, 2, 3)).tolist())
    assert found.std == pytest.approx(x.std((0, 2, 3), correction=0).tolist())
    some = leave_out(store, [0, 19], store.path.parent / "some", "test")
    x = x[1:19]
    found = some.manifest.statistics()["x"]
    assert found.mean == pytest.approx(x.mean((0, 2, 3)).tolist())
    assert found.std == pytest.approx(x.std((0, 2, 3), correction=0).tolist())


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 19), max_size=25), st.lists(st.integers(0, 5), max_size=3))
def test_leaving_out(tmp_path_factory: pytest.TempPathFactory, first: list[int], second: list[int]) -> None:
    """Also twice in a row: a subset of a subset."""
    folder = tmp_path_factory.mktemp("subset")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANSKIT_DATA", str(folder / "home"))
        whole = prepare(Folder(path=str(fill(folder / "data", 30)), size=8))
    expected = list(range(30))
    one = leave_out(whole, first, folder / "one", "first")
    expected = [each for i, each in enumerate(expected) if i not in first]
    two = leave_out(one, second, folder / "two", "second")
    expected = [each for i, each in enumerate(expected) if i not in second]
    assert len(two) == len(expected)
    assert torch.equal(two.gather(range(len(two)))["x"], whole.gather(expected)["x"])
    assert two.manifest.subset is not None
    assert two.manifest.subset.num_left_out == 30 - len(expected)
    two.verify()


def test_a_subset_needs_its_store(store: Store, tmp_path: Path) -> None:
    some = leave_out(store, range(5), tmp_path / "some", "test")
    assert some.manifest.content != store.manifest.content
    with pytest.raises(UserError, match="All 20 examples"):
        leave_out(store, range(20), tmp_path / "none", "test")
    rows = some.path / "rows.safetensors"
    before = rows.read_bytes()
    rows.write_bytes(before[:-1] + b"\x07")
    with pytest.raises(BadData, match=r"rows\.safetensors has changed"):
        Store.open(some.path)
    rows.write_bytes(before)
    (store.path / "shard-00000.safetensors").rename(tmp_path / "elsewhere")
    with pytest.raises(BadData, match=r"shard-00000\.safetensors is missing"):
        Store.open(some.path)


def test_a_store_as_a_dataset(store: Store, tmp_path: Path) -> None:
    dataset = Prepared.at(store.path)
    assert prepare(dataset).path == store.path
    assert dataset.provides()["x"].shape == (3, 8, 8)
    source = dataset.open()
    assert len(source) == 20
    assert np.array_equal(source.read(4)["x"], store[4]["x"].numpy())
    with pytest.raises(DataNotFound, match="no such store"):
        evolve(dataset, path=str(tmp_path / "gone")).open()
    with pytest.raises(UserError, match="needs a path"):
        Prepared().provides()
    other = prepare(Folder(path=str(tmp_path / "pets"), name="pets", size=16, labels=True))
    with pytest.raises(BadData, match=r"x uint8 \(3, 16, 16\).*expected x uint8 \(3, 8, 8\)"):
        evolve(dataset, path=str(other.path)).open()


def test_a_changed_shard_is_named_by_verify(store: Store) -> None:
    file = store.path / "shard-00000.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    done = CliRunner().invoke(command, ["verify", str(store.path)])
    assert isinstance(done.exception, BadData)
    assert str(file) in str(done.exception)


def test_a_manifest_of_a_newer_ganskit_is_refused(store: Store) -> None:
    file = store.path / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format": 99, "ganskit": "7.0"}))
    with pytest.raises(BadData, match=r"format 99, made by ganskit 7\.0"):
        Store.open(store.path)


def test_info_shows_a_contact_sheet(store: Store, tmp_path: Path) -> None:
    said = CliRunner().invoke(command, ["info", store.path.name]).output
    for text in ("2 classes: cat, dog", "standard deviation", "contact-sheet.png"):
        assert text in said
    with Image.open(store.path / "contact-sheet.png") as sheet:
        assert sheet.size == (4 * 10 + 2, 5 * 10 + 2)  # 20 pictures of 8 pixels, 2 apart
        first = np.asarray(sheet)[2:10, 2:10].transpose(2, 0, 1)
    assert np.array_equal(first, store[0]["x"].numpy())
    CliRunner().invoke(command, ["info", store.path.name, "--sheet", str(tmp_path / "other.png")])
    assert (tmp_path / "other.png").is_file()


def test_a_sheet_that_cannot_be_written_is_no_failure(store: Store, tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["info", store.path.name, "--sheet", str(tmp_path / "no" / "folder.png")])
    assert done.exit_code == 0
    assert "cannot be written" in done.output


def test_a_dry_run_says_what_it_takes(tmp_path: Path, home: Path) -> None:
    fill(tmp_path / "mine", 30)
    (tmp_path / "mine" / "notes.txt").write_text("x")
    said = CliRunner().invoke(command, ["prepare", str(tmp_path / "mine"), "--size", "8", "--dry-run"]).output
    for text in ("30, and 1 other files", "192 bytes", "5.8 kB in 1 files, of which 0 are finished", "GB free", str(home)):
        assert text in said
    assert not home.exists()
    dataset = Folder(path=str(tmp_path / "mine"), name="mine", size=8)
    prepare(dataset)
    assert "of which 1 are finished" in plan(dataset)


def test_reduced_decoding_is_asked_for_and_recorded(tmp_path: Path) -> None:
    large = Image.fromarray(noise(0, 6, 6, 3)).resize((256, 256), Image.Resampling.BICUBIC)
    (tmp_path / "mine").mkdir()
    large.save(tmp_path / "mine" / "a.jpg", quality=95)
    full = prepare(Folder(path=str(tmp_path / "mine"), size=32))
    reduced = prepare(Folder(path=str(tmp_path / "mine"), size=32, reduced=True))
    assert full.path != reduced.path
    assert "1/2, 1/4 or 1/8" in reduced.manifest.transform
    assert "1/8" not in full.manifest.transform
    difference = (full[0]["x"].int() - reduced[0]["x"].int()).abs()
    assert 0 < difference.max() < 16
    with Image.open(tmp_path / "mine" / "a.jpg") as picture:
        pillow = np.asarray(picture.resize((32, 32), Image.Resampling.BICUBIC)).transpose(2, 0, 1).astype(int)
    assert abs(full[0]["x"].numpy() - pillow).max() <= 1


def test_unpaired_fields_are_dealt_in_an_order_of_their_own(tmp_path: Path) -> None:
    from ganskit.engine.run import dealer

    store = prepare(Folder(path=str(fill(tmp_path / "data", 20)), size=8, labels=False))
    fields = dict(store.fields)
    paired = dealer(store, seed=3)(0, 20)["x"]
    unpaired = dealer(
        Store(store.path, evolve(store.manifest, fields={"x": evolve(fields["x"], unpaired=True)}), store._starts), 3
    )
    assert not torch.equal(unpaired(0, 20)["x"], paired)
    assert sorted(each.sum().item() for each in unpaired(0, 20)["x"]) == sorted(each.sum().item() for each in paired)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_info_of_a_store_on_a_read_only_disk(store: Store) -> None:
    store.path.chmod(0o500)
    done = CliRunner().invoke(command, ["info", store.path.name])
    store.path.chmod(0o700)
    assert done.exit_code == 0
    assert "--sheet FILE" in done.output
