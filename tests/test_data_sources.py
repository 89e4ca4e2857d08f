"""The general datasets, on tiny files in each publisher's format."""

from __future__ import annotations

import contextlib
import errno
import os
import pickle
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from data_samples import encoded, fill, lsun_order, picture, write_lmdb, write_zip
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samples_zips import bad_utf8, negative_start, without_names

from ganskit.data import Cifar10, Dataset, Folder, Lsun, Mnist, Skip, Source, Zip, archive, folder, images, pictures
from ganskit.data.celeba import CelebA
from ganskit.data.dataset import part_of
from ganskit.data.detect import detect
from ganskit.data.domains import TwoDomains
from ganskit.data.prepare import prepare
from ganskit.errors import BadData, DataNotFound, RunFailed, UserError


def names(source: Source) -> list[str]:
    return [source.name(i) for i in range(len(source))]


def check(dataset: Dataset, source: Source) -> None:
    """Every example is as provided, and parts, pickled or not and read in any order, give the same examples."""
    provided = dataset.provides()
    expected = [source.read(i) for i in range(len(source))]
    for example in expected:
        assert {key: (value.shape, str(value.dtype)) for key, value in example.items()} == {
            key: (each.shape, each.dtype) for key, each in provided.items()
        }
    middle = len(source) // 2
    for start, stop in ((0, middle), (middle, len(source))):
        part = pickle.loads(pickle.dumps(part_of(source, start, stop)))
        assert len(part) == stop - start
        for i in reversed(range(stop - start)):
            assert part.name(i) == source.name(start + i)
            for key, value in part.read(i).items():
                assert np.array_equal(value, expected[start + i][key])


# Folders


def test_a_flat_folder(tmp_path: Path) -> None:
    source = Folder(path=str(fill(tmp_path, 5)), size=8).open()
    assert names(source) == [f"000{i}.png" for i in range(5)]
    check(source.dataset, source)


def test_a_tree_with_classes(tmp_path: Path) -> None:
    fill(tmp_path / "train" / "dog", 2)
    fill(tmp_path / "train" / "cat" / "more", 2)
    dataset = Folder(path=str(tmp_path), size=8, labels=True)
    source = dataset.open()
    assert source.classes == {"y": ("cat", "dog")}
    assert [int(source.read(i)["y"]) for i in range(4)] == [0, 0, 1, 1]
    check(dataset, source)


def test_without_labels_a_tree_is_just_pictures(tmp_path: Path) -> None:
    fill(tmp_path / "dog", 2)
    source = Folder(path=str(tmp_path), size=8).open()
    assert list(source.read(0)) == ["x"]
    assert source.classes == {}


def test_one_class(tmp_path: Path) -> None:
    fill(tmp_path / "dog", 2)
    assert Folder(path=str(tmp_path), labels=True).open().classes == {"y": ("dog",)}


def test_labels_need_class_folders(tmp_path: Path) -> None:
    fill(tmp_path, 2)
    with pytest.raises(BadData, match="one subfolder for each class"):
        Folder(path=str(tmp_path), labels=True).open()
    fill(tmp_path / "dog", 1)
    source = Folder(path=str(tmp_path), labels=True).open()
    with pytest.raises(Skip, match="in no class folder"):
        source.read(0)


def test_every_kind_of_bad_file(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "html.jpg").write_text("<html>404")
    (tmp_path / "README.txt").write_text("hello")
    (tmp_path / "noise").write_bytes(b"\0")
    (tmp_path / ".hidden.png").write_bytes(b"")
    fill(tmp_path / ".cache", 1)
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "loop").symlink_to(tmp_path)
    with (tmp_path / "huge.png").open("wb") as stream:
        stream.truncate(images.MAX_FILE_BYTES + 1)
    source = Folder(path=str(tmp_path), size=8).open()
    assert source.num_ignored == 2
    reasons = {}
    for i in range(len(source)):
        try:
            source.read(i)
        except Skip as reason:
            reasons[source.name(i)] = str(reason)
    assert reasons["empty.jpg"] == "empty file"
    assert reasons["html.jpg"].startswith("not a picture")
    assert reasons["gone.png"] == "a link that leads nowhere"
    assert reasons["pipe.png"] == "not a regular file"
    assert reasons["huge.png"].endswith("bytes: too large")
    assert set(names(source)) - set(reasons) == {"0000.png", "0001.png", "0002.png"}


def refused(number: int) -> Callable[..., None]:
    """What fails as the system does with this error number."""

    def fail(*_, **__) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.EIO, errno.ESTALE, errno.ENOMEM, errno.EINTR])
@pytest.mark.parametrize("where", ["os.stat", "builtins.open"])
def test_trouble_of_the_moment_leaves_no_file_out(
    tmp_path: Path, number: int, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Folder(path=str(fill(tmp_path, 2)), size=8).open()
    with monkeypatch.context() as patch:
        patch.setattr(where, refused(number))
        with pytest.raises(RunFailed) as error:
            source.read(1)
    assert str(error.value).startswith(f"{tmp_path}/0001.png cannot be read now: {os.strerror(number)}.")
    source.read(1)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.ENOENT, errno.ELOOP, errno.ENAMETOOLONG])
@pytest.mark.parametrize("where", ["os.stat", "builtins.open"])
def test_trouble_of_a_file_leaves_it_out(tmp_path: Path, number: int, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Folder(path=str(fill(tmp_path, 2)), size=8).open()
    monkeypatch.setattr(where, refused(number))
    with pytest.raises(Skip, match=f"cannot be read: {os.strerror(number)}"):
        source.read(1)


def test_too_many_open_files_in_a_preparation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No store comes of it, and the next one is whole."""
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path / "home"))
    dataset = Folder(path=str(fill(tmp_path / "pictures", 4)), size=8)
    original = folder.FolderFiles.data

    def data(files: folder.FolderFiles, name: str) -> bytes:
        with monkeypatch.context() as patch:
            if name == "0002.png":
                patch.setattr("builtins.open", refused(errno.EMFILE))
            return original(files, name)

    with monkeypatch.context() as patch:
        patch.setattr(folder.FolderFiles, "data", data)
        with pytest.raises(RunFailed, match=r"0002\.png cannot be read now: Too many open files"):
            prepare(dataset, workers=1, progress=False)
    store = prepare(dataset, workers=1, progress=False)
    assert (len(store), store.manifest.num_skipped) == (4, 0)


def test_a_folder_that_cannot_be_looked_at_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be taken for a file, and all that is in it be left out."""

    class Entry:
        name, path = "link", "here/link"
        is_dir = staticmethod(refused(errno.EIO))

    fill(tmp_path, 1)
    monkeypatch.setattr("os.scandir", lambda _: [Entry()])
    with pytest.raises(RunFailed, match="here/link cannot be read now: Input/output error"):
        Folder(path=str(tmp_path), size=8).open()


def test_a_link_to_itself(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    (tmp_path / "me.png").symlink_to("me.png")
    source = Folder(path=str(tmp_path), size=8).open()
    with pytest.raises(Skip, match="cannot be read: Too many levels"):
        source.read(1)


def test_a_linked_folder_is_followed(tmp_path: Path) -> None:
    fill(tmp_path / "elsewhere", 2)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "link").symlink_to(tmp_path / "elsewhere")
    assert names(Folder(path=str(tmp_path / "data")).open()) == ["link/0000.png", "link/0001.png"]


def test_the_fingerprint_follows_the_files(tmp_path: Path) -> None:
    fill(tmp_path, 2)
    first = Folder(path=str(tmp_path)).open().fingerprint
    assert Folder(path=str(tmp_path)).open().fingerprint == first
    fill(tmp_path, 1, first=2)
    second = Folder(path=str(tmp_path)).open().fingerprint
    os.utime(tmp_path / "0000.png", (1, 1))
    assert len({first, second, Folder(path=str(tmp_path)).open().fingerprint}) == 3


def test_a_folder_without_pictures(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(BadData, match=r"no picture there .*1 other files"):
        Folder(path=str(tmp_path)).open()
    with pytest.raises(DataNotFound, match="no such folder"):
        Folder(path=str(tmp_path / "missing")).open()
    with pytest.raises(DataNotFound, match="is a file"):
        Folder(path=str(tmp_path / "notes.txt")).open()


@pytest.mark.parametrize("options", [{"size": 0}, {"channels": 2}, {"crop": "center"}])
def test_wrong_options(options: dict[str, int]) -> None:
    with pytest.raises(UserError, match=next(iter(options))):
        Folder(**options)


def test_class_folders() -> None:
    assert pictures.class_of("a/b.png", "") == "a"
    assert pictures.class_of("b.png", "") == ""
    assert pictures.class_of("train/a/c/b.png", "train/") == "a"


# Archives


def test_a_zip_gives_what_the_folder_gives(tmp_path: Path) -> None:
    members = {f"data/{kind}/{i}.png": encoded(picture(i)) for i in range(3) for kind in ("cat", "dog")}
    members |= {"__MACOSX/data/cat/._0.png": b"x", "data/.hidden.png": b"x", "data/readme.txt": b"x", "data/cat/": b""}
    for name, data in members.items():
        if not name.endswith("/"):
            (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "tree" / name).write_bytes(data)
    dataset = Zip(path=str(write_zip(tmp_path / "all.zip", members)), size=8, labels=True)
    source = dataset.open()
    folder = Folder(path=str(tmp_path / "tree" / "data"), size=8, labels=True).open()
    assert names(source) == [f"data/{name}" for name in names(folder)]
    assert source.classes == folder.classes == {"y": ("cat", "dog")}
    assert source.num_ignored == 1
    for i in range(len(source)):
        assert np.array_equal(source.read(i)["x"], folder.read(i)["x"])
        assert source.read(i)["y"] == folder.read(i)["y"]
    check(dataset, source)


def test_bad_members_are_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = {name: encoded(picture(i)) for i, name in enumerate(("a.png", "crc.png", "encrypted.png", "large.png"))}
    file = write_zip(tmp_path / "bad.zip", data, zipfile.ZIP_STORED)
    raw = bytearray(file.read_bytes())
    raw[raw.index(data["crc.png"]) + 40] ^= 0xFF
    central = raw.index(b"PK\x01\x02", raw.index(data["large.png"]))
    entry = raw.rindex(b"PK\x01\x02", central, raw.rindex(b"encrypted.png"))
    raw[entry + 8] |= 1
    file.write_bytes(raw)
    source = Zip(path=str(file), size=8).open()
    source.read(0)
    for index, reason in ((1, "cannot be extracted: Bad CRC"), (2, "encrypted")):
        with pytest.raises(Skip, match=reason):
            source.read(index)
    monkeypatch.setattr("ganskit.data.archive.MAX_FILE_BYTES", 10)
    with pytest.raises(Skip, match="too large"):
        source.read(3)


def test_a_zip_that_cannot_be_read_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_zip(tmp_path / "a.zip", {f"{i}.png": encoded(picture(i)) for i in range(2)}, zipfile.ZIP_STORED)
    source = Zip(path=str(file), size=8).open()
    for where in ("io.open", "zipfile.ZipFile.open", "zipfile.ZipExtFile.read"):
        for number in (errno.EMFILE, errno.EIO):
            archive._opened.cache_clear()
            with monkeypatch.context() as patch:
                patch.setattr(where, refused(number))
                with pytest.raises(RunFailed, match=rf"a\.zip.* cannot be read now: {os.strerror(number)}"):
                    source.read(1)
        source.read(1)
    with monkeypatch.context() as patch:
        patch.setattr("zipfile.ZipExtFile.read", refused(errno.EINVAL))
        with pytest.raises(Skip, match="cannot be extracted"):
            source.read(1)
    archive._opened.cache_clear()
    file.unlink()
    with pytest.raises(BadData, match=r"a\.zip cannot be read: No such file"):
        source.read(1)


def test_a_second_file_of_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path / "home"))
    pictures = [encoded(picture(i)) for i in range(5)]
    with warnings.catch_warnings(), zipfile.ZipFile(tmp_path / "a.zip", "w") as opened:
        warnings.simplefilter("ignore")  # zipfile's own remark
        for name, data in zip(("x/b.png", "c.png", "x/b.png", "/x/b.png", "a.png"), pictures, strict=True):
            opened.writestr(name, data)
        for _ in range(2):
            opened.writestr("read.me", b"")
    dataset = Zip(path=str(tmp_path / "a.zip"), size=8, labels=True)
    source = dataset.open()
    assert source.num_ignored == 2
    assert names(source) == ["a.png", "c.png", "x/b.png", "x/b.png (2)", "x/b.png (3)"]
    assert np.array_equal(source.read(2)["x"], images.decode(pictures[0], 8, 3, "centre"))
    store = prepare(dataset, workers=1, progress=False, max_skipped=0.9)
    again = [(f"x/b.png ({i})", "a second file of this name") for i in (2, 3)]
    assert [each for each in store.manifest.skipped if "b.png" in each[0]] == again


@pytest.mark.parametrize("damage", [bad_utf8, negative_start, without_names])
def test_zips_whose_lists_are_damaged(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    file = write_zip(tmp_path / "a.zip", {"aaaa.png": encoded(picture())})
    file.write_bytes(damage(file.read_bytes()))
    for use in (
        lambda: [each.files.data(name) for each in [Zip(path=str(file)).open()] for name in each.names],
        lambda: detect(file, 8, 3),
    ):
        with contextlib.suppress(BadData, Skip):
            use()


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(0), st.integers(0, 255)), min_size=1, max_size=4))
def test_damaged_zips_are_an_error_or_skipped(tmp_path: Path, changes: list[tuple[int, int]]) -> None:
    data = bytearray(write_zip(tmp_path / "a.zip", {f"d/\N{SNOWMAN}{i}.png": b"hello" * 50 for i in range(3)}).read_bytes())
    half = len(data) // 2
    for at, value in changes:
        data[half + at % half] = value
    file = tmp_path / "b.zip"
    file.write_bytes(data)
    archive._opened.cache_clear()
    with contextlib.suppress(BadData):
        detect(file, 8, 3)
    with contextlib.suppress(BadData):
        files, found, _ = archive.pictures_inside(file)
        for name, _, _ in found:
            with contextlib.suppress(Skip):
                files.data(name)


ODD = "two\nlines \x1b[31m"


def test_names_do_not_break_messages(tmp_path: Path) -> None:
    """A path with a line break, in every error that names it."""
    odd = tmp_path / ODD
    (odd / "empty").mkdir(parents=True)
    (odd / "pictures" / "trainA").mkdir(parents=True)
    fill(odd / "pictures" / "trainA", 2)
    (odd / "a.zip").write_bytes(b"PK\3\4")
    (odd / "a.tar").write_bytes(b"")
    for kind, path in (
        (Zip, "none.zip"),
        (Zip, "a.zip"),
        (Folder, "none"),
        (Folder, "a.zip"),
        (Folder, "empty"),
        (Lsun, "none"),
        (Lsun, "a.zip"),
        (Lsun, "a.tar"),
        (CelebA, "none"),
        (CelebA, "a.tar"),
        (TwoDomains, "pictures"),
        (TwoDomains, "pictures/trainA"),
    ):
        with pytest.raises(UserError) as error:
            kind(path=str(odd / path)).open()
        assert "two\\nlines \\x1b[31m" in str(error.value)
        assert ODD not in str(error.value)
    with pytest.raises(UserError) as error:
        Folder(path=str(odd / "pictures" / "trainA"), labels=True).open()
    assert ODD not in str(error.value)
    fill(odd / "img_align_celeba" / "again", 1)
    fill(odd / "img_align_celeba", 1)
    with pytest.raises(BadData, match="two pictures of one name") as error:
        CelebA(path=str(odd)).open()
    assert ODD not in str(error.value)


def test_what_is_no_zip(tmp_path: Path) -> None:
    (tmp_path / "half.zip").write_bytes(write_zip(tmp_path / "a.zip", {"a.png": encoded(picture())}).read_bytes()[:-30])
    with pytest.raises(BadData, match=r"half.zip .* is no readable .zip file"):
        Zip(path=str(tmp_path / "half.zip")).open()
    with pytest.raises(DataNotFound):
        Zip(path=str(tmp_path / "missing.zip")).open()
    with pytest.raises(BadData, match="no picture"):
        Zip(path=str(write_zip(tmp_path / "b.zip", {"a.txt": b""}))).open()


# LSUN


def values(count: int) -> list[bytes]:
    return [encoded(picture(i), ("WEBP", "JPEG")[i % 2]) for i in range(count)]


@pytest.mark.parametrize("below", ["", "bedroom_train_lmdb"])
def test_lsun(tmp_path: Path, below: str) -> None:
    write_lmdb(tmp_path / "bedroom_train_lmdb", values(7))
    (tmp_path / "bedroom_train_lmdb" / "lock.mdb").unlink()
    dataset = Lsun(path=str(tmp_path / below), size=8)
    source = dataset.open()
    assert len(source) == 7
    assert len(source.name(0)) == 40
    assert names(source) == sorted(names(source))
    for i, value in enumerate(lsun_order(values(7))):
        assert np.array_equal(source.read(i)["x"], images.decode(value, 8, 3, "centre"))
    check(dataset, source)
    assert [file.name for file in (tmp_path / "bedroom_train_lmdb").iterdir()] == ["data.mdb"]


def test_lsun_parts_are_small_and_in_order(tmp_path: Path) -> None:
    """A part is a key and a count, whatever the size of the database."""
    source = Lsun(path=str(write_lmdb(tmp_path / "x_lmdb", values(7))), size=8).open()
    parts = [source.part(start, min(start + 3, 7)) for start in range(0, 7, 3)]
    assert [name for part in parts for name in names(part)] == names(source)
    assert max(len(pickle.dumps(part)) for part in parts) < 2000
    with pytest.raises(IndexError):
        source.read(7)


def test_lsun_damaged(tmp_path: Path) -> None:
    folder = write_lmdb(tmp_path / "bedroom_train_lmdb", [b"v" * 5000] * 300)
    size = (folder / "data.mdb").stat().st_size
    os.truncate(folder / "data.mdb", size // 2)
    with pytest.raises(BadData, match=r"data.mdb is cut short"):
        Lsun(path=str(folder)).open()
    (folder / "data.mdb").write_bytes(b"junk" * 5000)
    with pytest.raises(BadData, match="not an LMDB"):
        Lsun(path=str(folder)).open()


def test_lsun_without_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path))
    with pytest.raises(DataNotFound) as error:
        Lsun(category="kitchen", split="val").open()
    text = str(error.value)
    for needed in (
        str(tmp_path / "originals" / "lsun" / "kitchen_val_lmdb" / "data.mdb"),
        "kitchen_val_lmdb.zip",
        "4.9 MB",
        "http://dl.yf.io/lsun/scenes/kitchen_val_lmdb.zip",
        "--data PATH",
        "ganskit run dcgan-rooms",
    ):
        assert needed in text
    with pytest.raises(DataNotFound, match="no such folder"):
        Lsun(path=str(tmp_path / "missing")).open()


# What is it?


@pytest.mark.parametrize("dataset", [Folder(name="mine"), Zip(name="mine"), Cifar10(), Mnist()])
def test_every_dataset_says_how_to_get_it(dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path))
    with pytest.raises(DataNotFound) as error:
        dataset.open()
    assert str(tmp_path / "originals") in str(error.value)
    assert "--data PATH" in str(error.value)


def test_importing_is_light() -> None:
    code = (
        "import sys, ganskit.data, ganskit.data.home, ganskit.data.store, ganskit.data.sampler, ganskit.data.catalog;"
        "assert dir(ganskit.data); print([m for m in ('torch', 'PIL', 'lmdb') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
