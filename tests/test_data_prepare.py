"""Preparing stores and reading them."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import filelock
import numpy as np
import pytest
import torch
from data_samples import Numbers, NumberSource, encoded, fill, noise, picture, write_lmdb
from hypothesis import given
from hypothesis import strategies as st

from ganskit.data import Folder, Lsun, Store
from ganskit.data import files as data_files
from ganskit.data import prepare as module
from ganskit.data.prepare import prepare, store_name
from ganskit.errors import BadData, DataNotFound, RunFailed

ROWS = 8


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own, and small shards."""
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path / "home"))
    monkeypatch.setattr(module, "ROWS_PER_SHARD", ROWS)
    return tmp_path / "home"


def contents(store: Store) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in store.path.iterdir()}


def test_a_store_holds_the_examples() -> None:
    store = prepare(Numbers(20))
    assert len(store) == 20
    assert [shard.rows for shard in store.manifest.shards] == [8, 8, 4]
    assert store.fields["y"].classes == ("even", "odd")
    batch = store.gather([19, 0, 7, 8, 7])
    assert batch["y"].tolist() == [19, 0, 7, 8, 7]
    assert batch["y"].dtype == torch.int64
    for row, index in zip(batch["x"], (19, 0, 7, 8, 7), strict=True):
        assert np.array_equal(row.numpy(), noise(index, 2, 3))
    store.verify()


@given(st.lists(st.integers(0, 19)))
def test_gather_is_indexing(wanted: list[int]) -> None:
    store = prepare(Numbers(20))
    everything = store.gather(range(20))
    for indices in (wanted, np.array(wanted, dtype=np.int64), torch.tensor(wanted, dtype=torch.int64)):
        batch = store.gather(indices)
        assert torch.equal(batch["y"], torch.tensor(wanted, dtype=torch.int64))
        assert torch.equal(batch["x"], everything["x"][wanted])


@pytest.mark.parametrize("wrong", [[-1], [20], [0, 1000]])
def test_gather_outside(wrong: list[int]) -> None:
    with pytest.raises(IndexError):
        prepare(Numbers(20)).gather(wrong)


def test_gathered_tensors_are_the_callers() -> None:
    store = prepare(Numbers(10))
    store.gather([3])["x"].zero_()
    assert store.gather([3])["x"].any()
    store.verify()


def test_a_prepared_store_is_opened_and_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first = prepare(Numbers(10))
    monkeypatch.setattr(NumberSource, "read", lambda *_: pytest.fail("read again"))
    assert prepare(Numbers(10)).path == first.path


def test_names_of_stores(tmp_path: Path) -> None:
    different = ((Numbers(1), "a"), (Numbers(2), "a"), (Numbers(1), "b"), (Numbers(1), "a", "t"))
    names = [store_name(*each) for each in different]
    assert len(set(names)) == 4
    assert all(name.startswith("numbers-") for name in names)
    assert store_name(Folder(name="Mine / yours"), "a").startswith("mine-yours-")
    assert store_name(Folder(path="here"), "a") == store_name(Folder(path="there"), "a")


def test_moved_originals_are_not_prepared_again(tmp_path: Path) -> None:
    first = prepare(Folder(path=str(fill(tmp_path / "here", 3)), size=8))
    (tmp_path / "here").rename(tmp_path / "there")
    assert prepare(Folder(path=str(tmp_path / "there"), size=8)).path == first.path


def test_deleted_originals_are_not_missed(home: Path) -> None:
    folder = fill(home / "originals" / "mine", 3)
    first = prepare(Folder(name="mine", size=8))
    shutil.rmtree(folder)
    assert prepare(Folder(name="mine", size=8)).path == first.path
    for other in (Folder(name="mine", size=16), Folder(path=str(folder), name="mine", size=8)):
        with pytest.raises(DataNotFound):
            prepare(other)


def test_the_manifest_says_it_all(tmp_path: Path) -> None:
    folder = fill(tmp_path / "data" / "cat", 12)
    fill(tmp_path / "data" / "dog", 3)
    (folder / "README").write_text("x")
    (folder / os.fsdecode(b"\xff\n.png")).write_bytes(b"")
    store = prepare(Folder(path=str(tmp_path / "data"), size=8, labels=True))
    manifest = store.manifest
    assert (manifest.num_examples, manifest.num_skipped, manifest.num_ignored) == (15, 1, 1)
    assert manifest.skipped == ((os.fsdecode(b"cat/\xff\n.png"), "empty file"),)
    assert manifest.fields["y"].classes == ("cat", "dog")
    assert "bicubic" in manifest.transform
    assert manifest.dataset["class"] == "ganskit.data.folder:Folder"
    assert manifest.dataset["options"]["size"] == 8
    assert store.gather(range(15))["y"].sum() == 3
    assert {file.name for file in store.path.iterdir()} == {"manifest.json", *(s.file for s in manifest.shards)}


def test_a_shard_of_which_nothing_is_usable() -> None:
    store = prepare(Numbers(40, skip=tuple(range(8, 16))), max_skipped=0.5)
    assert store.gather(range(32))["y"].tolist() == [*range(8), *range(16, 40)]
    store.verify()


def test_too_many_bad_files() -> None:
    with pytest.raises(BadData, match=r"(?s)3 of 20 .* number 1: left out.*--max-skipped"):
        prepare(Numbers(20, skip=(1, 2, 3)))
    assert len(prepare(Numbers(20, skip=(1, 2, 3)), max_skipped=0.2)) == 17
    assert len(prepare(Numbers(20, skip=(1, 2)))) == 18


def test_nothing_usable() -> None:
    with pytest.raises(BadData, match="None of the 3 originals"):
        prepare(Numbers(3, skip=(0, 1, 2)), max_skipped=1)
    with pytest.raises(BadData, match="no example"):
        prepare(Numbers(0))


def test_a_dataset_that_fails() -> None:
    with pytest.raises(RunFailed, match=r"number 4: .*KeyError: 'oops'"):
        prepare(Numbers(10, fail=4))


def test_a_dataset_that_gives_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NumberSource, "read", lambda *_: {"x": np.zeros((2, 3))})
    with pytest.raises(BadData, match=r"number 0: the dataset gives .*float64"):
        prepare(Numbers(10))


def test_an_interrupted_preparation_goes_on(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Finished shards are kept, temporary files are not, and the store is the same as one made in one go."""
    expected = contents(prepare(Numbers(30)))
    shutil.rmtree(home)
    read, seen = NumberSource.read, []

    def interrupted(self: NumberSource, index: int) -> dict[str, np.ndarray]:
        seen.append(index)
        if seen == list(range(21)):
            raise KeyboardInterrupt
        return read(self, index)

    monkeypatch.setattr(NumberSource, "read", interrupted)
    with pytest.raises(KeyboardInterrupt):
        prepare(Numbers(30))
    (folder,) = (each for each in (home / "stores").iterdir() if each.is_dir())
    (folder / "shard-00002.safetensors.99.tmp").write_bytes(b"half")
    with pytest.raises(BadData, match="no complete store"):
        Store.open(folder)
    seen.clear()
    store = prepare(Numbers(30))
    assert seen == list(range(16, 30))
    assert contents(store) == expected


def test_a_shard_lost_between_two_attempts_is_made_again(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    with pytest.raises(RunFailed):
        prepare(Numbers(30, fail=20))
    next((home / "stores").glob("*/shard-00000.safetensors")).write_bytes(b"short")
    monkeypatch.setattr(NumberSource, "read", lambda _, index: {"x": noise(index, 2, 3), "y": np.array(index)})
    assert len(prepare(Numbers(30, fail=20))) == 30


def test_workers_make_the_same_store(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One process and two give the same bytes, on LSUN's format, with a bad record."""
    monkeypatch.setattr(module, "IN_PROCESS_BELOW", 0)
    values = [encoded(picture(i), "WEBP") for i in range(40)] + [b"bad"]
    dataset = Lsun(path=str(write_lmdb(tmp_path / "bedroom_train_lmdb", values)), size=8)
    alone = contents(prepare(dataset, workers=1))
    shutil.rmtree(home)
    together = prepare(dataset, workers=2)
    assert contents(together) == alone
    assert together.manifest.num_skipped == 1


def test_an_error_in_a_worker_stops_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IN_PROCESS_BELOW", 0)
    with pytest.raises(RunFailed, match=r"number 12: .*KeyError"):
        prepare(Numbers(40, fail=12), workers=2)
    assert not multiprocessing.active_children()


def test_killed_and_continued(tmp_path: Path, home: Path) -> None:
    """kill -9 in the middle: the workers end as well, and the next preparation needs only the rest."""
    fill(tmp_path / "data", 60)
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "from ganskit.data import Folder, prepare as module\n"
        "if __name__ == '__main__':\n"
        f"    module.ROWS_PER_SHARD, module.IN_PROCESS_BELOW = {ROWS}, 0\n"
        "    made = module._Preparation._check_skipped\n"
        "    def check(self):\n"
        "        made(self)\n"
        "        if len(self.done) == 3:\n"
        "            print(len(self.done), flush=True)\n"
        "            sys.stdin.read()\n"
        "    module._Preparation._check_skipped = check\n"
        f"    module.prepare(Folder(path={str(tmp_path / 'data')!r}, size=8), workers=2, progress=False)\n"
    )
    with subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"3\n"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                os.killpg(process.pid, 0)
            except ProcessLookupError:
                break
            time.sleep(0.05)
        else:
            pytest.fail("workers outlive their parent")
    dataset = Folder(path=str(tmp_path / "data"), size=8)
    assert len(list((home / "stores").glob("*/shard-*.json"))) >= 3
    store = prepare(dataset)
    interrupted = contents(store)
    shutil.rmtree(home)
    assert contents(prepare(dataset)) == interrupted


def test_a_script_without_its_guard_is_told_so(tmp_path: Path) -> None:
    fill(tmp_path / "data", 20)
    script = tmp_path / "script.py"
    script.write_text(
        "from ganskit.data import Folder, prepare as module\n"
        f"module.ROWS_PER_SHARD, module.IN_PROCESS_BELOW = {ROWS}, 0\n"
        f"module.prepare(Folder(path={str(tmp_path / 'data')!r}, size=8), workers=2)\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "has no `if __name__" in done.stderr


def test_a_second_process_waits(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    path = home / "stores" / store_name(Numbers(10), "numbers")
    path.parent.mkdir(parents=True)
    lock = filelock.FileLock(f"{path}.lock", thread_local=False)
    lock.acquire()
    waiting = threading.Thread(target=prepare, args=(Numbers(10),))
    waiting.start()
    deadline = time.monotonic() + 10
    while "waiting" not in (said := capsys.readouterr().err) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert f"Another process is preparing {path.name}" in said
    assert not path.exists()
    lock.release()
    waiting.join(10)
    assert len(Store.open(path)) == 10


def test_a_disk_without_room(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100))
    with pytest.raises(RunFailed, match=r"needs 420 bytes.*has 100 bytes free: 320 bytes are missing.*GANSKIT_DATA"):
        prepare(Numbers(30))


def test_a_disk_that_fills_up(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    usage = shutil.disk_usage("/")

    def full(_: int) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(data_files.os, "fsync", full)
    with pytest.raises(RunFailed, match=r"The disk is full.*320 bytes are missing"):
        prepare(Numbers(30))
    assert [each.name for each in (home / "stores").rglob("*.tmp")] == []


def test_a_data_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path / "file"))
    with pytest.raises(RunFailed, match="cannot be written"):
        prepare(Numbers(3))


# Stores that are not as they should be


def test_a_missing_or_damaged_shard_is_named() -> None:
    store = prepare(Numbers(20))
    file = store.path / "shard-00001.safetensors"
    good = file.read_bytes()
    file.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(BadData, match=r"shard-00001.safetensors has changed"):
        store.verify()
    file.write_bytes(b"\xff" * len(good))
    with pytest.raises(BadData, match=r"shard-00001.safetensors is damaged"):
        Store.open(store.path).gather([9])
    file.write_bytes(good[:-10])
    with pytest.raises(BadData, match=r"shard-00001.safetensors has .* bytes, expected"):
        Store.open(store.path)
    file.unlink()
    with pytest.raises(BadData, match=r"shard-00001.safetensors is missing"):
        Store.open(store.path)


def test_a_shard_of_another_store() -> None:
    first, second = prepare(Numbers(20)), prepare(Numbers(16))
    shutil.copy(first.path / "shard-00002.safetensors", second.path / "shard-00001.safetensors")
    manifest = json.loads((second.path / "manifest.json").read_text())
    manifest["shards"][1]["bytes"] = (second.path / "shard-00001.safetensors").stat().st_size
    (second.path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BadData, match="not the one in the manifest"):
        Store.open(second.path).gather([8])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": "x"}', '{"format": 1, "fields": 3}'])
def test_a_damaged_manifest(text: str) -> None:
    store = prepare(Numbers(3))
    (store.path / "manifest.json").write_text(text)
    with pytest.raises(BadData, match=r"manifest.json is damaged"):
        Store.open(store.path)


def test_a_store_of_a_later_version() -> None:
    store = prepare(Numbers(3))
    (store.path / "manifest.json").write_text('{"format": 99, "ganskit": "9.0"}')
    with pytest.raises(BadData, match=r"format 99, made by ganskit 9\.0"):
        Store.open(store.path)


def test_reading_a_manifest_needs_no_torch() -> None:
    store = prepare(Numbers(3))
    code = (
        f"import sys; from ganskit.data import Store; s = Store.open({str(store.path)!r}); s.verify();"
        "print(len(s), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3", "False"]
