"""What goes wrong in the middle: a full disk, one that cannot be written, Ctrl-C. What is said, what is kept."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from attrs import frozen
from conftest import Done
from data_samples import Numbers, NumberSource, fill
from samples_faces import Placed, photograph

from ganskit.data import Source
from ganskit.data import files as data_files
from ganskit.data import prepare as module
from ganskit.data.faces import search
from ganskit.data.prepare import prepare
from ganskit.errors import RunFailed

ROWS = 8


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own, small shards and small tasks."""
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path / "home"))
    monkeypatch.setattr(module, "ROWS_PER_SHARD", ROWS)
    monkeypatch.setattr(search, "PHOTOS_PER_TASK", 2)
    return tmp_path / "home"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return fill(tmp_path / "pictures", 20)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Five photographs, one of them with a face."""
    pytest.importorskip("cv2")
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in "abcd":
        photograph(90, 80).save(folder / f"{name}.png")
    photograph(300, 260, [Placed(0, 60, 40, 200)]).save(folder / "e.png")
    return folder


def full_after(num_files: int, patch: pytest.MonkeyPatch, free: int = 100) -> None:
    """No room for more than so many files from now on, and from then on `free` bytes."""
    fsync, usage, written = os.fsync, shutil.disk_usage("/"), []

    def limited(file: int) -> None:
        if len(written) == num_files:
            patch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=free))
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(file)
        fsync(file)

    patch.setattr(data_files.os, "fsync", limited)


def kept(folder: Path) -> dict[str, int]:
    """Every file below a folder but locks, and when it was written."""
    return {file.name: file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file() and file.suffix != ".lock"}


# Full in the middle


def test_a_store_goes_on_when_there_is_room_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = {file.name: file.read_bytes() for file in prepare(Numbers(30)).path.iterdir()}
    shutil.rmtree(home)
    with monkeypatch.context() as patch:
        full_after(2, patch)  # the first shard and its note
        with pytest.raises(RunFailed, match=r"The disk is full: .*numbers-.* 208 bytes are missing\. .*What is finished is kept"):
            prepare(Numbers(30))
    before = kept(home)
    assert sorted(before) == ["shard-00000.json", "shard-00000.safetensors"]
    read, seen = NumberSource.read, []

    def noted(self: NumberSource, index: int) -> dict[str, np.ndarray]:
        seen.append(index)
        return read(self, index)

    monkeypatch.setattr(NumberSource, "read", noted)
    store = prepare(Numbers(30))
    assert seen == list(range(8, 30))
    assert kept(store.path)["shard-00000.safetensors"] == before["shard-00000.safetensors"]
    assert {file.name: file.read_bytes() for file in store.path.iterdir()} == expected


@frozen
class Filling(Numbers):
    """Numbers on a disk that is full for whoever has read number 20, until the file `room` is there."""

    room: str = ""
    places = ("room",)

    def open(self) -> Source:
        return FillingSource(self)


@frozen
class FillingSource(NumberSource):
    def read(self, index: int) -> dict[str, np.ndarray]:
        if index == 20 and not os.path.exists(self.dataset.room):
            os.fsync = _full  # in a worker process, which ends with this preparation
        return super().read(index)


def _full(_: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_disk_that_is_full_for_a_worker(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IN_PROCESS_BELOW", 0)
    dataset = Filling(40, room=str(tmp_path / "room"))
    with pytest.raises(RunFailed, match="The disk is full"):
        prepare(dataset, workers=2)
    before = kept(home)
    assert not [name for name in before if name.endswith(".tmp")]
    assert "shard-00002.json" not in before
    Path(dataset.room).touch()
    store = prepare(dataset, workers=2)
    assert store.gather(range(40))["y"].tolist() == list(range(40))
    finished = [name for name in before if Path(name).suffix == ".safetensors" and f"{Path(name).stem}.json" in before]
    assert finished
    assert all(kept(store.path)[name] == before[name] for name in finished)


def test_the_command_goes_on_when_there_is_room_again(
    pictures: Path, home: Path, ganskit: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        full_after(4, patch)
        done = ganskit("data", "prepare", pictures, "--size", "8")
    assert done.code == 1
    assert "Error: The disk is full" in done.err
    assert "set GANSKIT_DATA to a folder on another disk" in done.err
    assert sorted(kept(home)) == [f"shard-0000{i}.{suffix}" for i in range(2) for suffix in ("json", "safetensors")]
    done = ganskit("data", "prepare", pictures, "--size", "8")
    assert (done.code, "20 examples" in done.out) == (0, True)


def test_a_search_for_faces_goes_on_when_there_is_room_again(
    photos: Path, home: Path, ganskit: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        full_after(1, patch)
        done = ganskit("data", "faces", photos, "--workers", "1")
    assert done.code == 1
    assert "Error: The disk is full" in done.err
    assert sorted(kept(home)) == ["seen-000000.json"]
    look, looked = search.looking.look, []
    monkeypatch.setattr(search.looking, "look", lambda file, *rest: looked.append(file) or look(file, *rest))
    done = ganskit("data", "faces", photos, "--workers", "1")
    assert done.code == 0, done.err
    assert looked == ["c.png", "d.png", "e.png"]


# Ctrl-C


def test_ctrl_c_ends_all_processes_and_the_rest_is_made_later(pictures: Path, home: Path, ganskit: Callable[..., Done]) -> None:
    """The terminal sends it to the workers, too."""
    script = pictures.parent / "script.py"
    script.write_text(
        "import sys, time\n"
        "from ganskit.cli.main import main\n"
        "from ganskit.data import prepare as module\n"
        "def check(self):\n"
        "    print('made', flush=True)\n"
        "    time.sleep(60)\n"
        "if __name__ == '__main__':\n"
        f"    module.ROWS_PER_SHARD, module.IN_PROCESS_BELOW = {ROWS}, 0\n"
        "    module._Preparation._check_skipped = check\n"
        f"    sys.argv = ['ganskit', 'data', 'prepare', {str(pictures)!r}, '--size', '8', '--workers', '2']\n"
        "    main()\n"
    )
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, str(script)], start_new_session=True, **pipes) as process:
        while process.stdout.readline() != "made\n":
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert " ".join(said.split()) == "What is finished is kept: the same command goes on from there. Interrupted."
    deadline = time.monotonic() + 20
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(process.pid, 0)  # raises when nobody is left
            time.sleep(0.05)
        pytest.fail("workers outlive their parent")
    before = kept(home)
    assert not [name for name in before if name.endswith(".tmp")]
    (store,) = {note.parent for note in home.rglob("shard-*.json")}
    finished = [f"{note.stem}.safetensors" for note in store.glob("shard-*.json")]
    assert "20 examples" in ganskit("data", "prepare", pictures, "--size", "8").out
    assert (store / "manifest.json").is_file()
    assert all(kept(store)[name] == before[name] for name in finished)


# Read-only


@pytest.fixture(params=["inside a file", "read-only disk", "read-only disk with folders", "read-only folder"])
def unwritable(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder into which nothing can be written."""
    if request.param == "inside a file":
        home.touch()
        monkeypatch.setenv("GANSKIT_DATA", str(home / "inside"))
        yield home / "inside"
        return
    for name in ("stores", "faces") if request.param.endswith("folders") else ():
        (home / name).mkdir(parents=True)
    home.mkdir(exist_ok=True)
    if request.param != "read-only folder":
        mounted_read_only(home, monkeypatch)
    home.chmod(0o555)
    if request.param == "read-only folder" and os.access(home, os.W_OK):
        pytest.skip("root may write into every folder")
    yield home
    home.chmod(0o755)


def mounted_read_only(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Answer as the kernel does on a disk that is mounted read-only, to root as well."""
    real_open, real_mkdir = os.open, os.mkdir

    def refuse(path: str | os.PathLike[str]) -> None:
        if Path(path).is_relative_to(folder):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    def open_(path: str | os.PathLike[str], flags: int, *rest: object, **more: object) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            refuse(path)
        return real_open(path, flags, *rest, **more)

    def mkdir(path: str | os.PathLike[str], *rest: object, **more: object) -> None:
        if not os.path.exists(path):
            refuse(path)
        real_mkdir(path, *rest, **more)

    patch.setattr(os, "open", open_)
    patch.setattr(os, "mkdir", mkdir)


def test_prepare_says_that_it_cannot_write(pictures: Path, unwritable: Path, ganskit: Callable[..., Done]) -> None:
    refused(ganskit("data", "prepare", pictures), unwritable / "stores")


def test_faces_says_that_it_cannot_write(photos: Path, unwritable: Path, ganskit: Callable[..., Done]) -> None:
    refused(ganskit("data", "faces", photos), unwritable / "faces")


def refused(done: Done, folder: Path) -> None:
    assert done.code == 1
    said = rf"Error: {re.escape(str(folder))}/\S+ cannot be written: .*\. Set GANSKIT_DATA to a folder that may be written to\.\n"
    assert re.fullmatch(said, done.err)


def test_what_is_finished_is_used_on_a_read_only_disk(
    photos: Path, home: Path, ganskit: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ganskit("data", "faces", photos, "--workers", "1")
    assert first.code == 0, first.err
    mounted_read_only(home, monkeypatch)
    again = ganskit("data", "faces", photos, "--workers", "1")
    assert (again.code, again.out) == (0, first.out)
