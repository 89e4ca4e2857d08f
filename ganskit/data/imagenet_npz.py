"""ImageNet made small: the .npz batches of the downsampled versions of ImageNet-1k, which are read without pickle."""

from __future__ import annotations

import warnings
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, ClassVar

import numpy as np
from attrs import field, frozen

from ganskit.data.arrays import PIXELS, Arrays, ArraySource, Batch, Columns, fingerprint
from ganskit.data.catalog import not_found
from ganskit.data.damage import momentary, unreadable
from ganskit.errors import BadData, DataNotFound
from ganskit.validators import at_least, one_of

BATCHES = {"train": tuple(f"train_data_batch_{i}" for i in range(1, 11)), "val": ("val_data",)}
SIDES = (8, 16, 32, 64)
NAMES = tuple(str(number) for number in range(1, 1001))
CLASSES = "map_clsloc.txt"
_MAX_COUNT = 2_000_000
_DAMAGE = (OSError, EOFError, ValueError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What NumPy and zipfile raise for damaged files; RuntimeError for an encrypted one."""


@frozen
class ImageNet32(Arrays):
    """Downsampled ImageNet (Chrabaszcz, Loshchilov & Hutter 2017): ImageNet-1k squeezed to 8, 16, 32 or 64 pixels a side.

    1,281,167 pictures "train", 50,000 "val", whatever their shape squeezed into a square. The DCGAN paper's "32 x 32
    min-resized center crops" are not these: make them from the original pictures, with the dataset `imagenet`.

    `path` is the folder of train_data_batch_1.npz and so on, or of such folders; without it `imagenet32` among the
    originals in ganskit's data folder. Pictures of another size than `size` are resized; `channels` 1 makes them grey. `y` is
    the publisher's number of the class less one, which is not the order of the WordNet names; map_clsloc.txt beside the files
    gives the classes' names.
    """

    entry: ClassVar[str] = "imagenet32"
    splits: ClassVar[tuple[str, ...]] = ("train", "val")
    first_label: ClassVar[int] = 1

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """`y`: one of 1,000 classes."""
        return {"y": NAMES}

    def open(self) -> ArraySource:
        """Read the headers and the labels of all batches. Raises DataNotFound or BadData."""
        folder = self.folder("the downloaded .zip")
        files = [_find(folder, f"{name}.npz") for name in BATCHES[self.split]]
        self._check_there(folder, files)
        tables = [Pixels.of(file) for file in files]
        for file, table in zip(files, tables, strict=True):
            if table.shape != tables[0].shape:
                raise BadData(f"{file} has pictures of {table.shape}, {files[0].name} of {tables[0].shape}: separate them.")
        _check_no_copies(tables)
        batches = [Batch(table.file.name, [table, Columns({"y": read_labels(table)})]) for table in tables]
        return ArraySource(self, batches, tables[0].shape, fingerprint(files), {"y": _class_names(_find(folder, CLASSES))})

    def _check_there(self, folder: Path, files: list[Path]) -> None:
        missing = [file for file in files if not file.is_file()]
        for file in missing:
            pickled = _find(folder, file.stem)
            if pickled.is_file():
                raise BadData(
                    f"{pickled} is a batch in Python's pickle format, which can run any code and which ganskit does not "
                    f"read: get the version in npz format, {file.name}."
                )
        packed = sorted(file.name for file in folder.glob("*.zip")) if missing else []
        if packed:
            raise DataNotFound(f"{folder} has {', '.join(packed)}, still packed: extract it there, with unzip {packed[0]}.")
        if missing == files:
            raise not_found(self.entry, files[0], split=self.split)
        if missing:
            names = ", ".join(file.name for file in missing)
            raise BadData(f"{folder} lacks {names}: the split has {len(files)} files. Extract all its downloads there.")


@frozen
class ImageNet64(ImageNet32):
    """The same at 64 x 64, whose train batches come in two downloads; without `path` it is `imagenet64` among the originals."""

    size: int = field(default=64, validator=at_least(1))
    channels: int = field(default=3, validator=one_of(1, 3))

    entry: ClassVar[str] = "imagenet64"


def _find(folder: Path, name: str) -> Path:
    """The file in the folder, or in a folder in it, as an archive leaves it. Raises BadData when there are two."""
    found = [folder / name] if (folder / name).is_file() else sorted(folder.glob(f"*/{name}"))
    if len(found) > 1:
        raise BadData(f"{name} is in {found[0].parent} and in {found[1].parent}: give the one with the pictures that you want.")
    return found[0] if found else folder / name


class Pixels:
    """The pictures in one .npz as a table: (N, C, S, S) uint8, streamed out of the archive, for they may be compressed.

    Only the rows of a part are held. Parts are cut with rising `start`; an earlier one makes the stream begin anew.
    """

    def __init__(self, file: Path, count: int, shape: tuple[int, ...], offset: int, checksum: tuple[int, int]) -> None:
        self.file, self.shape, self.checksum = file, shape, checksum
        self._count, self._offset = count, offset
        self._stream: IO[bytes] | None = None

    @classmethod
    def of(cls, file: Path) -> Pixels:
        """Read the header of `data`. Raises BadData when it is not what the publisher describes."""
        try:
            with zipfile.ZipFile(file) as archive, archive.open("data.npy") as stream:
                shape, dtype = _header(stream)
                offset, info = stream.tell(), archive.getinfo("data.npy")
        except _DAMAGE as error:
            raise BadData(f"{file} is no .npz with data and labels: {_words(error)}. Download it again.") from error
        side = next((side for side in SIDES if shape[1:] == (3 * side * side,)), None)
        if side is None or dtype != np.uint8 or not 0 < shape[0] <= _MAX_COUNT:
            sides = ", ".join(map(str, SIDES))
            raise BadData(f"{file} has data {shape} {dtype}: expected (N, 3 * S * S) uint8 for S one of {sides}.")
        if info.file_size != offset + shape[0] * shape[1]:
            raise BadData(f"{file} holds {info.file_size:,} bytes of data, not what its {shape} need. Download it again.")
        return cls(file, shape[0], (3, side, side), offset, (info.CRC, info.file_size))

    def __len__(self) -> int:
        return self._count

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_stream": None}

    def row(self, index: int) -> dict[str, np.ndarray]:
        """One picture."""
        return self.part(index, index + 1).row(0)

    def part(self, start: int, stop: int) -> Columns:
        """These rows, in memory. Raises BadData when the archive is damaged."""
        row_bytes = int(np.prod(self.shape))
        try:
            stream = self._at(self._offset + start * row_bytes)
            data = stream.read((stop - start) * row_bytes)
            if stop == self._count:
                stream.read(1)  # zipfile compares the checksum when it comes to the end
                self._close()
        except _DAMAGE as error:
            self._close()
            if momentary(error):
                raise unreadable(str(self.file), error) from error
            raise BadData(f"{self.file} is damaged: {_words(error)}. Download it again.") from error
        if len(data) != (stop - start) * row_bytes:
            raise BadData(f"{self.file} ends too early. Download it again.")
        return Columns({PIXELS: np.frombuffer(data, np.uint8).reshape(stop - start, *self.shape)})

    def _at(self, position: int) -> IO[bytes]:
        if self._stream is not None and self._stream.tell() > position:
            self._close()
        if self._stream is None:
            with zipfile.ZipFile(self.file) as archive:  # the file itself stays open as long as the stream in it
                self._stream = archive.open("data.npy")
        self._stream.seek(position)
        return self._stream

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._stream = None


def read_labels(pixels: Pixels) -> np.ndarray:
    """The labels (N,) beside these pictures. Raises BadData."""
    file, count = pixels.file, len(pixels)
    try:
        with zipfile.ZipFile(file) as archive, archive.open("labels.npy") as stream:
            shape, dtype = _header(stream)
            if shape != (count,) or dtype.kind not in "iu":
                raise BadData(f"{file} has labels {shape} {dtype}: expected ({count},) whole numbers, one for each picture.")
            data = stream.read(count * dtype.itemsize)
    except _DAMAGE as error:
        raise BadData(f"{file} has no readable labels: {_words(error)}. Download it again.") from error
    if len(data) != count * dtype.itemsize:
        raise BadData(f"{file} has too few labels. Download it again.")
    return np.frombuffer(data, dtype)


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and dtype of the array that begins here, so that nothing else has to be read to know them."""
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(stream)
    if version not in read:
        raise ValueError(f"an array in version {version} of NumPy's format")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy's remark on headers that Python 2 wrote
            shape, by_columns, dtype = read[version](stream)
    except Exception as error:  # a damaged header makes Python's parser raise nearly anything: TokenError, MemoryError, ...
        raise ValueError("the header of an array is not understood") from error
    if by_columns and len(shape) > 1:
        raise ValueError("an array that is stored column by column")
    return shape, dtype


def _check_no_copies(tables: list[Pixels]) -> None:
    seen: dict[tuple[int, int], Path] = {}
    for table in tables:
        if table.checksum in seen:
            raise BadData(f"{table.file} holds the pictures of {seen[table.checksum].name}: one is a copy. Extract them again.")
        seen[table.checksum] = table.file


def _class_names(file: Path) -> tuple[str, ...]:
    """The names in the publisher's list, whose lines are like "n02119789 1 kit_fox"; or the numbers when it is not there."""
    if not file.is_file():
        return NAMES
    words = [line.split() for line in file.read_text("utf-8", "replace").splitlines() if line.strip()]
    names = {each[1]: each[2] for each in words if len(each) == 3}
    if len(names) != len(words) or names.keys() != set(NAMES):
        raise BadData(f'{file} does not name the classes 1 to 1000, one in a line such as "n02119789 1 kit_fox".')
    return tuple(names[number] for number in NAMES)


def _words(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
