"""MNIST: idx files of 28 x 28 grey digits, as published, compressed or not."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path

import numpy as np
from attrs import field, frozen

from ganskit.data import images
from ganskit.data.catalog import not_found
from ganskit.data.dataset import Dataset, Field, Skip, Source
from ganskit.data.home import originals
from ganskit.errors import BadData
from ganskit.validators import at_least, one_of

PREFIX = {"train": "train", "test": "t10k"}
SIDE = 28
PADDED = 32
NAMES = tuple("0123456789")
_MAX_COUNT = 10_000_000


@frozen
class Mnist(Dataset):
    """MNIST (LeCun, Cortes & Burges), or another dataset in its format, such as Fashion-MNIST, by `path`.

    `path` is the folder of the idx files; without it `mnist` among the originals in ganskit's data folder. `size` 28
    gives the digits as they are, 32 with zeros around them, any other resizes the latter; `channels` 3 repeats grey.
    """

    path: str | None = None
    split: str = field(default="train", validator=one_of("train", "test"))
    size: int = field(default=PADDED, validator=at_least(1))
    channels: int = field(default=1, validator=one_of(1, 3))

    def provides(self) -> dict[str, Field]:
        """`x` (C, size, size) uint8 and `y` () int64."""
        return {"x": Field((self.channels, self.size, self.size), pixels=True), "y": Field((), "int64", classes=NAMES)}

    def open(self) -> MnistSource:
        """Read both idx files. Raises DataNotFound or BadData."""
        folder = Path(self.path).expanduser() if self.path is not None else originals("mnist")
        prefix = PREFIX[self.split]
        files = [find(folder, f"{prefix}-images", 3), find(folder, f"{prefix}-labels", 1)]
        pixels, labels = read_idx(files[0], (SIDE, SIDE)), read_idx(files[1], ())
        if len(pixels) != len(labels):
            counts = f"{len(pixels):,} digits and {files[1].name} {len(labels):,} labels"
            raise BadData(f"{files[0]} has {counts}: they do not belong together.")
        return MnistSource(self, files[0].name, pixels, labels)


class MnistSource(Source):
    """Digits and labels in memory, from row `first` of the file on."""

    def __init__(self, dataset: Mnist, file: str, pixels: np.ndarray, labels: np.ndarray, first: int = 0) -> None:
        self._dataset, self._file, self._pixels, self._labels, self._first = dataset, file, pixels, labels, first
        self.fingerprint = hashlib.sha256(pixels.tobytes() + labels.tobytes()).hexdigest()
        plain = "none" if dataset.size == SIDE else f"padded with zeros to {PADDED} x {PADDED}"
        resized = f", then resized to {dataset.size} x {dataset.size}, antialiased bicubic"
        self.transform = plain if dataset.size in (SIDE, PADDED) else plain + resized

    def __len__(self) -> int:
        return len(self._labels)

    def name(self, index: int) -> str:
        """File and row."""
        return f"{self._file} row {self._first + index}"

    def part(self, start: int, stop: int) -> MnistSource:
        """Rows `start` to `stop` alone, light enough to send to a worker process."""
        pixels, labels = self._pixels[start:stop], self._labels[start:stop]
        return MnistSource(self._dataset, self._file, pixels, labels, self._first + start)

    def read(self, index: int) -> dict[str, np.ndarray]:
        """`x` and `y`. Raises Skip for a label out of range."""
        label = self._labels[index]
        if label >= len(NAMES):
            raise Skip(f"label {label}: expected 0 to {len(NAMES) - 1}")
        border = 0 if self._dataset.size == SIDE else (PADDED - SIDE) // 2
        padded = np.pad(self._pixels[index], border)[None]
        x = images.resized(padded, self._dataset.size, self._dataset.channels)
        return {"x": x, "y": np.array(label, dtype=np.int64)}


def find(folder: Path, stem: str, dimensions: int) -> Path:
    """The idx file under any of the names it goes by. Raises DataNotFound."""
    names = [f"{stem}{dot}idx{dimensions}-ubyte{suffix}" for dot in "-." for suffix in (".gz", "")]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise not_found("mnist", folder / names[0])


def read_idx(file: Path, shape: tuple[int, ...]) -> np.ndarray:
    """The uint8 array (N, *shape) of an idx file: magic number 0x08 and the number of dimensions, then the sizes.

    Raises BadData, naming the file, for another magic number or shape and for too few or too many bytes.
    """
    num_dimensions = 1 + len(shape)
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
            start = stream.read(4 * (1 + num_dimensions))
            magic = 0x800 + num_dimensions
            if len(start) != 4 * (1 + num_dimensions) or int.from_bytes(start[:4]) != magic:
                raise BadData(f"{file} is no idx file of bytes in {num_dimensions} dimensions (magic number {magic}).")
            count, *found = np.frombuffer(start[4:], dtype=">u4").tolist()
            if tuple(found) != shape or count > _MAX_COUNT:
                raise BadData(f"{file} holds {(count, *found)}: expected {('N', *shape)}.")
            expected = count * int(np.prod(shape, dtype=np.int64))
            data = stream.read(expected + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise BadData(f"{file} cannot be read: {error}. Download it again.") from error
    if len(data) != expected:
        raise BadData(f"{file} does not hold the {expected:,} bytes that its header promises. Download it again.")
    return np.frombuffer(data, dtype=np.uint8).reshape(count, *shape)
