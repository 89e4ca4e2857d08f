"""Pictures under names like "cat/001.jpg": what a folder and an archive have in common."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from attrs import evolve, field, frozen

from ganskit.data import images
from ganskit.data.dataset import Dataset, Field, Skip, Source
from ganskit.data.files import printable
from ganskit.errors import BadData
from ganskit.validators import at_least, one_of


@frozen
class Pictures(Dataset):
    """Options of every dataset of picture files.

    `path` is where they are. `size` and `channels` (3 RGB, 1 grey) give the shape; `crop` "centre" takes the largest
    centred square, "none" squeezes everything into one. With `reduced` a JPEG much larger than `size` is decoded at a
    fraction of it: faster, and not quite the same pixels.
    """

    path: str | None = None
    size: int = field(default=64, validator=at_least(1))
    channels: int = field(default=3, validator=one_of(1, 3))
    crop: str = field(default="centre", validator=one_of(*images.CROPS))
    reduced: bool = False

    def provides(self) -> dict[str, Field]:
        """`x` (C, size, size) uint8."""
        return {"x": self.pixels}

    @property
    def pixels(self) -> Field:
        """One picture."""
        return Field((self.channels, self.size, self.size), pixels=True)

    @property
    def transform(self) -> str:
        """What is done to each picture, in words."""
        return images.transform(self.size, self.channels, self.crop, self.reduced)

    def decoded(self, data: bytes) -> np.ndarray:
        """The picture in a file's bytes as uint8 (C, size, size). Raises Skip."""
        return images.decode(data, self.size, self.channels, self.crop, self.reduced)


@frozen
class NamedPictures(Pictures):
    """A collection of somebody's own, under a `name`; with `labels` the class folder of each picture becomes `y`."""

    name: str = ""
    labels: bool = False

    def provides(self) -> dict[str, Field]:
        """`x` (C, size, size) uint8, and with `labels` `y` () int64; the class names come with the files."""
        return {"x": self.pixels} | ({"y": Field((), "int64")} if self.labels else {})


class Files:
    """Names, and what is behind them. `open` is a folder's or an archive's own."""

    def data(self, name: str) -> bytes:
        """The bytes of one file. Raises Skip when it cannot be read."""
        raise NotImplementedError

    def take(self, names: Sequence[str]) -> Files:
        """The same, knowing of these names only; small enough to send."""
        raise NotImplementedError


@frozen(eq=False)
class PictureSource(Source):
    """The pictures among a set of files, in the order of `names`.

    `targets` has an array (N, ...) for every further field, aligned with `names`; `unusable` says of a name why it is
    skipped.
    """

    files: Files
    names: Sequence[str]
    dataset: Pictures
    fingerprint: str = ""
    num_ignored: int = 0
    classes: Mapping[str, tuple[str, ...]] = field(factory=dict)
    targets: Mapping[str, np.ndarray] = field(factory=dict)
    unusable: Mapping[str, str] = field(factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    def name(self, index: int) -> str:
        """The file's path below the dataset's folder."""
        return self.names[index]

    def read(self, index: int) -> dict[str, np.ndarray]:
        """`x`, and the targets. Raises Skip."""
        name = self.names[index]
        if name in self.unusable:
            raise Skip(self.unusable[name])
        x = self.dataset.decoded(self.files.data(name))
        return {"x": x} | {key: np.asarray(values[index]) for key, values in self.targets.items()}

    def part(self, start: int, stop: int) -> PictureSource:
        """Names `start` to `stop` alone, light enough to send to a worker process."""
        names = self.names[start:stop]
        targets = {key: values[start:stop] for key, values in self.targets.items()}
        unusable = {name: self.unusable[name] for name in names if name in self.unusable}
        return evolve(self, names=names, files=self.files.take(names), targets=targets, unusable=unusable)

    @property
    def transform(self) -> str:
        """What is done to each picture."""
        return self.dataset.transform


Found = tuple[str, int, object]
"""A picture's name, its bytes, and what changes when it does: a time or a checksum."""


def source(dataset: NamedPictures, where: str, files: Files, found: Iterable[Found], num_ignored: int) -> PictureSource:
    """The pictures that were found in `where`, by sorted name; the class folders become labels when these are wanted.

    Raises BadData when there are none, or no class folder and `labels` is on.
    """
    names, fingerprint = sorted_names(where, found, num_ignored)
    if not dataset.labels:
        return PictureSource(files, names, dataset, fingerprint, num_ignored)
    top = _shared_folder(names)
    folders = [class_of(name, top) for name in names]
    classes = sorted(set(folders) - {""})
    if not classes:
        raise BadData(f"{printable(where)}: labels are asked for, which takes one subfolder for each class, and there is none.")
    values = {folder: value for value, folder in enumerate(classes)}
    y = np.array([values.get(folder, -1) for folder in folders], dtype=np.int64)
    loose = {name: "in no class folder" for name, folder in zip(names, folders, strict=True) if not folder}
    return PictureSource(files, names, dataset, fingerprint, num_ignored, {"y": tuple(classes)}, {"y": y}, loose)


def sorted_names(where: str, found: Iterable[Found], num_ignored: int = 0) -> tuple[list[str], str]:
    """The names of the pictures in order, and a fingerprint of all of them. Raises BadData when there are none."""
    digest = hashlib.sha256()
    names = []
    for name, num_bytes, changed in sorted(found, key=lambda each: each[0].encode("utf-8", "surrogateescape")):
        names.append(name)
        digest.update(f"{name}\0{num_bytes}\0{changed}\n".encode("utf-8", "surrogateescape"))
    if not names:
        suffixes = ", ".join(sorted(images.SUFFIXES))
        raise BadData(f"{printable(where)}: no picture there (looked for {suffixes}; {num_ignored} other files).")
    return names, digest.hexdigest()


def is_picture(name: str) -> bool:
    """Whether a file is a picture by the suffix of its name."""
    return posixpath.splitext(name)[1].lower() in images.SUFFIXES


def _shared_folder(names: Sequence[str]) -> str:
    """The folder in which all pictures are, as "" or "data/train/"; the class folders lie in it."""
    folders = {posixpath.dirname(name) for name in names}
    shared = posixpath.dirname(folders.pop()) if len(folders) == 1 else posixpath.commonpath(folders)
    return f"{shared}/" if shared else ""


def class_of(name: str, top: str) -> str:
    """The class folder of a picture below the folder `top`; "" when it lies in none.

    >>> class_of("train/cat/1.png", "train/")
    'cat'
    """
    folder, slash, _ = name[len(top) :].partition("/")
    return folder if slash else ""
