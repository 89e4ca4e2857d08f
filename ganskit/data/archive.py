"""A .zip of pictures, read without extracting it."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from attrs import evolve, frozen

from ganskit.data.catalog import not_found
from ganskit.data.damage import damage, members_of, momentary, unreadable, words_of
from ganskit.data.dataset import Skip
from ganskit.data.files import printable
from ganskit.data.home import expanded, originals
from ganskit.data.images import MAX_FILE_BYTES
from ganskit.data.pictures import Files, Found, NamedPictures, PictureSource, is_picture, source
from ganskit.errors import DataNotFound

_ENCRYPTED = 0x1


@frozen
class Zip(NamedPictures):
    """All pictures in a .zip file, by sorted name; hidden ones and macOS's `__MACOSX` are passed over.

    Without `path` the file is looked for as `name`.zip among the originals in ganskit's data folder.
    """

    def open(self) -> PictureSource:
        """Read the archive's list of contents. Raises DataNotFound or BadData."""
        name = self.name or "pictures"
        file = expanded(self.path) if self.path is not None else originals(name) / f"{name}.zip"
        if not file.is_file():
            raise not_found(name, file) if self.path is None else DataNotFound(f"{printable(str(file))}: there is no such file.")
        return source(self, str(file), *pictures_inside(file))


@frozen
class ZipFiles(Files):
    """Members of an archive; None is one whose name another had before. `changed` tells archives of the same path apart."""

    file: str
    changed: int
    members: Mapping[str, zipfile.ZipInfo | None]

    def data(self, name: str) -> bytes:
        """The bytes of one member. Raises Skip; BadData or RunFailed when the archive itself cannot be read."""
        member = self.members[name]
        if member is None:
            raise Skip("a second file of this name")
        if member.flag_bits & _ENCRYPTED:
            raise Skip("encrypted")
        if member.file_size > MAX_FILE_BYTES:  # what zipfile extracts is never more than it says here
            raise Skip(f"{member.file_size:,} bytes: too large")
        with damage(Path(self.file)):
            archive = _opened(self.file, self.changed)
        try:
            with archive.open(member) as stream:
                return stream.read()
        except Exception as error:  # bad checksum, unknown compression, zlib.error, ...: one picture, not all of them
            if momentary(error):
                raise unreadable(f"{self.file}: {name}", error) from error
            raise Skip(f"cannot be extracted: {words_of(error)}") from error

    def take(self, names: Sequence[str]) -> ZipFiles:
        """The same archive with these members only; a name that is none stays unknown."""
        return evolve(self, members={name: self.members[name] for name in names if name in self.members})


def pictures_inside(file: Path) -> tuple[ZipFiles, list[Found], int]:
    """The pictures in an archive, and the number of other files. Raises BadData when it is no .zip.

    A second file of one name is called "a.png (2)", and is skipped when it is read.
    """
    pictures: dict[str, zipfile.ZipInfo | None] = {}
    found: list[Found] = []
    copies: Counter[str] = Counter()
    num_ignored = 0
    for member in members_of(file):
        name = member.filename.lstrip("/")
        if member.filename.endswith("/") or _hidden(name):
            continue
        if not is_picture(name):
            num_ignored += 1
            continue
        copies[name] += 1
        called = name if copies[name] == 1 else f"{name} ({copies[name]})"  # which no other is, as no picture ends so
        pictures[called] = member if called == name else None
        found.append((called, member.file_size, member.CRC))
    return ZipFiles(str(file.absolute()), file.stat().st_mtime_ns, pictures), found, num_ignored


@lru_cache(maxsize=1)  # one list of contents for all parts that a worker process gets
def _opened(file: str, changed: int) -> zipfile.ZipFile:
    return zipfile.ZipFile(file)


def _hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))
