"""MNIST and Fashion-MNIST: idx files of 28 x 28 grey pictures, as published, compressed or not."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
from attrs import field, frozen

from ganskit.data.arrays import PIXELS, Arrays, ArraySource, Batch, Columns
from ganskit.data.catalog import not_found
from ganskit.errors import BadData
from ganskit.validators import one_of

PREFIX = {"train": "train", "test": "t10k"}
SIDE = 28
PADDED = 32
NAMES = tuple("0123456789")
CLOTHES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
_MAX_COUNT = 10_000_000


@frozen
class Mnist(Arrays):
    """MNIST (LeCun, Cortes & Burges), or another dataset in its format, by `path`: 60,000 and 10,000 digits.

    `path` is the folder of the idx files; without it `mnist` among the originals in ganskit's data folder. `size` 28
    gives the digits as they are, 32 with zeros around them, any other resizes the latter; `channels` 3 repeats grey.
    """

    channels: int = field(default=1, validator=one_of(1, 3))

    entry: ClassVar[str] = "mnist"

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """`y`: the digit."""
        return {"y": NAMES}

    def picture(self, pixels: np.ndarray) -> np.ndarray:
        """With the border of zeros, if it gets one."""
        return np.pad(pixels, 0 if self.size == SIDE else (PADDED - SIDE) // 2)[None]

    def transform(self, shape: tuple[int, ...]) -> str:
        """Whether the pictures are padded, and resized."""
        plain = "none" if self.size == SIDE else f"padded with zeros to {PADDED} x {PADDED}"
        resized = f", then resized to {self.size} x {self.size}, antialiased bicubic"
        return plain if self.size in (SIDE, PADDED) else plain + resized

    def open(self) -> ArraySource:
        """Read both idx files. Raises DataNotFound or BadData."""
        folder, prefix = self.place(), PREFIX[self.split]
        files = [self._find(folder, f"{prefix}-images", 3), self._find(folder, f"{prefix}-labels", 1)]
        pixels, labels = read_idx(files[0], (SIDE, SIDE)), read_idx(files[1], ())
        if len(pixels) != len(labels):
            counts = f"{len(pixels):,} pictures and {files[1].name} {len(labels):,} labels"
            raise BadData(f"{files[0]} has {counts}: they do not belong together. Get both files from the same place.")
        digest = hashlib.sha256(pixels.tobytes() + labels.tobytes())
        batch = Batch(files[0].name, [Columns({PIXELS: pixels, "y": labels})])
        return ArraySource(self, [batch], (1, SIDE, SIDE), digest.hexdigest())

    def _find(self, folder: Path, stem: str, dimensions: int) -> Path:
        """The idx file under any of the names it goes by. Raises DataNotFound."""
        names = [f"{stem}{dot}idx{dimensions}-ubyte{suffix}" for dot in "-." for suffix in (".gz", "")]
        for name in names:
            if (folder / name).is_file():
                return folder / name
        raise not_found(self.entry, folder / names[0])


@frozen
class FashionMnist(Mnist):
    """Fashion-MNIST (Xiao, Rasul & Vollgraf 2017): 60,000 and 10,000 articles of clothing, in the files of MNIST.

    `path` is the folder of the idx files; without it `fashion-mnist` among the originals in ganskit's data folder. The
    options are those of MNIST, and so are the names of the files: only the folder tells one from the other.
    """

    entry: ClassVar[str] = "fashion-mnist"

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """`y`: the kind of article."""
        return {"y": CLOTHES}


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
