"""LSUN: one LMDB per category and split, whose values are WebP or JPEG files under 40 hexadecimal digits."""

from __future__ import annotations

import hashlib
import os
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from attrs import field, frozen

from ganskit.data import images
from ganskit.data.catalog import not_found
from ganskit.data.dataset import Dataset, Field, Source
from ganskit.data.home import originals
from ganskit.errors import BadData, DataNotFound
from ganskit.validators import at_least, one_of

_SPARE_PAGES = 64


@frozen
class Lsun(Dataset):
    """Pictures of one LSUN category (Yu et al. 2015, arXiv 1506.03365).

    `path` is a folder such as `bedroom_train_lmdb`, which holds data.mdb, or the folder it lies in; without it
    `lsun` among the originals in ganskit's data folder. The database is opened for reading and nothing is written.
    """

    path: str | None = None
    category: str = "bedroom"
    split: str = field(default="train", validator=one_of("train", "val"))
    size: int = field(default=64, validator=at_least(1))
    channels: int = field(default=3, validator=one_of(1, 3))
    crop: str = field(default="centre", validator=one_of(*images.CROPS))

    def provides(self) -> dict[str, Field]:
        """`x` (C, size, size) uint8."""
        return {"x": Field((self.channels, self.size, self.size), pixels=True)}

    def open(self) -> LsunSource:
        """Open the database. Raises DataNotFound or BadData."""
        root = Path(self.path).expanduser() if self.path is not None else originals("lsun")
        inside = root / f"{self.category}_{self.split}_lmdb"
        folder = root if (root / "data.mdb").is_file() else inside
        if not (folder / "data.mdb").is_file():
            if self.path is not None and not root.is_dir():
                raise DataNotFound(f"{root}: there is no such folder.")
            raise not_found("lsun", inside / "data.mdb", category=self.category, split=self.split)
        return LsunSource.whole(folder.resolve(), self)


class LsunSource(Source):
    """`length` records of a database in the order of their keys, from key `first` on (None: from the beginning).

    Reading in order moves one cursor forward; any other order works and takes its time.
    """

    def __init__(self, folder: str, dataset: Lsun, first: bytes | None, length: int, fingerprint: str = "") -> None:
        self._folder, self._dataset, self._first, self._length = folder, dataset, first, length
        self._cursor: Any = None
        self._position = 0
        self.fingerprint = fingerprint
        self.transform = images.transform(dataset.size, dataset.channels, dataset.crop)

    @classmethod
    def whole(cls, folder: Path, dataset: Lsun) -> LsunSource:
        """All records. Raises BadData when the database is damaged or cut short."""
        file = folder / "data.mdb"
        environment = _environment(str(folder))
        pages, statistics = environment.info()["last_pgno"] + 1, environment.stat()
        size, expected = os.path.getsize(file), pages * statistics["psize"]
        # Reading what is missing would kill the process, as the file is mapped into memory. A few pages at the end
        # may never have been written: LMDB leaves out those that were freed before they were used.
        if size < expected - min(_SPARE_PAGES, pages // 10) * statistics["psize"]:
            raise BadData(f"{file} is cut short: {size:,} bytes, expected {expected:,}. Unpack the download again.")
        digest = hashlib.sha256(f"{statistics['entries']} {size} {os.stat(file).st_mtime_ns}".encode())
        return cls(str(folder), dataset, None, statistics["entries"], digest.hexdigest())

    def __len__(self) -> int:
        return self._length

    def name(self, index: int) -> str:
        """The record's key."""
        key: bytes = self._at(index).key()
        return key.decode("ascii", "backslashreplace")

    def read(self, index: int) -> dict[str, np.ndarray]:
        """`x`. Raises Skip."""
        options = self._dataset
        return {"x": images.decode(self._at(index).value(), options.size, options.channels, options.crop)}

    def part(self, start: int, stop: int) -> LsunSource:
        """Records `start` to `stop`, found again by the key of the first: no list of all keys is ever made."""
        return LsunSource(self._folder, self._dataset, bytes(self._at(start).key()), stop - start)

    def _at(self, index: int) -> Any:  # noqa: ANN401 - lmdb has no types
        """The cursor, on record `index`."""
        if not 0 <= index < self._length:
            raise IndexError(index)
        try:
            return self._moved(index)
        except _lmdb_error() as error:
            raise BadData(f"{self._folder} is damaged: {error}. Unpack the download again.") from error

    def _moved(self, index: int) -> Any:  # noqa: ANN401 - lmdb has no types
        if self._cursor is None or index < self._position:
            self._environment = _environment(self._folder)
            self._cursor = self._environment.begin().cursor()
            found = self._cursor.first() if self._first is None else self._cursor.set_key(self._first)
            self._check(found)
            self._position = 0
        while self._position < index:
            self._check(self._cursor.next())
            self._position += 1
        return self._cursor

    def _check(self, found: bool) -> None:
        if not found:
            raise BadData(f"{self._folder} changed while it was being read: records are missing.")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._folder, self._dataset, self._first, self._length, self.fingerprint)


def _lmdb_error() -> type[Exception]:
    import lmdb

    error: type[Exception] = lmdb.Error
    return error


_environments: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()


def _environment(folder: str) -> Any:  # noqa: ANN401 - lmdb has no types
    """The opened database; shared, because LMDB opens a path only once in a process."""
    import lmdb

    environment = _environments.get(folder)
    if environment is None:
        try:
            environment = lmdb.open(folder, readonly=True, lock=False, create=False)
        except lmdb.Error as error:
            raise BadData(f"{folder} is not an LMDB that can be read: {error}. Unpack the download again.") from error
        _environments[folder] = environment
    return environment
