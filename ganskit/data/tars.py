"""Tar archives, read where they lie: which files are in them, and the bytes of each. Nothing is extracted."""

from __future__ import annotations

import os
import tarfile
from array import array
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

import numpy as np
from attrs import frozen

from ganskit.data.damage import unreadable
from ganskit.data.dataset import Skip
from ganskit.data.files import printable
from ganskit.data.images import MAX_FILE_BYTES
from ganskit.data.listed import Original
from ganskit.errors import BadData

MAX_HEADER_BYTES = 2**20
MAX_PADDING_BYTES = 2**20
_COMPRESSED = {b"\x1f\x8b": "gunzip", b"BZh": "bunzip2", b"\xfd7zXZ\0": "unxz", b"\x28\xb5\x2f\xfd": "unzstd"}
_PLACE = np.dtype([("archive", np.int32), ("start", np.int64), ("num_bytes", np.int64)])


class Member(NamedTuple):
    """A regular file in an archive: `num_bytes` from byte `start` of the archive on."""

    name: str
    start: int
    num_bytes: int


def members(archive: Original, within: Member | None = None) -> Iterator[Member]:
    """The regular files in an archive, or in the archive `within` it, in order. Reads headers only.

    Names are decoded as UTF-8, other bytes as surrogates. Raises BadData when it is compressed, no archive, damaged or cut short.
    """
    start, num_bytes = (within.start, within.num_bytes) if within else (0, archive.num_bytes)
    title = f"{archive.title}: {printable(within.name)}" if within else archive.title
    with archive.open() as stream:
        headers = _Headers(stream, start, num_bytes)
        try:
            _check_plain(headers, title)
            with tarfile.TarFile(fileobj=headers, encoding="utf-8", errors="surrogateescape") as tar:  # type: ignore[arg-type] # what it calls is there
                for info in _infos(tar):
                    if info.isreg() and not info.issparse():
                        yield Member(info.name, start + info.offset_data, info.size)
                _check_end(headers, tar.offset)
        except BadData:
            raise
        except Exception as error:  # damaged headers make tarfile raise nearly anything
            words = " ".join(str(error).split()) or type(error).__name__
            raise BadData(
                f"{title} ({num_bytes:,} bytes) is no tar archive, or is damaged or cut short: {words}. Download it again."
            ) from error


class _Headers:
    """A stretch of a file as a file of its own, for reading headers: it gives no more at once than a header may take."""

    def __init__(self, stream: BinaryIO, start: int, num_bytes: int) -> None:
        self._stream, self._start, self.num_bytes = stream, start, num_bytes
        self._position = 0

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> None:
        self._position = position

    def read(self, num_bytes: int) -> bytes:
        if not 0 <= num_bytes <= MAX_HEADER_BYTES:  # tarfile reads long names whole, at whatever length they claim
            raise tarfile.ReadError(f"a header of {num_bytes:,} bytes")
        wanted = max(0, min(num_bytes, self.num_bytes - self._position))
        data = os.pread(self._stream.fileno(), wanted, self._start + self._position)  # a buffer would read ahead in vain
        self._position += len(data)
        return data


def _infos(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    last = -1
    while (info := tar.next()) is not None:
        if info.size < 0 or info.offset <= last:  # else it would go round for ever
            raise tarfile.ReadError(f"the header at byte {info.offset:,} leads backwards")
        last = info.offset
        tar.members.clear()  # type: ignore[attr-defined] # they would pile up
        yield info


def _check_plain(headers: _Headers, title: str) -> None:
    first = headers.read(8)
    headers.seek(0)
    for magic, command in _COMPRESSED.items():
        if first.startswith(magic):
            raise BadData(
                f"{title} is compressed, so that a picture cannot be read without all that come before it. "
                f"Decompress it first, with {command}, and give the .tar file."
            )


def _check_end(headers: _Headers, position: int) -> None:
    """Nothing but zeros follows: tarfile stops in silence at any header that it cannot read, and at zeros in the middle."""
    headers.seek(position)
    rest = headers.read(min(headers.num_bytes - position, MAX_PADDING_BYTES))
    if len(rest) < tarfile.BLOCKSIZE or rest[: tarfile.BLOCKSIZE].strip(b"\0"):
        raise tarfile.ReadError(f"no header at byte {position:,}")
    if rest.strip(b"\0") or headers.num_bytes - position > MAX_PADDING_BYTES:
        raise tarfile.ReadError(f"its list of members ends at byte {position:,} already, and more follows")


@frozen(eq=False)
class TarFiles:
    """A list of files in some archives, by number; lean, for there may be millions."""

    archives: tuple[Original, ...]
    places: np.ndarray
    """For each the number of its `archive`, its `start` there and `num_bytes`."""
    letters: bytes
    """All names, one after the other."""
    ends: np.ndarray
    """Where in `letters` each name ends."""

    @classmethod
    def of(cls, archives: tuple[Original, ...], found: Iterable[tuple[int, Member]]) -> TarFiles:
        """From pairs of an archive's number and one of its members."""
        letters = bytearray()
        ends = array("q")

        def rows() -> Iterator[tuple[int, int, int]]:
            for archive, (name, start, num_bytes) in found:
                letters.extend(name.encode("utf-8", "surrogateescape"))
                ends.append(len(letters))
                yield archive, start, num_bytes

        places = np.fromiter(rows(), dtype=_PLACE)
        return cls(archives, places, bytes(letters), np.array(ends, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.ends)

    def name(self, index: int) -> str:
        """The name of one file."""
        start = int(self.ends[index - 1]) if index else 0
        return self.letters[start : int(self.ends[index])].decode("utf-8", "surrogateescape")

    def data(self, index: int) -> bytes:
        """The bytes of one file. Raises Skip when it is too large, BadData when the archive has changed, or RunFailed."""
        number, start, num_bytes = map(int, self.places[index])
        archive = self.archives[number]
        if num_bytes > MAX_FILE_BYTES:
            raise Skip(f"{num_bytes:,} bytes: too large")
        if start + num_bytes > archive.num_bytes:
            raise Skip("beyond the end of the archive")
        with archive.open() as stream:
            try:
                stream.seek(start)
                data: bytes = stream.read(num_bytes)
            except OSError as error:
                raise unreadable(f"{archive.file}: {self.name(index)}", error) from error
        if len(data) < num_bytes:
            raise BadData(
                f"{archive.title} was made shorter while it was being read. Wait until it is complete, and start again."
            )
        return data

    def part(self, start: int, stop: int) -> TarFiles:
        """Numbers `start` to `stop` alone, with their archives."""
        places = self.places[start:stop].copy()
        used, places["archive"] = np.unique(places["archive"], return_inverse=True)
        first = int(self.ends[start - 1]) if start else 0
        ends = self.ends[start:stop] - first
        letters = self.letters[first : first + int(ends[-1])] if len(ends) else b""
        return TarFiles(tuple(self.archives[number] for number in used), places, letters, ends)
