"""Crops of photographs: a table says which box of which photograph is an example."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import ClassVar

import numpy as np
from attrs import evolve, field, frozen
from PIL import Image

from ganskit.data import images
from ganskit.data.dataset import Skip, Source
from ganskit.data.files import printable, write_whole
from ganskit.data.home import expanded
from ganskit.data.pictures import Files, Pictures, sorted_names
from ganskit.data.places import contents
from ganskit.errors import BadData, DataNotFound, UserError

COLUMNS = ("file", "left", "top", "width", "height")
FURTHER = ("photo_width", "photo_height", "score")
"""What a table need not have: the size of the photograph when its boxes were made, and how sure the detector was."""


@frozen
class Box:
    """A part of a photograph, in its pixels when it stands upright; `left` and `top` count from 0.

    `file` is the photograph's path below its folder, with "/". `photo_width` and `photo_height` are 0 where unknown.
    """

    file: str
    left: int
    top: int
    width: int
    height: int
    photo_width: int = 0
    photo_height: int = 0
    score: float = 0.0


def write_table(boxes: Iterable[Box], table: Path) -> None:
    """Write a .csv file, whole or not at all. Names that are not UTF-8 keep their bytes, those with newlines are quoted."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    rows.writerow(COLUMNS + FURTHER)
    for box in boxes:
        rows.writerow([getattr(box, column) for column in COLUMNS + FURTHER])
    write_whole(table, text.getvalue().encode("utf-8", "surrogateescape"))


def read_table(table: Path) -> list[Box]:
    """The boxes in a .csv file with at least the columns COLUMNS, in any order, named in the first line.

    Raises DataNotFound when there is no such file, BadData, naming the line, when it is not such a table.
    """
    try:
        text = table.read_bytes().decode("utf-8-sig", "surrogateescape")
    except FileNotFoundError:
        raise DataNotFound(f"{table}: there is no such table. Make one: ganskit data faces FOLDER") from None
    except OSError as error:
        raise BadData(f"{table} cannot be read: {error.strerror}.") from error
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    boxes: list[Box] = []
    header: list[str] = []
    try:
        for row in rows:
            if not header:
                header = _header(row)
            elif row:
                boxes.append(_box(header, row))
    except (csv.Error, ValueError) as error:
        raise BadData(f"{table}, line {rows.line_num}: {printable(str(error))}.") from error
    if not boxes:
        raise BadData(f"{table}: there is no box in it. Its first line names the columns {', '.join(COLUMNS)}.")
    return boxes


def _header(row: Sequence[str]) -> list[str]:
    missing = [column for column in COLUMNS if column not in row]
    if missing:
        raise ValueError(f"no column {', '.join(missing)}: expected {','.join(COLUMNS)}, found {','.join(row)}")
    if len(set(row)) < len(row):
        raise ValueError(f"two columns have the same name: {','.join(row)}")
    return list(row)


def _box(header: Sequence[str], row: Sequence[str]) -> Box:
    if len(row) != len(header):
        raise ValueError(f"{len(row)} values in {len(header)} columns")
    values = dict(zip(header, row, strict=True))
    left, top, width, height = (_whole(column, values[column]) for column in COLUMNS[1:])
    photo_width, photo_height = (_whole(column, values.get(column) or "0") for column in FURTHER[:2])
    box = Box(values["file"], left, top, width, height, photo_width, photo_height, _number(values.get("score") or "0"))
    path = PurePosixPath(box.file)
    if path.is_absolute() or ".." in path.parts or not path.name or "\0" in box.file:
        raise ValueError(f'file is "{box.file}": expected a path below the folder of photographs')
    if not box.width or not box.height:
        raise ValueError(f"the box is {box.width} x {box.height} pixels: expected 1 or more")
    for start, length, whole in ((box.left, box.width, box.photo_width), (box.top, box.height, box.photo_height)):
        if whole and start + length > whole:
            raise ValueError(f"the box ends at {start + length}, and the photograph at {whole}")
    return box


def _whole(column: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ValueError(f'{column} is "{text}": expected a whole number of pixels, 0 or more')
    return int(text)


def _number(score: str) -> float:
    try:
        return float(score)
    except ValueError:
        raise ValueError(f'score is "{score}": expected a number') from None


@frozen
class Crops(Pictures):
    """The boxes that `table` names, each cut out of its photograph below `path`, a folder or a .zip file.

    A box that is no square is fitted into one as `crop` says. What is in the table counts, not where it lies.
    """

    table: str | None = None
    name: str = "crops"

    places: ClassVar[tuple[str, ...]] = ("path", "table")
    """Options that say where things are, and not what they are."""

    def __attrs_post_init__(self) -> None:
        if self.reduced:
            raise UserError("Crops: boxes are in the pixels of whole photographs, so these are decoded whole: leave reduced off.")

    def open(self) -> CropSource:
        """Read the table and list the photographs. Raises UserError, DataNotFound or BadData."""
        if self.path is None or self.table is None:
            raise DataNotFound('Crops needs "path", the folder of photographs, and "table", the .csv file of their boxes.')
        place, table = expanded(self.path), expanded(self.table)
        if not place.exists():
            raise DataNotFound(f"{place}: there is no such folder of photographs.")
        boxes = read_table(table)
        files, found, _ = contents(place)
        named = {box.file for box in boxes}
        photographs = [each for each in found if each[0] in named]
        if not photographs:
            first = printable(boxes[0].file)
            raise BadData(f"{place} holds none of the photographs in {table}, such as {first}. Give the folder it was made from.")
        names, fingerprint = sorted_names(str(place), photographs)
        return CropSource(files, boxes, frozenset(names), self, f"{_digest(boxes)} {fingerprint}")


def _digest(boxes: Iterable[Box]) -> str:
    digest = hashlib.sha256()
    for box in boxes:
        row = f"{box.file}\0{box.left} {box.top} {box.width} {box.height} {box.photo_width} {box.photo_height}\n"
        digest.update(row.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


@frozen(eq=False)
class CropSource(Source):
    """The boxes in the order of the table."""

    files: Files
    boxes: Sequence[Box]
    known: frozenset[str]
    """The photographs that are there."""
    dataset: Crops
    fingerprint: str = ""
    _last: dict[str, Image.Image] = field(factory=dict, repr=False)
    """The photograph read last: the next box is often one of its own."""

    def __len__(self) -> int:
        return len(self.boxes)

    def name(self, index: int) -> str:
        """The photograph, and where its box begins."""
        box = self.boxes[index]
        return f"{box.file} at {box.left},{box.top}"

    def read(self, index: int) -> dict[str, np.ndarray]:
        """`x` uint8 (C, size, size). Raises Skip."""
        box, dataset = self.boxes[index], self.dataset
        photo = self._photo(box.file)
        then = (box.photo_width or photo.width, box.photo_height or photo.height)
        if photo.size != then:
            raise Skip(f"it is {photo.width} x {photo.height} pixels, and was {then[0]} x {then[1]} when its boxes were made")
        right, bottom = box.left + box.width, box.top + box.height
        if right > photo.width or bottom > photo.height:
            raise Skip(f"the box ends at {right},{bottom}, beyond its {photo.width} x {photo.height} pixels")
        cut = photo.crop((box.left, box.top, right, bottom))
        return {"x": images.fit(cut, dataset.size, dataset.crop)}

    def _photo(self, file: str) -> Image.Image:
        if file not in self._last:
            if file not in self.known:
                raise Skip("the photograph is not there")
            self._last.clear()
            self._last[file] = images.read(self.files.data(file), self.dataset.channels)
        return self._last[file]

    def part(self, start: int, stop: int) -> CropSource:
        """Boxes `start` to `stop` alone, light enough to send to a worker process."""
        boxes = self.boxes[start:stop]
        known = self.known.intersection(box.file for box in boxes)
        return evolve(self, boxes=boxes, known=known, files=self.files.take(sorted(known)), last={})

    @property
    def transform(self) -> str:
        """What is done to each photograph."""
        return f"cut out, then {self.dataset.transform}"
