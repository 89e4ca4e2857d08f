"""A .zip of pictures, read without extracting it."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from attrs import evolve, frozen

from ganskit.data.catalog import not_found
from ganskit.data.dataset import Skip
from ganskit.data.home import originals
from ganskit.data.images import MAX_FILE_BYTES
from ganskit.data.pictures import Files, Found, NamedPictures, PictureSource, is_picture, source
from ganskit.errors import BadData, DataNotFound

_ENCRYPTED = 0x1


@frozen
class Zip(NamedPictures):
    """All pictures in a .zip file, by sorted name; hidden ones and macOS's `__MACOSX` are passed over.

    Without `path` the file is looked for as `name`.zip among the originals in ganskit's data folder.
    """

    def open(self) -> PictureSource:
        """Read the archive's list of contents. Raises DataNotFound or BadData."""
        name = self.name or "pictures"
        file = Path(self.path).expanduser() if self.path is not None else originals(name) / f"{name}.zip"
        if not file.is_file():
            raise not_found(name, file) if self.path is None else DataNotFound(f"{file}: there is no such file.")
        return source(self, str(file), *pictures_inside(file))


@frozen
class ZipFiles(Files):
    """Members of an archive. `changed` tells two archives of the same path apart."""

    file: str
    changed: int
    members: Mapping[str, zipfile.ZipInfo]

    def data(self, name: str) -> bytes:
        """The bytes of one member. Raises Skip."""
        member = self.members[name]
        if member.flag_bits & _ENCRYPTED:
            raise Skip("encrypted")
        if member.file_size > MAX_FILE_BYTES:  # what zipfile extracts is never more than it says here
            raise Skip(f"{member.file_size:,} bytes: too large")
        try:
            with _opened(self.file, self.changed).open(member) as stream:
                return stream.read()
        except Exception as error:  # bad checksum, unknown compression, zlib.error, ...: one picture, not all of them
            raise Skip(f"cannot be extracted: {error}") from error

    def take(self, names: Sequence[str]) -> ZipFiles:
        """The same archive with these members only; a name that is none stays unknown."""
        return evolve(self, members={name: self.members[name] for name in names if name in self.members})


def pictures_inside(file: Path) -> tuple[ZipFiles, list[Found], int]:
    """The pictures in an archive, and the number of other files. Raises BadData when it is no .zip."""
    members = {each.filename.lstrip("/"): each for each in _list(file) if not each.is_dir()}
    members = {name: member for name, member in members.items() if not _hidden(name)}
    pictures = {name: member for name, member in members.items() if is_picture(name)}
    found: list[Found] = [(name, member.file_size, member.CRC) for name, member in pictures.items()]
    return ZipFiles(str(file.absolute()), file.stat().st_mtime_ns, pictures), found, len(members) - len(pictures)


@lru_cache(maxsize=1)  # one list of contents for all parts that a worker process gets
def _opened(file: str, changed: int) -> zipfile.ZipFile:
    return zipfile.ZipFile(file)


def _list(file: Path) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.infolist()
    except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
        size = os.path.getsize(file)
        raise BadData(f"{file} ({size:,} bytes) is no readable .zip file: {error}. Was it downloaded whole?") from error


def _hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))
