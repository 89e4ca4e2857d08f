"""Pictures under names like "cat/001.jpg": what a folder and an archive have in common."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from attrs import evolve, field, frozen

from ganskit.data import images
from ganskit.data.dataset import Dataset, Field, Skip, Source
from ganskit.errors import BadData
from ganskit.validators import at_least, one_of


@frozen
class Pictures(Dataset):
    """Options of every dataset of picture files.

    `size` and `channels` (3 RGB, 1 grey) give the shape; `crop` "centre" takes the largest centred square, "none"
    squeezes everything into one; with `labels` the class folder of each picture becomes `y`.
    """

    path: str | None = None
    name: str = ""
    size: int = field(default=64, validator=at_least(1))
    channels: int = field(default=3, validator=one_of(1, 3))
    crop: str = field(default="centre", validator=one_of(*images.CROPS))
    labels: bool = False

    def provides(self) -> dict[str, Field]:
        """`x` (C, size, size) uint8, and with `labels` `y` () int64; the class names come with the files."""
        x = {"x": Field((self.channels, self.size, self.size), pixels=True)}
        return x | {"y": Field((), "int64")} if self.labels else x


class Files:
    """Names, and what is behind them. `open` is a folder's or an archive's own."""

    def data(self, name: str) -> bytes:
        """The bytes of one file. Raises Skip when it cannot be read."""
        raise NotImplementedError

    def take(self, names: Sequence[str]) -> Files:
        """The same, knowing of these names only; small enough to send."""
        raise NotImplementedError


@frozen
class PictureSource(Source):
    """The pictures among a set of files, by sorted name."""

    files: Files
    names: Sequence[str]
    dataset: Pictures
    fingerprint: str = ""
    num_ignored: int = 0
    classes: Mapping[str, tuple[str, ...]] = field(factory=dict)
    top: str = ""

    def __len__(self) -> int:
        return len(self.names)

    def name(self, index: int) -> str:
        """The file's path below the dataset's folder."""
        return self.names[index]

    def read(self, index: int) -> dict[str, np.ndarray]:
        """`x`, and `y` when the dataset has labels. Raises Skip."""
        name, options = self.names[index], self.dataset
        example: dict[str, np.ndarray] = {}
        if options.labels:
            label = class_of(name, self.top)
            if not label:
                raise Skip("in no class folder")
            example["y"] = np.array(self.classes["y"].index(label), dtype=np.int64)
        example["x"] = images.decode(self.files.data(name), options.size, options.channels, options.crop)
        return example

    def part(self, start: int, stop: int) -> PictureSource:
        """Names `start` to `stop` alone, light enough to send to a worker process."""
        names = self.names[start:stop]
        return evolve(self, names=names, files=self.files.take(names))

    @property
    def transform(self) -> str:
        """What is done to each picture."""
        return images.transform(self.dataset.size, self.dataset.channels, self.dataset.crop)


Found = tuple[str, int, object]
"""A picture's name, its bytes, and what changes when it does: a time or a checksum."""


def source(dataset: Pictures, where: str, files: Files, found: Iterable[Found], num_ignored: int) -> PictureSource:
    """The pictures that were found in `where`.

    Raises BadData when there are none, or no class folder and `labels` is on.
    """
    digest = hashlib.sha256()
    names = []
    for name, num_bytes, changed in sorted(found, key=lambda each: each[0].encode("utf-8", "surrogateescape")):
        names.append(name)
        digest.update(f"{name}\0{num_bytes}\0{changed}\n".encode("utf-8", "surrogateescape"))
    if not names:
        suffixes = ", ".join(sorted(images.SUFFIXES))
        raise BadData(f"{where}: no picture there (looked for {suffixes}; {num_ignored} other files).")
    top = _shared_folder(names) if dataset.labels else ""
    classes = sorted({class_of(name, top) for name in names} - {""})
    if dataset.labels and not classes:
        raise BadData(f"{where}: labels are asked for, which takes one subfolder for each class, and there is none.")
    labelled = {"y": tuple(classes)} if dataset.labels else {}
    return PictureSource(files, names, dataset, digest.hexdigest(), num_ignored, labelled, top)


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
