"""Image datasets of the Hugging Face Hub on disk: parquet files with a column of encoded pictures."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Sequence
from functools import partial
from typing import Any

import attrs
import numpy as np
from attrs import evolve, field, frozen

from ganskit.data.dataset import Skip
from ganskit.data.images import MAX_FILE_BYTES
from ganskit.data.listed import ListedSource, Original, fingerprint
from ganskit.data.parquet_files import Columns, columns_of, damaged, files_of, opened
from ganskit.data.pictures import NamedPictures
from ganskit.data.places import place_of
from ganskit.errors import BadData, UserError

BATCH_ROWS = 32


def _with_labels(instance: Parquet, option: attrs.Attribute[str | None], value: str | None) -> None:
    if value is not None and not instance.labels:
        raise UserError(f"{type(instance).__name__}: label is {value!r}, but labels is off. Turn it on: --set labels=true")


@frozen
class Parquet(NamedPictures):
    """The pictures in a column of parquet files, as the library `datasets` writes them and the Hub keeps them.

    `path` is one .parquet, or a folder with files such as data/train-00000-of-00005.parquet, of which those of `split`
    are read; without it `name` among the originals in ganskit's data folder. `image` and `label` name the columns; None
    finds them, by what `datasets` notes in the file, or else by their types. With `labels` the label's whole numbers
    become `y`, with the names of the classes where the file has them.
    """

    split: str = "train"
    image: str | None = None
    label: str | None = field(default=None, validator=_with_labels)

    def open(self) -> ListedSource:
        """Find files and columns; rows are counted when they are needed. Raises DataNotFound, BadData or UserError."""
        files, num_ignored = files_of(place_of(self.path, self.name or "parquet"), self.split)
        originals = tuple(map(Original.of, files))
        columns = columns_of(originals[0], self.image, self.label, self.labels)
        classes = {"y": columns.classes} if columns.classes else {}
        make = partial(_list, self, originals, columns)
        return ListedSource(make, fingerprint(originals), self.transform, classes, num_ignored)


@frozen
class _Rows:
    """`count` rows of a row group from its row `first` on; `before` of the file's rows lie in earlier row groups."""

    original: Original
    group: int
    before: int
    first: int
    count: int


def _list(dataset: Parquet, originals: Sequence[Original], columns: Columns) -> _Table:
    """All rows of all files, which must have the same columns."""
    groups = []
    for original in originals:
        if columns_of(original, dataset.image, dataset.label, dataset.labels) != columns:
            raise BadData(f"{original.title} has other columns or classes than {originals[0].name}: keep one dataset.")
        metadata = opened(original).metadata
        counts = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        if min(counts, default=0) < 0 or sum(counts) != metadata.num_rows:
            raise damaged(original, ValueError("its row groups do not have as many rows as it says"))
        before = 0
        for group, count in enumerate(counts):
            groups.append(_Rows(original, group, before, 0, count))
            before += count
    return _Table(dataset, columns, groups)


class _Table:
    """Rows of parquet files. Reading in order goes through each row group once; any other order works and takes its time."""

    def __init__(self, dataset: Parquet, columns: Columns, groups: Sequence[_Rows]) -> None:
        self._dataset, self._columns, self._groups = dataset, columns, groups
        self._starts = [0, *itertools.accumulate(rows.count for rows in groups)]
        self._cursor: _Cursor | None = None

    def __len__(self) -> int:
        return self._starts[-1]

    def name(self, index: int) -> str:
        rows, number = self._find(index)
        return f"{rows.original.name} row {rows.before + number}"

    def read(self, index: int) -> dict[str, np.ndarray]:
        rows, number = self._find(index)
        if self._cursor is None or self._cursor.rows != rows or number < self._cursor.first:
            self._cursor = _Cursor(rows, self._columns)
        picture, label = self._cursor.values(number)
        y = {"y": np.array(self._checked(label), dtype=np.int64)} if self._dataset.labels else {}
        if picture is None:
            raise Skip("no bytes: the picture is a file elsewhere, or missing")
        if len(picture) > MAX_FILE_BYTES:
            raise Skip(f"{len(picture):,} bytes: too large")
        return {"x": self._dataset.decoded(picture)} | y

    def part(self, start: int, stop: int) -> _Table:
        groups = []
        for begin, rows in zip(self._starts, self._groups, strict=False):  # the last start is the end
            first, last = max(start - begin, 0), min(stop - begin, rows.count)
            if first < last:
                groups.append(evolve(rows, first=rows.first + first, count=last - first))
        return _Table(self._dataset, self._columns, groups)

    def _find(self, index: int) -> tuple[_Rows, int]:
        """The row group of an example, and the row's number in it."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        place = bisect.bisect_right(self._starts, index) - 1
        return self._groups[place], self._groups[place].first + index - self._starts[place]

    def _checked(self, label: int | None) -> int:
        if label is None or label == -1:  # as `datasets` marks what is not labelled
            raise Skip("no label")
        last = (len(self._columns.classes) or 2**63) - 1
        if not 0 <= label <= last:
            raise Skip(f"label {label}: expected 0 to {last}")
        return label

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._dataset, self._columns, self._groups)


class _Cursor:
    """A row group, read forwards, a few rows at a time; `first` is the first one at hand."""

    def __init__(self, rows: _Rows, columns: Columns) -> None:
        self.rows, self._columns = rows, columns
        self.first, self._stop = 0, 0
        file = opened(rows.original)
        self._batches = file.iter_batches(BATCH_ROWS, row_groups=[rows.group], columns=columns.needed, use_threads=False)
        self._batch: Any = None

    def values(self, number: int) -> tuple[bytes | None, int | None]:
        """The picture's bytes and the label in this row, which is not before `first`; None where the file has none."""
        try:
            while number >= self._stop:
                self._batch = next(self._batches)
                self.first, self._stop = self._stop, self._stop + len(self._batch)
            picture = self._value(self._columns.image, number)
            label = self._value(self._columns.label, number) if self._columns.label is not None else None
        except Exception as error:  # StopIteration, too: fewer rows than promised
            raise damaged(self.rows.original, error) from error
        return (picture or {}).get("bytes") if self._columns.inside else picture, label

    def _value(self, column: str, number: int) -> Any:  # noqa: ANN401 - pyarrow has no types
        return self._batch.column(column)[number - self.first].as_py()
