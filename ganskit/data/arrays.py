"""Datasets published as raw arrays: what MNIST, CIFAR, SVHN, STL-10 and the small ImageNet have in common."""

from __future__ import annotations

import bisect
import hashlib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Protocol

import attrs
import numpy as np
from attrs import evolve, field, frozen

from ganskit.data import images
from ganskit.data.dataset import Dataset, Field, Skip, Source
from ganskit.data.home import expanded, originals
from ganskit.errors import BadData, DataNotFound
from ganskit.validators import at_least, one_of

PIXELS = "pixels"
"""The column of a table that holds the pictures; every other column is a label, under the name of its field."""


def _split(instance: Arrays, option: attrs.Attribute[str], value: str) -> None:
    one_of(*instance.splits)(instance, option, value)


@frozen
class Arrays(Dataset):
    """Options of every dataset of raw arrays, and what one of them has to say about itself.

    `path` is the folder of the files as they are published; without it the dataset's own among the originals in
    ganskit's data folder. At another `size` than the published one the pictures are resized; `channels` 1 makes them grey.
    """

    path: str | None = None
    split: str = field(default="train", validator=_split)
    size: int = field(default=32, validator=at_least(1))
    channels: int = field(default=3, validator=one_of(1, 3))

    entry: ClassVar[str]
    """Its name in the catalogue and among the originals."""
    splits: ClassVar[tuple[str, ...]] = ("train", "test")
    first_label: ClassVar[int] = 0
    """The label of the first class in the files; in a store it is 0."""

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """Field -> the names of its classes, as published."""
        raise NotImplementedError

    def picture(self, pixels: np.ndarray) -> np.ndarray:
        """A picture as it is stored in the files as uint8 (C, H, W)."""
        return pixels

    def value(self, label: int) -> int:
        """The number of the class that a label in the files stands for."""
        return label - self.first_label

    def transform(self, shape: tuple[int, ...]) -> str:
        """What is done to a picture of this shape, in words."""
        kept = shape == (self.channels, self.size, self.size)
        return "none" if kept else images.transform(self.size, self.channels, "none")

    def provides(self) -> dict[str, Field]:
        """`x` (C, size, size) uint8, and each label () int64."""
        x = Field((self.channels, self.size, self.size), pixels=True)
        return {"x": x} | {name: Field((), "int64", classes=classes) for name, classes in self.labels().items()}

    def place(self) -> Path:
        """Where to look for the files."""
        return expanded(self.path).absolute() if self.path is not None else originals(self.entry)

    def folder(self, packed: str, inner: str = "") -> Path:
        """The folder of the files: `place`, or `inner` in it. Raises DataNotFound when it is a file, such as `packed`."""
        place = self.place()
        if place.is_file():
            raise DataNotFound(f"{place} is a file: extract {packed}, and give the folder that the extracted files are in.")
        return place / inner if inner and (place / inner).is_dir() else place


class Table(Protocol):
    """Rows of named columns, in memory or on disk."""

    def __len__(self) -> int: ...

    def row(self, index: int) -> dict[str, np.ndarray]:
        """The values of one row, by column."""

    def part(self, start: int, stop: int) -> Table:
        """Rows `start` to `stop`, light enough to send to a worker process."""


@frozen(eq=False)
class Columns:
    """A table in memory: arrays of equal length."""

    arrays: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return min(map(len, self.arrays.values()))

    def row(self, index: int) -> dict[str, np.ndarray]:
        """Copies, so that who changes one does not change the dataset."""
        return {name: np.array(array[index]) for name, array in self.arrays.items()}

    def part(self, start: int, stop: int) -> Columns:
        """These rows of each array."""
        return Columns({name: array[start:stop] for name, array in self.arrays.items()})


@frozen(eq=False)
class Records:
    """A table on disk: a file of records of one layout, and nothing else. It is read row by row, and never held."""

    file: Path
    layout: np.dtype[np.void]
    start: int
    stop: int

    @classmethod
    def all_of(cls, file: Path, layout: np.dtype[np.void], expected: int | None = None) -> Records:
        """All records of `file`. Raises BadData when its size is no whole number of them, or another than `expected`."""
        size = file.stat().st_size
        count, rest = divmod(size, layout.itemsize)
        if expected is not None and size != expected * layout.itemsize:
            wanted = f"{expected * layout.itemsize:,}"
        elif rest or not count:
            wanted = f"a multiple of {layout.itemsize:,}"
        else:
            return cls(file, layout, 0, count)
        raise BadData(f"{file} has {size:,} bytes, expected {wanted}. Extract the download again.")

    def __len__(self) -> int:
        return self.stop - self.start

    def row(self, index: int) -> dict[str, np.ndarray]:
        """The columns of one record. Raises BadData when the file cannot be read any more, or has become shorter."""
        try:
            with self.file.open("rb") as stream:
                stream.seek((self.start + index) * self.layout.itemsize)
                data = bytearray(stream.read(self.layout.itemsize))  # unlike bytes, gives arrays that can be changed
        except OSError as error:
            raise BadData(f"{self.file} cannot be read: {error}.") from error
        if len(data) != self.layout.itemsize:
            raise BadData(f"{self.file} became shorter while it was read. Extract the download again.")
        record = np.frombuffer(data, self.layout)
        return {name: record[name][0] for name in self.layout.names or ()}

    def part(self, start: int, stop: int) -> Records:
        """The same file, other numbers."""
        return evolve(self, start=self.start + start, stop=self.start + stop)


def records(array: np.ndarray) -> Columns:
    """A structured array as a table."""
    return Columns({name: array[name] for name in array.dtype.names or ()})


@frozen(eq=False)
class Batch:
    """The rows of one original file, from row `first` on; further `tables` hold more columns of the same rows.

    `numbers` are the rows' own in the file when they are not in its order.
    """

    name: str
    tables: Sequence[Table]
    first: int = 0
    numbers: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.tables[0])

    def row(self, index: int) -> dict[str, np.ndarray]:
        """All columns of one row."""
        return {name: value for table in self.tables for name, value in table.row(index).items()}

    def part(self, start: int, stop: int) -> Batch:
        """Rows `start` to `stop`."""
        tables = [table.part(start, stop) for table in self.tables]
        return Batch(self.name, tables, self.first + start, None if self.numbers is None else self.numbers[start:stop])

    def number(self, index: int) -> int:
        """Where the row is in the file."""
        return self.first + index if self.numbers is None else int(self.numbers[index])


class ArraySource(Source):
    """The rows of some batches, in order; `shape` is that of a picture as (C, H, W), before it is resized."""

    def __init__(
        self,
        dataset: Arrays,
        batches: Sequence[Batch],
        shape: tuple[int, ...],
        fingerprint: str,
        classes: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self._dataset, self._batches, self._shape = dataset, batches, shape
        self._starts = [0, *itertools.accumulate(map(len, batches))]
        self._num_classes = {name: len(names) for name, names in dataset.labels().items()}
        self.fingerprint = fingerprint
        self.classes = dict(classes or {})
        self.transform = dataset.transform(shape)

    def __len__(self) -> int:
        return self._starts[-1]

    def name(self, index: int) -> str:
        """File and row."""
        batch, row = self._find(index)
        return f"{batch.name} row {batch.number(row)}"

    def read(self, index: int) -> dict[str, np.ndarray]:
        """`x` and the labels. Raises Skip for a label out of range."""
        batch, row = self._find(index)
        columns = batch.row(row)
        labels = {name: self._label(name, int(columns[name])) for name in self._num_classes}
        picture = self._dataset.picture(columns[PIXELS])
        return {"x": images.resized(picture, self._dataset.size, self._dataset.channels)} | labels

    def part(self, start: int, stop: int) -> ArraySource:
        """Rows `start` to `stop` alone, light enough to send to a worker process."""
        batches = []
        for first, batch in zip(self._starts, self._batches, strict=False):  # the last start is the end
            begin, end = max(start - first, 0), min(stop - first, len(batch))
            if begin < end:
                batches.append(batch.part(begin, end))
        return ArraySource(self._dataset, batches, self._shape, self.fingerprint, self.classes)

    def _find(self, index: int) -> tuple[Batch, int]:
        if not 0 <= index < len(self):
            raise IndexError(index)
        batch = bisect.bisect_right(self._starts, index) - 1
        return self._batches[batch], index - self._starts[batch]

    def _label(self, name: str, label: int) -> np.ndarray:
        first, last = self._dataset.first_label, self._dataset.first_label + self._num_classes[name] - 1
        if not first <= label <= last:
            raise Skip(f"label {label}: expected {first} to {last}")
        return np.array(self._dataset.value(label), dtype=np.int64)


def fingerprint(files: Iterable[Path]) -> str:
    """What changes when one of these files does: their names, sizes and modification times."""
    status = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(repr(status).encode()).hexdigest()


def class_names(where: Path, text: str | None, published: tuple[str, ...]) -> tuple[str, ...]:
    """The names that `text`, the contents of the file `where`, has for the classes; `published` without a text.

    Names are separated by white space. Raises BadData when they are not as many as published.
    """
    names = tuple(text.split()) if text is not None else published
    if len(names) != len(published):
        raise BadData(f"{where} names {len(names)} classes, expected {len(published)}. Get the file again.")
    return names


def check_different(batches: Sequence[Batch]) -> None:
    """Raise BadData when two files begin with the same picture: one of them is a copy under a wrong name."""
    seen: dict[bytes, str] = {}
    for batch in batches:
        start = batch.row(0)[PIXELS].tobytes()
        if start in seen:
            raise BadData(f"{batch.name} begins with the same picture as {seen[start]}: one is a copy. Extract them again.")
        seen[start] = batch.name
