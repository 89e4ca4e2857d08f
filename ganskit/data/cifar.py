"""CIFAR-10 in its binary version: rows of one label byte and 3 x 32 x 32 pixels."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from attrs import field, frozen

from ganskit.data import images
from ganskit.data.catalog import not_found
from ganskit.data.dataset import Dataset, Field, Skip, Source
from ganskit.data.home import originals
from ganskit.errors import BadData, DataNotFound
from ganskit.validators import at_least, one_of

FOLDER = "cifar-10-batches-bin"
BATCHES = {"train": tuple(f"data_batch_{i}.bin" for i in range(1, 6)), "test": ("test_batch.bin",)}
ROW_BYTES = 3073
ROWS_PER_FILE = 10_000
NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@frozen
class Cifar10(Dataset):
    """CIFAR-10 (Krizhevsky 2009): 50,000 pictures to train on, 10,000 to test on, ten classes.

    `path` is the folder cifar-10-batches-bin, or the one it lies in; without it `cifar10` among the originals in
    ganskit's data folder. At a `size` other than 32 the pictures are resized; `channels` 1 makes them grey.
    """

    path: str | None = None
    split: str = field(default="train", validator=one_of("train", "test"))
    size: int = field(default=32, validator=at_least(1))
    channels: int = field(default=3, validator=one_of(1, 3))

    def provides(self) -> dict[str, Field]:
        """`x` (C, size, size) uint8 and `y` () int64."""
        return {"x": Field((self.channels, self.size, self.size), pixels=True), "y": Field((), "int64", classes=NAMES)}

    def open(self) -> CifarSource:
        """Check the batches' sizes and map them into memory. Raises DataNotFound or BadData."""
        root = Path(self.path).expanduser() if self.path is not None else originals("cifar10")
        if root.is_file():
            raise DataNotFound(f"{root} is a file: extract it with tar -xzf {root.name}, and give the folder {FOLDER}.")
        folder = root / FOLDER if (root / FOLDER).is_dir() else root
        for batch in BATCHES[self.split]:
            _check(folder / batch)
        return CifarSource(folder.absolute(), self)


class CifarSource(Source):
    """The rows of the batches of one split, in order."""

    def __init__(self, folder: Path, dataset: Cifar10) -> None:
        self._files = [folder / batch for batch in BATCHES[dataset.split]]
        self._dataset = dataset
        status = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in self._files]
        self.fingerprint = hashlib.sha256(repr(status).encode()).hexdigest()
        self.classes = {"y": _class_names(folder)}
        resized = dataset.size != 32 or dataset.channels != 3
        self.transform = images.transform(dataset.size, dataset.channels, "none") if resized else "none"

    def __len__(self) -> int:
        return ROWS_PER_FILE * len(self._files)

    def name(self, index: int) -> str:
        """File and row."""
        batch, row = divmod(index, ROWS_PER_FILE)
        return f"{self._files[batch].name} row {row}"

    def read(self, index: int) -> dict[str, np.ndarray]:
        """`x` and `y`. Raises Skip for a label out of range."""
        batch, row = divmod(index, ROWS_PER_FILE)
        with self._files[batch].open("rb") as stream:
            stream.seek(row * ROW_BYTES)
            data = np.frombuffer(stream.read(ROW_BYTES), dtype=np.uint8)
        if data[0] >= len(NAMES):
            raise Skip(f"label {data[0]}: expected 0 to {len(NAMES) - 1}")
        x = images.resized(data[1:].reshape(3, 32, 32), self._dataset.size, self._dataset.channels)
        return {"x": x, "y": np.array(data[0], dtype=np.int64)}


def _check(file: Path) -> None:
    if not file.is_file():
        raise not_found("cifar10", file)
    expected = ROWS_PER_FILE * ROW_BYTES
    if file.stat().st_size != expected:
        raise BadData(f"{file} has {file.stat().st_size:,} bytes, expected {expected:,}. Extract the download again.")


def _class_names(folder: Path) -> tuple[str, ...]:
    """What batches.meta.txt says, or the published names when it is missing."""
    meta = folder / "batches.meta.txt"
    names = tuple(meta.read_text("ascii", "replace").split()) if meta.is_file() else NAMES
    if len(names) != len(NAMES):
        raise BadData(f"{meta} names {len(names)} classes, expected {len(NAMES)}.")
    return names
