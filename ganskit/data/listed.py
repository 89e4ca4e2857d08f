"""Large original files, whose contents are listed when somebody asks, and read later, in other processes."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
from attrs import field, frozen

from ganskit.data.dataset import Readable, Source
from ganskit.data.files import printable
from ganskit.errors import BadData, DataNotFound


@frozen
class Original:
    """A file as it was when it was opened; `changed` is the time of its last modification in nanoseconds."""

    file: str
    num_bytes: int
    changed: int

    @classmethod
    def of(cls, file: Path) -> Original:
        """The file as it is now. Raises DataNotFound or BadData."""
        try:
            status = file.stat()
        except OSError as error:
            raise DataNotFound(f"{printable(str(file))} cannot be opened: {error.strerror}.") from error
        if not stat.S_ISREG(status.st_mode):
            raise BadData(f"{printable(str(file))} is not a regular file.")
        return cls(str(file.absolute()), status.st_size, status.st_mtime_ns)

    @property
    def name(self) -> str:
        """Without its folder."""
        return os.path.basename(self.file)

    @property
    def title(self) -> str:
        """Its path, for a message."""
        return printable(self.file)

    def open(self) -> BinaryIO:
        """Open it for reading. Raises BadData when it is another than before."""
        try:
            stream = open(self.file, "rb")  # noqa: SIM115 - the caller closes it
        except OSError as error:
            raise BadData(f"{self.title} cannot be opened: {error.strerror}.") from error
        status = os.fstat(stream.fileno())
        if (status.st_size, status.st_mtime_ns) != (self.num_bytes, self.changed):
            stream.close()
            raise BadData(f"{self.title} changed while it was being read. Wait until it is complete, and start again.")
        return stream


def names_in(folder: Path) -> list[str]:
    """What is in a folder, sorted, hidden files left out. Raises BadData when it cannot be read."""
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError as error:
        raise BadData(f"{printable(str(folder))} cannot be read: {error.strerror}.") from error


def fingerprint(originals: Iterable[Original]) -> str:
    """Changes when one of the files does: their names, sizes and modification times, in this order."""
    status = [(os.fsencode(each.name), each.num_bytes, each.changed) for each in originals]
    return hashlib.sha256(repr(status).encode()).hexdigest()


class Rows(Readable, Protocol):
    """The examples, once they are listed."""

    def part(self, start: int, stop: int) -> Readable:
        """Examples `start` to `stop` alone, light enough to send to a worker process."""


@frozen(eq=False)
class ListedSource(Source):
    """A source that is listed by `list_rows` when it is first needed: a store that is there already needs no list."""

    list_rows: Callable[[], Rows]
    fingerprint: str
    transform: str
    classes: Mapping[str, tuple[str, ...]] = field(factory=dict)
    num_ignored: int = 0

    @cached_property
    def rows(self) -> Rows:
        """The list. Raises BadData when the files are damaged."""
        return self.list_rows()

    def __len__(self) -> int:
        return len(self.rows)

    def name(self, index: int) -> str:
        """File and place within it."""
        return self.rows.name(index)

    def read(self, index: int) -> dict[str, np.ndarray]:
        """The example. Raises Skip."""
        return self.rows.read(index)

    def part(self, start: int, stop: int) -> Readable:
        """Examples `start` to `stop`."""
        return self.rows.part(start, stop)
