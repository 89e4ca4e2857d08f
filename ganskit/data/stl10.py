"""STL-10 in its binary version: files of 3 x 96 x 96 pixels, column by column, and files of label bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from attrs import field, frozen

from ganskit.data.arrays import PIXELS, Arrays, ArraySource, Batch, Columns, Records, Table, class_names, fingerprint
from ganskit.data.catalog import not_found
from ganskit.errors import BadData
from ganskit.validators import at_least, one_of

SHAPE = (3, 96, 96)
FOLDER = "stl10_binary"
NAMES = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")
NUM_UNLABELLED = 100_000  # no file of labels tells when this one was cut short
LAYOUT = np.dtype([(PIXELS, "u1", SHAPE)])


@frozen
class Stl10(Arrays):
    """STL-10 (Coates, Ng & Lee 2011), 96 x 96: 5,000 "train", 8,000 "test", and 100,000 "unlabeled", which have no `y`.

    `path` is the folder stl10_binary, or the one it lies in; without it `stl10` among the originals in ganskit's data
    folder. At a `size` other than 96 the pictures are resized; `channels` 1 makes them grey. The folds of fold_indices.txt
    are not used.
    """

    size: int = field(default=96, validator=at_least(1))
    channels: int = field(default=3, validator=one_of(1, 3))

    entry: ClassVar[str] = "stl10"
    splits: ClassVar[tuple[str, ...]] = ("train", "test", "unlabeled")
    first_label: ClassVar[int] = 1

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """`y`: one of ten classes, but not for the unlabeled split."""
        return {} if self.split == "unlabeled" else {"y": NAMES}

    def picture(self, pixels: np.ndarray) -> np.ndarray:
        """Rows and columns exchanged: "The images are stored in column-major order, one channel at a time" (the publisher)."""
        return pixels.transpose(0, 2, 1)

    def open(self) -> ArraySource:
        """Check the sizes of the files; pictures are read from the disk. Raises DataNotFound or BadData."""
        folder = self.folder("it (tar -xzf stl10_binary.tar.gz)", FOLDER)
        files = [folder / f"{self.split}_X.bin"] + ([folder / f"{self.split}_y.bin"] if self.labels() else [])
        for file in files:
            if not file.is_file():
                raise not_found(self.entry, file)
        pictures = Records.all_of(files[0], LAYOUT, None if self.labels() else NUM_UNLABELLED)
        tables: list[Table] = [pictures]
        classes = {}
        if self.labels():
            labels = np.fromfile(files[1], np.uint8, count=len(pictures) + 1)
            if len(labels) != len(pictures):
                counts = f"{len(pictures):,} pictures and {files[1].name} {files[1].stat().st_size:,} labels"
                raise BadData(f"{files[0]} has {counts}: they do not belong together. Extract the download again.")
            tables.append(Columns({"y": labels}))
            text = folder / "class_names.txt"
            classes["y"] = class_names(text, text.read_text("ascii", "replace") if text.is_file() else None, NAMES)
        return ArraySource(self, [Batch(files[0].name, tables)], SHAPE, fingerprint(files), classes)
