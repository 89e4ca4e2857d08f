"""LSUN's databases: every category, downloaded archives, and files that LMDB itself would trust too much."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lmdb
import numpy as np
import pytest
from attrs import evolve
from data_samples import encoded, lsun_order, picture, write_lmdb
from hypothesis import given, settings
from hypothesis import strategies as st
from samples_zips import bad_utf8, negative_start, without_names

from ganskit.data import Lsun, Skip, images
from ganskit.data import unpack as unpack_module
from ganskit.data.detect import detect
from ganskit.data.guards import locked
from ganskit.data.lmdb_file import num_records
from ganskit.data.lmdb_pages import pages_needed
from ganskit.data.lsun import is_packed
from ganskit.data.lsun_files import FILES, OBJECTS, SCENES
from ganskit.data.prepare import prepare
from ganskit.errors import BadData, DataNotFound, RunFailed, UnknownName, UserError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path / "home"))
    return tmp_path / "home" / "originals" / "lsun"


VALUES = [encoded(picture(i), ("WEBP", "JPEG")[i % 2]) for i in range(5)]


def pack(folder: Path, archive: Path, top: str | None = None) -> Path:
    """The .zip of a database, as LSUN's: a folder with data.mdb and lock.mdb."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for file in folder.iterdir():
            opened.write(file, f"{folder.name if top is None else top}/{file.name}".lstrip("/"))
    return archive


def pixels(dataset: Lsun) -> list[np.ndarray]:
    source = dataset.open()
    return [source.read(i)["x"] for i in range(len(source))]


EXPECTED = [images.decode(value, 8, 3, "centre") for value in lsun_order(VALUES)]


def same(found: list[np.ndarray]) -> bool:
    return len(found) == len(EXPECTED) and all(map(np.array_equal, found, EXPECTED))


# Categories


def test_all_categories_are_known() -> None:
    """10 scenes and 20 objects (Yu et al. 2015)."""
    assert (len(SCENES), len(OBJECTS), len(FILES)) == (10, 20, 2 * 10 + 20 + 1)
    assert "church_outdoor" in SCENES
    assert "tv-monitor" in OBJECTS


@pytest.mark.parametrize(
    ("folder", "options"),
    [
        ("bedroom_train_lmdb", {}),
        ("tower_val_lmdb", {"category": "tower", "split": "val"}),
        ("test_lmdb", {"split": "test"}),
        ("cat", {"category": "cat"}),
        ("cat_train_lmdb", {"category": "cat"}),
        ("castle_val_lmdb", {"category": "castle", "split": "val"}),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_by_name(home: Path, tmp_path: Path, folder: str, options: dict[str, str], packed: bool) -> None:
    """A database or the downloaded .zip among the originals; one's own category, too."""
    if packed:
        home.mkdir(parents=True)
        pack(write_lmdb(tmp_path / folder, VALUES), home / f"{folder}.zip")
    else:
        write_lmdb(home / folder, VALUES)
    assert same(pixels(Lsun(size=8, **options)))
    assert (home / folder / "data.mdb").is_file()


def test_an_objects_database_is_not_taken_for_another_split(home: Path) -> None:
    write_lmdb(home / "cat", VALUES)
    with pytest.raises(DataNotFound):
        Lsun(category="cat", split="val").open()


@pytest.mark.parametrize(("category", "message"), [("bedrom", 'Did you mean "bedroom"'), ("cats", '"cat"'), ("zzz", "airplane")])
def test_unknown_categories(category: str, message: str) -> None:
    with pytest.raises(UnknownName, match=message):
        Lsun(category=category).open()


def test_any_category_goes_with_a_path(tmp_path: Path) -> None:
    folder = write_lmdb(tmp_path / "mine", VALUES)
    for path in (folder, folder / "data.mdb"):
        assert same(pixels(Lsun(path=str(path), category="whatever", size=8)))


def test_a_database_in_one_file(tmp_path: Path) -> None:
    (write_lmdb(tmp_path / "x", VALUES) / "data.mdb").rename(tmp_path / "mine.lmdb")
    assert same(pixels(Lsun(path=str(tmp_path / "mine.lmdb"), size=8)))


def test_values_that_are_the_same_or_no_pictures(tmp_path: Path) -> None:
    source = Lsun(path=str(write_lmdb(tmp_path / "x", [VALUES[0], VALUES[0], b"no picture", b""])), size=8).open()
    reasons = []
    for i in range(4):
        try:
            source.read(i)
        except Skip as reason:
            reasons.append(str(reason))
    assert len(reasons) == 2


def test_parts_and_order_are_as_before(tmp_path: Path) -> None:
    source = Lsun(path=str(write_lmdb(tmp_path / "x", VALUES)), size=8, channels=1, crop="none").open()
    assert "none" not in source.transform
    assert [source.part(3, 5).name(i) for i in (1, 0)] == [source.name(4), source.name(3)]
    assert source.part(3, 5).read(0)["x"].shape == (1, 8, 8)


# Downloaded archives


@pytest.mark.parametrize("top", [None, "", "a/b"])
def test_the_path_of_a_zip(tmp_path: Path, home: Path, top: str | None) -> None:
    """Unpacked once into the data folder; the archive stays."""
    archive = pack(write_lmdb(tmp_path / "bedroom_val_lmdb", VALUES), tmp_path / "bedroom_val_lmdb.zip", top)
    dataset = Lsun(path=str(archive), size=8)
    assert same(pixels(dataset))
    (folder,) = (each for each in home.iterdir() if each.is_dir())
    (database,) = folder.rglob("data.mdb")
    before = database.stat().st_mtime_ns
    assert same(pixels(dataset))
    assert database.stat().st_mtime_ns == before
    assert archive.is_file()


def test_two_zips_of_one_name_are_two(tmp_path: Path, home: Path) -> None:
    for name, values in (("a", VALUES[:2]), ("b", VALUES[2:])):
        pack(write_lmdb(tmp_path / name / "my_lmdb", values), tmp_path / name / "my_lmdb.zip")
    assert [len(Lsun(path=str(tmp_path / name / "my_lmdb.zip")).open()) for name in "ab"] == [2, 3]


def test_unpacking_keeps_the_time_so_that_a_store_stays_the_same(tmp_path: Path, home: Path) -> None:
    archive = pack(write_lmdb(tmp_path / "x_lmdb", VALUES), tmp_path / "x.zip")
    first = Lsun(path=str(archive)).open().fingerprint
    for folder in home.iterdir():
        if folder.is_dir():
            folder.rename(tmp_path / "gone")
    assert Lsun(path=str(archive)).open().fingerprint == first


def test_prepare_from_a_zip(tmp_path: Path) -> None:
    archive = pack(write_lmdb(tmp_path / "x_lmdb", VALUES), tmp_path / "x.zip")
    assert len(prepare(Lsun(path=str(archive), size=8), workers=1, progress=False)) == 5


def test_zips_that_will_not_do(tmp_path: Path, home: Path) -> None:
    archive = pack(write_lmdb(tmp_path / "x_lmdb", VALUES), tmp_path / "x.zip")
    assert is_packed(archive)
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as opened:
        opened.writestr("a.png", VALUES[0])
    assert not is_packed(tmp_path / "pictures.zip")
    assert not is_packed(tmp_path / "x_lmdb" / "data.mdb")
    with pytest.raises(BadData, match=r"holds 0 files data\.mdb"):
        Lsun(path=str(tmp_path / "pictures.zip")).open()
    (tmp_path / "half.zip").write_bytes(archive.read_bytes()[:-50])
    with pytest.raises(BadData, match=r"half\.zip .*is no readable \.zip file.*downloaded whole"):
        Lsun(path=str(tmp_path / "half.zip")).open()
    damaged = bytearray(archive.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    (tmp_path / "damaged.zip").write_bytes(damaged)
    with pytest.raises(BadData):
        Lsun(path=str(tmp_path / "damaged.zip")).open()
    assert [each for each in home.iterdir() if each.is_dir()] == []


def test_a_zip_without_room(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = pack(write_lmdb(tmp_path / "x_lmdb", VALUES), tmp_path / "x.zip")
    monkeypatch.setattr("ganskit.data.room.free_bytes", lambda folder: 100)
    with pytest.raises(RunFailed, match=r"Unpacking x\.zip needs .* are missing"):
        Lsun(path=str(archive)).open()


# Files that are no LMDB, or another computer's


def leaf(records: dict[bytes, bytes], page_bytes: int) -> bytes:
    """A page with all records, as LMDB 0.9 lays it out on a 64-bit computer."""
    page, top, places = bytearray(page_bytes), page_bytes, []
    for key, value in sorted(records.items()):
        node = struct.pack("<HHHH", len(value) & 0xFFFF, len(value) >> 16, 0, len(key)) + key + value
        top -= len(node) + len(node) % 2
        page[top : top + len(node)] = node
        places.append(top)
    struct.pack_into("<QHHHH", page, 0, 2, 0, 0x02, 16 + 2 * len(places), top)
    struct.pack_into(f"<{len(places)}H", page, 16, *places)
    return bytes(page)


def meta(page_bytes: int, number: int, entries: int) -> bytes:
    """One of the two pages that say what the file is."""
    page = bytearray(page_bytes)
    none = 2**64 - 1
    struct.pack_into("<QHHHH", page, 0, number, 0, 0x08, 0, 0)
    struct.pack_into("<IIQQ", page, 16, 0xBEEFC0DE, 1, 0, 2**24)
    struct.pack_into("<IHHQQQQQ", page, 40, page_bytes, 0x08, 0, 0, 0, 0, 0, none)
    struct.pack_into("<IHHQQQQQ", page, 88, 0, 0, 1, 0, 1, 0, entries, 2)
    struct.pack_into("<QQ", page, 136, 2, number)
    return bytes(page)


@pytest.mark.parametrize("page_bytes", [4096, 8192, 16384, 32768])
def test_pages_of_another_size(tmp_path: Path, page_bytes: int) -> None:
    """Such as on the processors of Apple, whose pages have 16 KiB."""
    small = [encoded(picture(i, 9, 9), "WEBP", quality=1) for i in range(4)]
    records = {b"%040d" % i: value for i, value in enumerate(small)}
    data = meta(page_bytes, 0, 0) + meta(page_bytes, 1, len(records)) + leaf(records, page_bytes)
    (tmp_path / "data.mdb").write_bytes(data)
    source = Lsun(path=str(tmp_path), size=8).open()
    assert [source.name(i) for i in range(4)] == [f"{i:040}" for i in range(4)]
    assert all(np.array_equal(source.read(i)["x"], images.decode(small[i], 8, 3, "centre")) for i in range(4))
    (tmp_path / "short").mkdir()
    (tmp_path / "short" / "data.mdb").write_bytes(data[:-page_bytes])
    with pytest.raises(BadData, match="cut short"):
        Lsun(path=str(tmp_path / "short")).open()


def moved(data: bytes, offset: int, new: bytes) -> bytes:
    return data[:offset] + new + data[offset + len(new) :]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: b"", "has only 0 bytes"),
        (lambda data: data[:100][:30], "has only 30 bytes"),
        (lambda data: b"\0" * 8192, "is not an LMDB"),
        (lambda data: b"<html>404 not found" * 100, "is not an LMDB"),
        (lambda data: data[4:], r"32-bit computer.*mdb_dump"),
        (lambda data: moved(data, 16, struct.pack(">I", 0xBEEFC0DE)), "the other way round"),
        (lambda data: moved(data[4:], 12, struct.pack(">I", 0xBEEFC0DE)), "the other way round"),
        (lambda data: moved(data, 20, struct.pack("<I", 999)), "of version 999"),
        (lambda data: moved(data, 40, struct.pack("<I", 0)), "pages of 0 bytes"),
        (lambda data: moved(data, 40, struct.pack("<I", 0xFFFFFFFF)), "pages of 4,294,967,295 bytes"),
        (lambda data: data[:4096], "not an LMDB that can be read|cut short"),
        (lambda data: data[: len(data) // 2], "cut short"),
        (lambda data: moved(moved(data, 136, b"\xff" * 6), 4096 + 136, b"\xff" * 6), "cut short|not an LMDB that can be read"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, damage, message: str) -> None:
    folder = write_lmdb(tmp_path / "x_lmdb", [b"v" * 5000] * 300)
    (folder / "data.mdb").write_bytes(damage((folder / "data.mdb").read_bytes()))
    with pytest.raises(BadData, match=rf"data\.mdb.*({message})"):
        Lsun(path=str(folder)).open()


def test_a_few_pages_short(tmp_path: Path) -> None:
    """Any of them would kill the process when it is read."""
    folder = write_lmdb(tmp_path / "x_lmdb", [VALUES[0]] * 5 + [b"v" * 3000] * 300)
    data = (folder / "data.mdb").read_bytes()
    assert num_records(folder / "data.mdb") == 305
    for cut in (1, 4095, *range(4096, 64 * 4096, 4096)):
        file = tmp_path / f"{cut}.mdb"
        file.write_bytes(data[:-cut])
        with pytest.raises(BadData, match=rf"{cut}\.mdb is cut short: {len(data) - cut:,} bytes, expected {len(data):,}, and"):
            num_records(file)
        file.unlink()


def some_deleted(folder: Path, seed: int) -> Path:
    """A database as LMDB leaves it when records have been deleted in the transactions that made them."""
    rng = random.Random(seed)
    with lmdb.open(str(folder), map_size=2**26) as environment:
        for _ in range(rng.randint(1, 4)):
            with environment.begin(write=True) as transaction:
                keys = [b"%040x" % rng.getrandbits(160) for _ in range(rng.randint(10, 150))]
                for key in keys:
                    transaction.put(key, rng.randbytes(rng.choice([50, 900, 2500, 3000, 9000, 30000])))
                for key in {*rng.sample(keys, len(keys) // 2), *keys[-3:]}:
                    transaction.delete(key)
    return folder / "data.mdb"


def missing_pages(file: Path) -> int:
    with lmdb.open(str(file), subdir=False, readonly=True, lock=False) as environment:
        return environment.info()["last_pgno"] + 1 - file.stat().st_size // 4096


def walk(file: Path) -> int:
    """How a process ends that reads everything."""
    code = "import lmdb, sys; [0 for _ in lmdb.open(sys.argv[1], subdir=False, readonly=True, lock=False).begin().cursor()]"
    return subprocess.run([sys.executable, "-c", code, str(file)], check=False).returncode


def test_pages_that_were_never_written_are_not_missed(tmp_path: Path) -> None:
    files = [some_deleted(tmp_path / str(seed), seed) for seed in range(40)]
    short = [file for file in files if missing_pages(file)]
    assert len(short) >= 5
    for file in short:
        assert num_records(file) > 0
        assert walk(file) == 0


def test_the_last_page_of_the_records_is_found(tmp_path: Path) -> None:
    """Cut there, and everything can be read; one page earlier, and not."""
    for seed in range(1, 6):
        file = some_deleted(tmp_path / str(seed), seed)
        needed = pages_needed(file, 4096, 10_000)
        for pages, end in ((needed, 0), (needed - 1, -signal.SIGBUS)):
            os.truncate(file, pages * 4096)
            assert walk(file) == end
        with pytest.raises(BadData, match="cut short"):
            num_records(file)


def test_whole_files_are_not_looked_at_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganskit.data.lmdb_file.pages_needed", None)
    assert len(Lsun(path=str(write_lmdb(tmp_path / "x_lmdb", VALUES))).open()) == 5


@settings(max_examples=60, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0), st.binary(min_size=1, max_size=9)), min_size=1, max_size=8))
def test_damaged_pages_are_an_error(changes: list[tuple[int, bytes]], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("lmdb")
    file = some_deleted(folder / "x", 3)
    data = bytearray(file.read_bytes()[: 40 * 4096])
    for at, new in changes:
        data[at % len(data) : at % len(data) + len(new)] = new
    file.write_bytes(data)
    with contextlib.suppress(ValueError):
        assert pages_needed(file, 4096, 500) > 0
    shutil.rmtree(folder)


# A name that says what it is


@pytest.mark.parametrize("form", ["folder", "data.mdb", "zip"])
@pytest.mark.parametrize(
    ("folder", "options", "wrong"),
    [
        ("bedroom_train_lmdb", {"split": "val"}, "split"),
        ("bedroom_train_lmdb", {"category": "tower"}, "category"),
        ("kitchen_val_lmdb", {"category": "tower"}, "category"),
        ("kitchen_val_lmdb", {"split": "test"}, "split"),
        ("church_outdoor_val_lmdb", {"category": "church_outdoor", "split": "test"}, "split"),
        ("kitchen_val_lmdb", {}, ""),
        ("kitchen_val_lmdb", {"split": "val"}, ""),
        ("kitchen_val_lmdb", {"category": "kitchen"}, ""),
        ("kitchen_val_lmdb", {"category": "kitchen", "split": "val"}, ""),
        ("castle_train_lmdb", {"category": "tower", "split": "val"}, ""),
        ("cat", {"category": "dog", "split": "val"}, ""),
    ],
)
def test_a_path_that_contradicts_the_options(tmp_path: Path, folder: str, options: dict[str, str], wrong: str, form: str) -> None:
    """The defaults contradict nothing, for `--data kitchen_val_lmdb` is enough."""
    path = write_lmdb(tmp_path / folder, VALUES)
    if form == "data.mdb":
        path /= "data.mdb"
    elif form == "zip":
        path = pack(path, tmp_path / f"{folder}.zip")
    dataset = Lsun(path=str(path), size=8, **options)
    if not wrong:
        assert same(pixels(dataset))
        return
    with pytest.raises(UserError, match=rf'is the {wrong} ".*" by its name, and {wrong} is "{options[wrong]}": give the path'):
        dataset.open()


def test_found_by_a_path(tmp_path: Path) -> None:
    folder = write_lmdb(tmp_path / "kitchen_val_lmdb", VALUES)
    assert same(pixels(evolve(detect(folder, 8, 3), size=8)))


# Damage


@pytest.mark.parametrize("damage", [bad_utf8, negative_start, without_names])
def test_zips_whose_lists_are_damaged(tmp_path: Path, home: Path, damage: Callable[[bytes], bytes]) -> None:
    archive = pack(write_lmdb(tmp_path / "x_lmdb", VALUES), tmp_path / "x.zip")
    archive.write_bytes(damage(archive.read_bytes()))
    with pytest.raises(BadData, match=r"x\.zip"):
        Lsun(path=str(archive)).open()
    with contextlib.suppress(BadData):
        detect(archive, 8, 3)
    with contextlib.suppress(BadData):
        is_packed(archive)


def test_a_zip_that_fetch_unpacks_meanwhile(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both want the same folder, and hold different locks around their work."""
    home.mkdir(parents=True)
    archive = pack(write_lmdb(tmp_path / "cat", VALUES), home / "cat.zip")
    copy, in_the_middle, calls = unpack_module._copy, threading.Event(), []

    def slow(*args) -> None:
        calls.append(threading.get_ident())
        in_the_middle.set()
        time.sleep(0.1)
        copy(*args)

    monkeypatch.setattr(unpack_module, "_copy", slow)
    with ThreadPoolExecutor() as pool:
        with locked(home, progress=False):
            first = pool.submit(unpack_module.unpack, archive, home / "cat")
            assert in_the_middle.wait(10)
            second = pool.submit(pixels, Lsun(category="cat", size=8))
            first.result()
        assert same(second.result())
    assert len(set(calls)) == 1


def test_a_folder_that_is_not_what_was_unpacked(tmp_path: Path, home: Path) -> None:
    (home / "cat").mkdir(parents=True)
    pack(write_lmdb(tmp_path / "cat", VALUES), home / "cat.zip")
    with pytest.raises(BadData, match=r"cat has no data\.mdb: move it away"):
        Lsun(category="cat").open()


def test_an_empty_database(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="without a single record"):
        Lsun(path=str(write_lmdb(tmp_path / "x_lmdb", []))).open()


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_lmdb(tmp_path / "x_lmdb", VALUES)

    def refused(*_, **__) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("ganskit.data.lmdb_file.Path.open", refused)
        with pytest.raises(BadData, match=r"data\.mdb cannot be read: Permission denied"):
            Lsun(path=str(folder)).open()


def test_nothing_is_written_beside_it(tmp_path: Path) -> None:
    """As on a disk that can only be read."""
    folder = write_lmdb(tmp_path / "x_lmdb", VALUES)
    (folder / "lock.mdb").unlink()
    before = (folder / "data.mdb").read_bytes()
    (folder / "data.mdb").chmod(0o444)
    folder.chmod(0o555)
    try:
        assert same(pixels(Lsun(path=str(folder), size=8)))
        assert os.listdir(folder) == ["data.mdb"]
        assert (folder / "data.mdb").read_bytes() == before
    finally:
        folder.chmod(0o755)


def test_a_database_that_is_being_written(tmp_path: Path) -> None:
    """The writer holds its lock; what it had committed before is read."""
    folder = write_lmdb(tmp_path / "x_lmdb", VALUES)
    code = (
        "import lmdb, sys; t = lmdb.open(sys.argv[1], map_size=2**24).begin(write=True);"
        "t.put(b'zzz', b'new'); print('locked', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "locked\n"
    assert same(pixels(Lsun(path=str(folder), size=8)))
    process.communicate("")


def test_wrong_options() -> None:
    for options in ({"split": "valid"}, {"size": 0}, {"crop": "center"}):
        with pytest.raises(UserError, match=next(iter(options))):
            Lsun(**options)
