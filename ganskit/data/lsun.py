"""LSUN: one LMDB per category and split, whose values are WebP or JPEG files under 40 hexadecimal digits."""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from attrs import field, frozen

from ganskit.data.catalog import not_found
from ganskit.data.damage import damage, members_of, words_of
from ganskit.data.dataset import Source
from ganskit.data.files import printable
from ganskit.data.home import expanded, originals
from ganskit.data.lmdb_file import environment, num_records
from ganskit.data.lsun_files import OBJECTS, SCENES, folder_of
from ganskit.data.pictures import Pictures
from ganskit.data.unpack import unpack
from ganskit.errors import BadData, DataNotFound, UnknownName, UserError, nearest
from ganskit.validators import one_of

_DATABASE = "data.mdb"
_NAME = re.compile(rf"(?P<category>{'|'.join(SCENES + OBJECTS)})_(?P<split>train|val|test)_lmdb(\.zip)?")


@frozen
class Lsun(Pictures):
    """Pictures of one LSUN category (Yu et al. 2015, arXiv 1506.03365), a scene or an object.

    `path` is a folder such as `bedroom_train_lmdb` or `cat`, which holds data.mdb, or the folder it lies in, or the
    .zip that was downloaded, which is unpacked once into ganskit's data folder; any other LMDB of pictures will do. Where
    its name says what it is, a `category` or `split` that you set must not say otherwise.
    Without it `lsun` among the originals is looked into. An object has one split, "train"; "test" is of all scenes. The
    database is opened for reading, takes no lock, and nothing is written to it.
    """

    category: str = "bedroom"
    split: str = field(default="train", validator=one_of("train", "val", "test"))

    def open(self) -> LsunSource:
        """Open the database. Raises DataNotFound or BadData."""
        root = expanded(self.path) if self.path is not None else originals("lsun")
        self._check_name(root.absolute())
        return LsunSource.whole(self._database(root).resolve(), self)

    def _check_name(self, root: Path) -> None:
        """The defaults say nothing, for a path alone is enough to name a database."""
        place = root.parent if root.name == _DATABASE else root
        name = _NAME.fullmatch(place.name)
        if name is None:
            return
        for option, says in name.groupdict().items():
            asked = getattr(self, option)
            if asked not in (says, getattr(attrs.fields(type(self)), option).default):
                raise UserError(
                    f'{printable(str(root))} is the {option} "{says}" by its name, and {option} is "{asked}": '
                    f"give the path of the other database, or leave {option} out."
                )

    def _database(self, root: Path) -> Path:
        if root.is_file():
            return _unpacked(root) if is_packed(root) or root.suffix.lower() == ".zip" else root
        names = (folder_of(self.category, self.split), f"{self.category}_{self.split}_lmdb")
        for folder in (root, *(root / name for name in names)):
            if (folder / _DATABASE).is_file():
                return folder / _DATABASE
        for name in names:
            if (root / f"{name}.zip").is_file():
                return _unpacked(root / f"{name}.zip")
        if self.path is not None and not root.is_dir():
            raise DataNotFound(f"{printable(str(root))}: there is no such folder.")
        if self.path is None and self.category not in SCENES + OBJECTS:
            found = nearest(self.category, SCENES + OBJECTS, show=40)
            raise UnknownName(f'LSUN has no category "{self.category}", and there is no {root / names[0]}. {found}')
        raise not_found("lsun", root / names[0] / _DATABASE, category=self.category, split=self.split)


def is_packed(file: Path) -> bool:
    """Whether a file is a .zip with a database in it, as LSUN is downloaded. Raises BadData for a damaged .zip."""
    with damage(file), file.open("rb") as stream:
        return stream.read(4) == b"PK\3\4" and len(_databases_in(file)) > 0


def _databases_in(archive: Path) -> list[zipfile.ZipInfo]:
    return [each for each in members_of(archive) if each.filename.rpartition("/")[2] == _DATABASE]


def _unpacked(archive: Path) -> Path:
    """The database in a .zip: among the originals under the name of the archive, and of its contents where it lies elsewhere."""
    databases = _databases_in(archive)
    if len(databases) != 1:
        many = f"{len(databases)} files {_DATABASE}"
        raise BadData(f"{printable(str(archive))} holds {many}: expected one database, as LSUN packs them.")
    here = archive.absolute().parent == originals("lsun").absolute()
    folder = originals("lsun") / (archive.stem if here else f"{archive.stem}-{databases[0].CRC:08x}")
    if not folder.is_dir():
        unpack(archive, folder, progress=True)
    for database in folder.rglob(_DATABASE):
        return database
    raise BadData(f"{printable(str(folder))} has no {_DATABASE}: move it away, then {printable(archive.name)} is unpacked there.")


class LsunSource(Source):
    """`length` records of a database in the order of their keys, from key `first` on (None: from the beginning).

    Reading in order moves one cursor forward; any other order works and takes its time.
    """

    def __init__(self, file: str, dataset: Lsun, first: bytes | None, length: int, fingerprint: str = "") -> None:
        self._file, self._dataset, self._first, self._length = file, dataset, first, length
        self._cursor: Any = None
        self._position = 0
        self.fingerprint = fingerprint
        self.transform = dataset.transform

    @classmethod
    def whole(cls, file: Path, dataset: Lsun) -> LsunSource:
        """All records. Raises BadData when the database is damaged, cut short or empty."""
        count, status = num_records(file), os.stat(file)
        digest = hashlib.sha256(f"{count} {status.st_size} {status.st_mtime_ns}".encode())
        return cls(str(file), dataset, None, count, digest.hexdigest())

    def __len__(self) -> int:
        return self._length

    def name(self, index: int) -> str:
        """The record's key."""
        key: bytes = self._at(index).key()
        return key.decode("ascii", "backslashreplace")

    def read(self, index: int) -> dict[str, np.ndarray]:
        """`x`. Raises Skip."""
        return {"x": self._dataset.decoded(self._at(index).value())}

    def part(self, start: int, stop: int) -> LsunSource:
        """Records `start` to `stop`, found again by the key of the first: no list of all keys is ever made."""
        return LsunSource(self._file, self._dataset, bytes(self._at(start).key()), stop - start)

    def _at(self, index: int) -> Any:  # noqa: ANN401 - lmdb has no types
        """The cursor, on record `index`."""
        import lmdb

        if not 0 <= index < self._length:
            raise IndexError(index)
        try:
            return self._moved(index)
        except lmdb.Error as error:
            raise BadData(f"{printable(self._file)} is damaged: {words_of(error)}. Unpack the download again.") from error

    def _moved(self, index: int) -> Any:  # noqa: ANN401 - lmdb has no types
        if self._cursor is None or index < self._position:
            self._environment = environment(self._file)
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
            raise BadData(f"{printable(self._file)} changed while it was being read: records are missing.")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._file, self._dataset, self._first, self._length, self.fingerprint)
