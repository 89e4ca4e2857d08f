"""An archive from the internet becomes a folder: whole or not at all, and nothing outside of it."""

from __future__ import annotations

import contextlib
import errno
import gzip
import lzma
import os
import shutil
import stat
import tarfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath
from typing import IO, Any

from attrs import define, frozen
from tqdm import tqdm

from ganskit.data.damage import damage
from ganskit.data.files import printable
from ganskit.data.guards import disk_errors, locked
from ganskit.data.published import bar
from ganskit.data.room import check_room, in_words
from ganskit.errors import BadData, RunFailed

MAX_MEMBERS = 2_000_000
UNFINISHED = ".unpacking"

_ENCRYPTED = 0x1
_CHUNK = 2**20
_MAX_READ = 16 * 2**20  # tarfile reads a header in one piece, and a hostile one promises gigabytes
_USUAL_RATIO = 100  # nothing made of pictures shrinks as far
_KIND = "archive that can be unpacked (.zip, .tar, .tar.gz, .tar.xz)"


def unpack(
    archive: Path, folder: Path, max_bytes: int | None = None, max_members: int = MAX_MEMBERS, progress: bool = False
) -> Path:
    """Unpack a .zip or a .tar (.gz, .xz) so that `folder` appears when everything is in it, and return it.

    An archive that is one folder becomes `folder`; any other is put into it. Files keep their times, and nothing else:
    no owners, no permissions. Raises BadData for what is damaged, encrypted, or wants to be elsewhere (absolute paths,
    "..", links, devices), for a name that comes twice, for more than `max_members`, and when more than `max_bytes` come
    out (default: a hundred times the archive, at least 1 GiB). Raises RunFailed when the disk has no room.

    One process at a time unpacks into a folder; whoever comes second waits, and a `folder` that has something in it by
    then is left as it is.
    """
    with locked(folder, progress):
        with disk_errors(folder):
            there = folder.is_dir() and any(folder.iterdir())
        if not there:
            _unpack(archive, folder, max_bytes, max_members, progress)
    return folder


def _unpack(archive: Path, folder: Path, max_bytes: int | None, max_members: int, progress: bool) -> None:
    if max_bytes is None:
        with damage(archive, _KIND):
            max_bytes = max(2**30, _USUAL_RATIO * archive.stat().st_size)
    unfinished = folder.with_name(folder.name + UNFINISHED)
    with disk_errors(folder):
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
    try:
        with damage(archive, _KIND), bar(f"unpacking {archive.name}", None, progress) as shown:
            _extract(archive, unfinished, _Limits(archive, max_bytes, max_members), shown)
        if hasattr(os, "sync"):
            os.sync()  # on the disk before it gets its name: a power cut must not leave holes in what looks whole
        with disk_errors(folder):
            os.replace(_only_folder(unfinished), folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


@frozen
class _Member:
    """A file in an archive; `content` is what to read it with, None for a folder."""

    name: str
    size_bytes: int
    modified_s: float
    content: Any


@define
class _Limits:
    """Counts what comes out, whatever the headers promise."""

    archive: Path
    max_bytes: int
    max_members: int
    num_bytes: int = 0
    num_members: int = 0

    @property
    def title(self) -> str:
        return printable(str(self.archive))

    def member(self, promised_bytes: int) -> None:
        self.num_members += 1
        if self.num_members > self.max_members:
            raise BadData(f"{self.title} has more than {self.max_members:,} members, which no dataset has.")
        self.check(promised_bytes)

    def count(self, num_bytes: int) -> None:
        self.check(num_bytes)
        self.num_bytes += num_bytes

    def check(self, more: int) -> None:
        if self.num_bytes + more > self.max_bytes:
            raise BadData(
                f"{self.title} ({in_words(self.archive.stat().st_size)}) unpacks to more than {in_words(self.max_bytes)}: "
                "it is not what it says it is."
            )


def _extract(archive: Path, folder: Path, limits: _Limits, shown: tqdm[Any]) -> None:
    for member in _members(archive, folder, limits, shown):
        limits.member(member.size_bytes)
        target = folder / member.name
        if target == folder and member.content is not None:
            raise BadData(f"{limits.title} holds a file without a name.")
        try:
            if member.content is None:
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as stream:
                _copy(member.content, stream, limits, shown)
            with contextlib.suppress(OSError, OverflowError, ValueError):  # of no importance, and archives hold any number
                os.utime(target, (member.modified_s, member.modified_s))
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise BadData(f"{limits.title} holds {printable(member.name)} twice.") from error
        except OSError as error:
            raise _disk_error(archive, folder, limits, error) from error
    if limits.num_members == 0:
        raise BadData(f"{limits.title} holds nothing.")


def _copy(content: IO[bytes], stream: IO[bytes], limits: _Limits, shown: tqdm[Any]) -> None:
    while data := _read(content, limits.archive):
        limits.count(len(data))
        stream.write(data)
        shown.update(len(data))


def _read(content: IO[bytes], archive: Path) -> bytes:
    with damage(archive, _KIND):  # here, for else it would be taken for trouble with the disk that is written to
        return content.read(_CHUNK)


def _members(archive: Path, folder: Path, limits: _Limits, shown: tqdm[Any]) -> Iterator[_Member]:
    with archive.open("rb") as raw:
        start = raw.read(6)
    if start[:4] in (b"PK\3\4", b"PK\5\6"):
        yield from _zip_members(archive, folder, limits, shown)
    else:
        opener: Any = gzip.open if start[:2] == b"\x1f\x8b" else lzma.open if start == b"\xfd7zXZ\0" else open
        with opener(archive, "rb") as stream:
            yield from _tar_members(archive, stream)
            while rest := stream.read(_CHUNK):  # to its end, where its checksum is
                limits.count(len(rest))


def _zip_members(archive: Path, folder: Path, limits: _Limits, shown: tqdm[Any]) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as opened:
        shown.total = sum(member.file_size for member in opened.infolist())
        limits.check(shown.total)
        check_room(folder, shown.total, f"Unpacking {archive.name}")
        for member in opened.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise BadData(f"{limits.title}: {printable(member.filename)} is a link or a device.")
            if member.flag_bits & _ENCRYPTED:
                raise BadData(f"{limits.title} is encrypted.")
            name = _inside(archive, member.filename)
            if name.endswith("/"):
                yield _Member(name, 0, 0.0, None)
                continue
            with opened.open(member) as content:
                yield _Member(name, member.file_size, _time_of(member), content)


def _tar_members(archive: Path, stream: IO[bytes]) -> Iterator[_Member]:
    careful: Any = _Careful(stream)  # tarfile needs no more of a file than this
    with tarfile.open(fileobj=careful, mode="r:") as opened:
        for member in opened:
            if not (member.isreg() or member.isdir()):
                raise BadData(f"{printable(str(archive))}: {printable(member.name)} is a link or a device.")
            name = _inside(archive, member.name)
            yield _Member(name, member.size, float(member.mtime), opened.extractfile(member))
        if stream.tell() <= opened.offset:  # nothing was read where a block of zeros must be
            raise tarfile.ReadError("it ends too early")


class _Careful:
    """A stream for tarfile that gives no more than a few megabytes at once."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.tell, self.seek = stream.tell, stream.seek

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _MAX_READ:
            raise tarfile.ReadError(f"a header of {size:,} bytes")
        return self._stream.read(size)


def _inside(archive: Path, name: str) -> str:
    """The member's name, when it stays inside on every system."""
    path = PureWindowsPath(name)  # knows both kinds of slashes, and drives
    if path.drive or path.root or ".." in path.parts or "\0" in name:
        raise BadData(f"{printable(str(archive))}: {printable(name)} wants to be outside of the folder it is unpacked into.")
    return name.replace("\\", "/")


def _time_of(member: zipfile.ZipInfo) -> float:
    try:
        return time.mktime((*member.date_time, 0, 0, -1))
    except (ValueError, OverflowError):
        return 0.0


def _only_folder(folder: Path) -> Path:
    """The one folder in it, if there is nothing else; macOS's own beside it does not count."""
    inside = [each for each in folder.iterdir() if each.name != "__MACOSX"]
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def _disk_error(archive: Path, folder: Path, limits: _Limits, error: OSError) -> RunFailed:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        done = in_words(limits.num_bytes)
        return RunFailed(
            f"The disk is full: {archive.name} did not fit into {folder.parent} after {done}. Make room, run it again."
        )
    return RunFailed(f"{folder.parent} cannot be written: {error}.")
