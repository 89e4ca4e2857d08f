"""Archives of strangers."""

from __future__ import annotations

import errno
import gzip
import io
import lzma
import os
import shutil
import stat
import tarfile
import threading
import time
import zipfile
from collections import namedtuple
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samples_zips import bad_utf8, negative_start, without_names

from ganskit.data import unpack as unpack_module
from ganskit.data.unpack import unpack
from ganskit.errors import BadData, RunFailed

FILES = {"top/a.txt": b"a" * 5000, "top/sub/b.bin": bytes(range(256)), "top/empty": b""}


def as_zip(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def as_tar(files: dict[str, bytes], **info: object) -> bytes:
    """A .tar; `info` are further fields of every member."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            for key, value in info.items():
                setattr(member, key, value)
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


KINDS: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "zip": as_zip,
    "stored zip": lambda files: as_zip(files, zipfile.ZIP_STORED),
    "tar": as_tar,
    "tar.gz": lambda files: gzip.compress(as_tar(files)),
    "tar.xz": lambda files: lzma.compress(as_tar(files)),
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


def left(folder: Path) -> list[str]:
    """What is in it, but for the locks."""
    return sorted(name for name in os.listdir(folder) if not name.endswith(".lock"))


def opened(place: Path, data: bytes, **limits: int) -> dict[str, bytes]:
    (place / "archive").write_bytes(data)
    folder = unpack(place / "archive", place / "out", **limits)
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def refused(place: Path, data: bytes, message: str, **limits: int) -> None:
    """Nothing is left, neither in the folder nor outside."""
    (place / "archive").write_bytes(data)
    with pytest.raises(BadData, match=message):
        unpack(place / "archive", place / "out", **limits)
    assert left(place) == ["archive"]
    assert os.listdir(place.parent) == ["here"]


@pytest.mark.parametrize("kind", KINDS)
def test_unpack(place: Path, kind: str) -> None:
    """The one folder in it becomes the folder; an archive without one is put into it."""
    expected = {name.removeprefix("top/"): data for name, data in FILES.items()}
    assert opened(place, KINDS[kind](FILES)) == expected
    shutil.rmtree(place / "out")
    assert opened(place, KINDS[kind]({**FILES, "__MACOSX/._a": b"mac"})) == expected
    shutil.rmtree(place / "out")
    assert opened(place, KINDS[kind]({**FILES, "other.txt": b"o"})) == {**FILES, "other.txt": b"o"}
    assert left(place) == ["archive", "out"]


def test_folders_and_odd_names(place: Path) -> None:
    names = {"./a": b"1", "d/emoji 🎲 \n.png": b"2", "d/" + "x" * 250: b"3", "d/...": b"4", "..d/e": b"5"}
    expected = {name.removeprefix("./"): data for name, data in names.items()}
    assert opened(place, as_tar(names)) == expected
    shutil.rmtree(place / "out")
    assert opened(place, as_zip({**names, "folder/": b""})) == expected
    assert (place / "out" / "folder").is_dir()


def test_times_are_kept_and_permissions_are_not(place: Path) -> None:
    opened(place, as_tar({"a": b"", "b": b""}, mtime=1_000_000_000, mode=0o4777, uid=12345))
    status = (place / "out" / "a").stat()
    assert status.st_mtime == 1_000_000_000
    assert not status.st_mode & (stat.S_ISUID | stat.S_IXUSR | stat.S_IWOTH)
    assert status.st_uid == os.getuid()
    for strange in (-1, 1e300, float("nan")):
        shutil.rmtree(place / "out")
        assert opened(place, as_tar({"a": b"x"}, pax_headers={"mtime": str(strange)})) == {"a": b"x"}


@pytest.mark.parametrize(
    "name", ["/etc/evil", "../evil", "a/../../evil", "a/..", "C:\\evil", "\\evil", "..\\evil", "a\\..\\..\\evil"]
)
@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_no_way_out(place: Path, kind: str, name: str) -> None:
    refused(place, KINDS[kind]({"good": b"x", name: b"evil"}), "wants to be outside")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
@pytest.mark.parametrize("target", ["/etc/passwd", "../..", "a"])
def test_no_links_and_no_devices_in_tars(place: Path, kind: bytes, target: str) -> None:
    refused(place, as_tar({"a": b"", "b": b""}, type=kind, linkname=target), "is a link or a device")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_no_links_and_no_devices_in_zips(place: Path, kind: int) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        member = zipfile.ZipInfo("a")
        member.external_attr = (kind | 0o777) << 16
        archive.writestr(member, "/etc/passwd")
    refused(place, stream.getvalue(), "is a link or a device")


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.xz"])
def test_bombs(place: Path, kind: str) -> None:
    bomb = KINDS[kind]({"top/a": bytes(3_000_000), "top/b": bytes(3_000_000)})
    refused(place, bomb, r"unpacks to more than 5\.0 MB", max_bytes=5_000_000)
    refused(place, bomb, "more than 1 members", max_members=1)
    assert len(opened(place, bomb, max_bytes=6_100_000, max_members=2)) == 2


def test_the_default_limit_follows_the_archive(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganskit.data.unpack._USUAL_RATIO", 2)
    assert opened(place, as_zip({"a": bytes(3_000_000)})) == {"a": bytes(3_000_000)}  # a gigabyte is always allowed


def test_lying_zip_headers(place: Path) -> None:
    """A member that says that it is small, and is not."""
    data = bytearray(as_zip({"a": bytes(3_000_000)}))
    true, small = (3_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little")
    assert data.count(true) == 2
    refused(place, bytes(data.replace(true, small)), "no archive that can be unpacked")


def test_a_tar_header_that_promises_gigabytes(place: Path) -> None:
    """tarfile would read it into memory in one piece."""
    member = tarfile.TarInfo("x")
    member.type, member.size = tarfile.XHDTYPE, 2**33
    refused(place, gzip.compress(member.tobuf(tarfile.GNU_FORMAT) + bytes(10_000)), "a header of 8,589,934,592 bytes")
    member.type = tarfile.GNUTYPE_LONGNAME
    refused(place, member.tobuf(tarfile.GNU_FORMAT) + bytes(10_000), "a header of")


def test_twice_the_same_name(place: Path) -> None:
    stream = io.BytesIO(as_tar({"a": b"1"})[:1024] + as_tar({"a": b"2"}))
    refused(place, stream.getvalue(), "holds a twice")
    refused(place, as_tar({"a": b"1", "a/b": b"2"}), "holds a/b twice")
    refused(place, as_tar({"a/b": b"1", "a": b"2"}), "holds a twice")
    refused(place, as_zip({"a": b"1", "b": b"2"}, zipfile.ZIP_STORED).replace(b"b", b"a"), "holds a twice")


def test_encrypted(place: Path) -> None:
    data = bytearray(as_zip({"a": b"x"}))
    data[data.index(b"PK\1\2") + 8] |= 1
    refused(place, bytes(data), "is encrypted")


@pytest.mark.parametrize("kind", KINDS)
def test_cut_short(place: Path, kind: str) -> None:
    data = KINDS[kind]({"top/a": os.urandom(20_000), "top/b": os.urandom(20_000)})
    for length in (0, 1, 100, len(data) // 2, len(data) - 1) if kind != "tar" else (0, 1, 100, 512, len(data) // 2, 41_472):
        refused(place, data[:length], r"no archive that can be unpacked.*downloaded whole")


def test_a_checksum_at_the_end_is_read(place: Path) -> None:
    data = bytearray(gzip.compress(as_tar(FILES)))
    data[-6] ^= 0xFF
    refused(place, bytes(data), "CRC check failed")


def test_an_empty_archive(place: Path) -> None:
    for kind in KINDS.values():
        refused(place, kind({}), "holds nothing")


def test_what_is_no_archive(place: Path) -> None:
    for data in (b"<html>404", b"Rar!\x1a\x07\x00" + bytes(1000), b"\x1f\x8b" + bytes(100), b"PK\3\4" + bytes(100)):
        refused(place, data, "no archive that can be unpacked")


def test_a_tar_with_a_zip_at_its_end_is_a_tar(place: Path) -> None:
    assert list(opened(place, as_tar({"a.zip": as_zip({"b": b""})}))) == ["a.zip"]


def test_no_room(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, 1000))
    (place / "archive").write_bytes(as_zip(FILES))
    with pytest.raises(RunFailed, match=r"Unpacking archive needs 5\.3 kB in .* 4\.3 kB are missing"):
        unpack(place / "archive", place / "out")
    assert left(place) == ["archive"]


def test_the_disk_fills_up(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "archive").write_bytes(as_tar(FILES))

    def full(*_) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ganskit.data.unpack._copy", full)
    with pytest.raises(RunFailed, match="The disk is full: archive did not fit into"):
        unpack(place / "archive", place / "out")
    assert left(place) == ["archive"]


def test_interrupted(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C leaves nothing; what a kill left is removed by the next call."""
    (place / "archive").write_bytes(as_tar(FILES))

    def interrupt(_: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("ganskit.data.unpack._only_folder", interrupt)
        with pytest.raises(KeyboardInterrupt):
            unpack(place / "archive", place / "out")
    assert left(place) == ["archive"]
    (place / "out.unpacking" / "top").mkdir(parents=True)
    (place / "out.unpacking" / "top" / "a.txt").write_bytes(b"half")
    assert (unpack(place / "archive", place / "out") / "a.txt").read_bytes() == FILES["top/a.txt"]
    assert left(place) == ["archive", "out"]


def test_what_is_there_is_left_as_it_is(place: Path) -> None:
    (place / "out").mkdir()
    (place / "archive").write_bytes(as_tar(FILES))
    unpack(place / "archive", place / "out")
    (place / "archive").write_bytes(as_tar({"b": b""}))
    assert sorted(os.listdir(unpack(place / "archive", place / "out"))) == ["a.txt", "empty", "sub"]
    (place / "file").write_bytes(b"mine")
    with pytest.raises(RunFailed, match="file"):
        unpack(place / "archive", place / "file")
    assert (place / "file").read_bytes() == b"mine"


@pytest.mark.parametrize("kind", KINDS)
def test_two_at_a_time(place: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second waits for the first, and has nothing to do then."""
    (place / "archive").write_bytes(KINDS[kind](FILES))
    copy, calls, in_the_middle = unpack_module._copy, [], threading.Event()

    def slow(*args) -> None:
        calls.append(threading.get_ident())
        in_the_middle.set()
        time.sleep(0.05)
        copy(*args)

    monkeypatch.setattr(unpack_module, "_copy", slow)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(unpack, place / "archive", place / "out")
        assert in_the_middle.wait(10)
        second = pool.submit(unpack, place / "archive", place / "out")
        assert first.result() == second.result() == place / "out"
    assert len(set(calls)) == 1
    assert left(place) == ["archive", "out"]
    assert (place / "out" / "a.txt").read_bytes() == FILES["top/a.txt"]


# Damage that zipfile does not expect


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("damage", [bad_utf8, negative_start, lambda data: without_names(data, 1)])
def test_zips_whose_lists_are_damaged(place: Path, compression: int, damage: Callable[[bytes], bytes]) -> None:
    data = damage(as_zip({"aaaa.png": b"x" * 100, "b.png": b"x"}, compression))
    refused(place, data, "archive .*no archive that can be unpacked.*downloaded whole")


def test_a_file_without_a_name(place: Path) -> None:
    refused(place, as_zip({".": b"x"}), "holds a file without a name")


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_that_cannot_be_read_now(place: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which says nothing about the archive, and nothing about the disk that is written to."""
    (place / "archive").write_bytes(KINDS[kind](FILES))

    class Failing:
        def read(self, _: int) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    copy = unpack_module._copy
    monkeypatch.setattr(unpack_module, "_copy", lambda _, *rest: copy(Failing(), *rest))
    with pytest.raises(RunFailed, match="archive cannot be read now: Input/output error"):
        unpack(place / "archive", place / "out")
    assert left(place) == ["archive"]


def test_no_such_archive(place: Path) -> None:
    with pytest.raises(BadData, match="archive cannot be read: No such file"):
        unpack(place / "archive", place / "out")


def test_a_python_without_data_filter(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """3.11.0 to 3.11.3 have none."""
    monkeypatch.delattr(tarfile, "data_filter", raising=False)
    assert "a.txt" in opened(place, as_tar(FILES))
    shutil.rmtree(place / "out")
    refused(place, as_tar({"../a": b""}), "wants to be outside")


def test_names_do_not_break_messages(place: Path) -> None:
    (place / "two\nlines").write_bytes(as_zip({"a": bytes(20_000)}))
    with pytest.raises(BadData, match=r"two\\nlines.*unpacks to more than"):
        unpack(place / "two\nlines", place / "out", max_bytes=1)


names = st.text(st.sampled_from("ab./\\:C🎲"), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=st.dictionaries(names, st.binary(max_size=50), max_size=4), tar=st.booleans())
def test_any_names_stay_inside(place: Path, found: dict[str, bytes], tar: bool) -> None:
    shutil.rmtree(place / "out", ignore_errors=True)
    (place / "archive").write_bytes((as_tar if tar else as_zip)(found))
    try:
        unpack(place / "archive", place / "out")
    except BadData:
        assert not (place / "out").exists()
    assert set(left(place)) <= {"archive", "out"}
    assert os.listdir(place.parent) == ["here"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(sorted(KINDS)), changes=st.lists(st.tuples(st.integers(0), st.integers(0, 255)), min_size=1, max_size=5)
)
def test_damage_is_an_error_and_never_a_crash(place: Path, kind: str, changes: list[tuple[int, int]]) -> None:
    data = bytearray(KINDS[kind](FILES))
    for offset, value in changes:
        data[offset % len(data)] = value
    shutil.rmtree(place / "out", ignore_errors=True)
    (place / "archive").write_bytes(data)
    try:
        unpack(place / "archive", place / "out", max_bytes=10**6)
    except (BadData, RunFailed):
        assert not (place / "out").exists()
    assert set(left(place)) <= {"archive", "out"}
