"""Street View House Numbers, cropped digits: the published .mat files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
from attrs import frozen

from ganskit.data import mat
from ganskit.data.arrays import PIXELS, Arrays, ArraySource, Batch, Columns, fingerprint
from ganskit.data.catalog import not_found
from ganskit.errors import BadData

SHAPE = (3, 32, 32)
NAMES = tuple("0123456789")
NUM_VALIDATION = 10_000
AUTHORS_SEED = 42
FILES = {
    "train": "train_32x32.mat",
    "extra": "extra_32x32.mat",
    "test": "test_32x32.mat",
    "train-without-validation": "train_32x32.mat",
    "validation": "train_32x32.mat",
}
_AGAIN = "Download the cropped digits (format 2) again."


@frozen
class Svhn(Arrays):
    """SVHN (Netzer et al. 2011), cropped digits of 32 x 32 pixels: 73,257 "train", 531,131 "extra", 26,032 "test".

    Radford 2016, section 5.2: "we split off a validation set of 10,000 examples from the non-extra set and use it for all
    hyperparameter and model selection". Which ones is in the authors' code (svhn/load.py, lib/rng.py): the train file is
    shuffled by NumPy's RandomState(42), "validation" are the first 10,000, "train-without-validation" the other 63,257.
    Both splits are in that order.

    `path` is the folder of the .mat files, or the split's own file; without it `svhn` among the originals in ganskit's
    data folder. `y` is the digit, whose 0 the files call 10. At a `size` other than 32 the pictures are resized;
    `channels` 1 makes them grey. A file is held in memory while it is prepared: 1.6 GB for "extra".
    """

    entry: ClassVar[str] = "svhn"
    splits: ClassVar[tuple[str, ...]] = tuple(FILES)
    first_label: ClassVar[int] = 1

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """`y`: the digit."""
        return {"y": NAMES}

    def value(self, label: int) -> int:
        """The digit: 10 stands for 0."""
        return label % 10

    def open(self) -> ArraySource:
        """Read the split's .mat file. Raises DataNotFound or BadData."""
        place, name = self.place(), FILES[self.split]
        if place.is_file() and place.name != name:
            raise BadData(f'{place} is not {name}, which the split "{self.split}" needs. Give that, or the folder that holds it.')
        file = place if place.is_file() else place / name
        if not file.is_file():
            raise not_found(self.entry, file, split=name.partition("_")[0])
        pixels, labels = read_mat(file)
        rows = self._rows(file, len(labels))
        table = Columns({PIXELS: pixels[rows], "y": labels[rows]} if rows is not None else {PIXELS: pixels, "y": labels})
        return ArraySource(self, [Batch(name, [table], numbers=rows)], SHAPE, fingerprint([file]))

    def _rows(self, file: Path, count: int) -> np.ndarray | None:
        """The rows of the split; None for all of the file, in its order."""
        if self.split not in ("validation", "train-without-validation"):
            return None
        if count <= NUM_VALIDATION:
            raise BadData(f"{file} has {count:,} digits, too few to set {NUM_VALIDATION:,} of them aside. Download it again.")
        order = np.arange(count)
        np.random.RandomState(AUTHORS_SEED).shuffle(order)  # NumPy keeps what this class draws over its releases
        return order[:NUM_VALIDATION] if self.split == "validation" else order[NUM_VALIDATION:]


def read_mat(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (N, 3, 32, 32) uint8 and labels (N,) of one .mat file. Raises BadData for any other contents."""
    found = mat.variables(file)
    wanted = {each.name: each for each in found if each.name in ("X", "y")}
    count = wanted["X"].shape[-1] if "X" in wanted else 0
    kinds = [(name, each.shape, each.kind) for name, each in sorted(wanted.items())]
    if kinds != [("X", (32, 32, 3, count), "uint8"), ("y", (count, 1), "uint8")]:
        held = ", ".join(map(str, found)) or "no variables"
        raise BadData(f"{file} holds {held}: expected X (32, 32, 3, N) uint8 and y (N, 1) uint8. {_AGAIN}")
    return mat.load(file, wanted["X"]).transpose(3, 2, 0, 1), mat.load(file, wanted["y"])[:, 0]
