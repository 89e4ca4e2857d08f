"""A folder of pictures: flat, or a tree with one subfolder per class."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import frozen

from ganskit.data.catalog import not_found
from ganskit.data.damage import OF_THE_FILE, unreadable
from ganskit.data.dataset import Skip
from ganskit.data.files import printable
from ganskit.data.home import expanded, originals
from ganskit.data.images import MAX_FILE_BYTES
from ganskit.data.pictures import Files, Found, NamedPictures, PictureSource, is_picture, source
from ganskit.errors import BadData, DataNotFound


@frozen
class Folder(NamedPictures):
    """All pictures in a folder and below it, by sorted name; hidden files and folders are passed over.

    Without `path` the folder is looked for as `name` among the originals in ganskit's data folder.
    """

    def open(self) -> PictureSource:
        """Walk the folder. Raises DataNotFound or BadData."""
        root = expanded(self.path) if self.path is not None else originals(self.name or "folder")
        if not root.is_dir():
            raise _missing(self, root)
        return source(self, str(root), *pictures_below(root))


@frozen
class FolderFiles(Files):
    """Files below a folder."""

    root: str

    def data(self, name: str) -> bytes:
        """The bytes of one file. Raises Skip; RunFailed for trouble that is not the file's own."""
        file = os.path.join(self.root, name)
        try:
            status = os.stat(file)
            if not stat.S_ISREG(status.st_mode):  # a pipe would make us wait for ever
                raise Skip("not a regular file")
            if status.st_size > MAX_FILE_BYTES:
                raise Skip(f"{status.st_size:,} bytes: too large")
            with open(file, "rb") as stream:
                return stream.read()
        except OSError as error:
            if error.errno not in OF_THE_FILE:
                raise unreadable(file, error) from error
            nowhere = isinstance(error, FileNotFoundError) and os.path.islink(file)
            raise Skip("a link that leads nowhere" if nowhere else f"cannot be read: {error.strerror}") from error

    def take(self, names: Sequence[str]) -> FolderFiles:
        """Itself: a folder holds no names."""
        return self


def pictures_below(root: Path) -> tuple[FolderFiles, list[Found], int]:
    """The pictures in a folder and below it, and the number of other files. Raises BadData when it cannot be read."""
    pictures: list[Found] = []
    num_ignored = 0
    for name, entry in _walk(root):
        if is_picture(name):
            pictures.append((name, *_size_and_time(entry)))
        else:
            num_ignored += 1
    return FolderFiles(str(root.absolute())), pictures, num_ignored


def _missing(dataset: Folder, root: Path) -> DataNotFound:
    shown = printable(str(root))
    if root.exists():
        return DataNotFound(f"{shown} is a file: expected a folder of pictures.")
    if dataset.path is not None:
        return DataNotFound(f"{shown}: there is no such folder.")
    return not_found(dataset.name or "folder", root)


def _walk(root: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Every file that is not hidden, as a path with "/" below the root. Each folder once, so that links may loop."""
    seen: set[tuple[int, int]] = set()
    waiting = [""]
    while waiting:
        below = waiting.pop()
        folder = os.path.join(root, below)
        try:
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name, reverse=True)
        except OSError as error:
            raise BadData(f"{printable(folder)} cannot be read: {error.strerror}.") from error
        for entry in entries:
            if entry.name.startswith("."):
                continue
            name = f"{below}/{entry.name}" if below else entry.name
            if _is_folder(entry):
                waiting.append(name)
            else:
                yield name, entry


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError as error:
        if error.errno not in OF_THE_FILE:  # all that is below would be left out in silence
            raise unreadable(entry.path, error) from error
        return False  # a link that leads to itself


def _size_and_time(entry: os.DirEntry[str]) -> tuple[int, object]:
    try:
        status = entry.stat()
    except OSError:  # a link that leads nowhere: reported when it is read
        return 0, 0
    return status.st_size, status.st_mtime_ns
