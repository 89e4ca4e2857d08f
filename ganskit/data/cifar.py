"""CIFAR-10 and CIFAR-100 in their binary versions: rows of one or two label bytes and 3 x 32 x 32 pixels."""

from __future__ import annotations

import posixpath
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
from attrs import frozen

from ganskit.data.arrays import PIXELS, Arrays, ArraySource, Batch, Records, check_different, class_names, fingerprint, records
from ganskit.data.catalog import not_found
from ganskit.errors import BadData, DataNotFound

SHAPE = (3, 32, 32)
FOLDER = "cifar-10-batches-bin"
BATCHES = {"train": tuple(f"data_batch_{i}.bin" for i in range(1, 6)), "test": ("test_batch.bin",)}
ROWS_PER_FILE = 10_000
NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

FOLDER_100 = "cifar-100-binary"
ROWS_100 = {"train": 50_000, "test": 10_000}
COARSE = (
    *("aquatic_mammals", "fish", "flowers", "food_containers", "fruit_and_vegetables", "household_electrical_devices"),
    *("household_furniture", "insects", "large_carnivores", "large_man-made_outdoor_things", "large_natural_outdoor_scenes"),
    *("large_omnivores_and_herbivores", "medium_mammals", "non-insect_invertebrates", "people", "reptiles", "small_mammals"),
    *("trees", "vehicles_1", "vehicles_2"),
)
FINE = (
    *("apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle", "bowl", "boy", "bridge"),
    *("bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle", "chair", "chimpanzee", "clock", "cloud"),
    *("cockroach", "couch", "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest", "fox", "girl"),
    *("hamster", "house", "kangaroo", "keyboard", "lamp", "lawn_mower", "leopard", "lion", "lizard", "lobster", "man"),
    *("maple_tree", "motorcycle", "mountain", "mouse", "mushroom", "oak_tree", "orange", "orchid", "otter", "palm_tree"),
    *("pear", "pickup_truck", "pine_tree", "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray"),
    *("road", "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider"),
    *("squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone", "television", "tiger", "tractor"),
    *("train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm"),
)
_MAX_NAMES_BYTES = 100_000


@frozen
class _Cifar(Arrays):
    """What both have in common: some files of `layout`, and texts with the names of the classes."""

    home: ClassVar[str]
    """The folder that the published archive holds."""
    layout: ClassVar[np.dtype[np.void]]
    names_in: ClassVar[Mapping[str, str]]
    """Field -> the text with the names of its classes."""

    def files(self) -> Mapping[str, int]:
        """The files of the split, and how many rows each has."""
        raise NotImplementedError

    def open(self) -> ArraySource:
        """Check the sizes of the files; rows are read from the disk. Raises DataNotFound or BadData.

        The downloaded .tar.gz is read into memory: 154 MB at most.
        """
        place = self.place()
        if place.is_file():
            return self._from_tar(place)
        folder = place / self.home if (place / self.home).is_dir() else place
        for name in self.files():
            if not (folder / name).is_file():
                raise not_found(self.entry, folder / name)
        paths = [folder / name for name in self.files()]
        tables = [Records.all_of(path, self.layout, rows) for path, rows in zip(paths, self.files().values(), strict=True)]
        texts = {name: _text(folder / name) for name in self.names_in.values()}
        batches = [Batch(path.name, [table]) for path, table in zip(paths, tables, strict=True)]
        return self._source(batches, fingerprint(paths), folder, texts)

    def _from_tar(self, archive: Path) -> ArraySource:
        data = read_members(archive, self._sizes(), set(self.names_in.values()))
        for name in self.files():
            if name not in data:
                raise BadData(f"{archive} has no {name} of {self._sizes()[name]:,} bytes. Download {self.home}'s .tar.gz again.")
        batches = [Batch(name, [records(np.frombuffer(data[name], self.layout))]) for name in self.files()]
        texts = {name: data[name].decode("ascii", "replace") if name in data else None for name in self.names_in.values()}
        return self._source(batches, fingerprint([archive]), archive, texts)

    def _sizes(self) -> dict[str, int]:
        return {name: rows * self.layout.itemsize for name, rows in self.files().items()}

    def _source(self, batches: list[Batch], mark: str, where: Path, texts: Mapping[str, str | None]) -> ArraySource:
        check_different(batches)
        classes = {
            label: class_names(where / self.names_in[label], texts[self.names_in[label]], published)
            for label, published in self.labels().items()
        }
        return ArraySource(self, batches, SHAPE, mark, classes)


@frozen
class Cifar10(_Cifar):
    """CIFAR-10 (Krizhevsky 2009): 50,000 pictures to train on, 10,000 to test on, ten classes.

    `path` is the folder cifar-10-batches-bin, the one it lies in, or the downloaded cifar-10-binary.tar.gz; without it
    `cifar10` among the originals in ganskit's data folder. At a `size` other than 32 the pictures are resized;
    `channels` 1 makes them grey.
    """

    entry: ClassVar[str] = "cifar10"
    home: ClassVar[str] = FOLDER
    layout: ClassVar[np.dtype[np.void]] = np.dtype([("y", "u1"), (PIXELS, "u1", SHAPE)])
    names_in: ClassVar[Mapping[str, str]] = {"y": "batches.meta.txt"}

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """`y`: one of ten classes."""
        return {"y": NAMES}

    def files(self) -> Mapping[str, int]:
        """Five to train on, one to test on."""
        return dict.fromkeys(BATCHES[self.split], ROWS_PER_FILE)


@frozen
class Cifar100(_Cifar):
    """CIFAR-100 (Krizhevsky 2009): 50,000 pictures to train on, 10,000 to test on, 100 classes in 20 groups of five.

    `path` is the folder cifar-100-binary, the one it lies in, or the downloaded cifar-100-binary.tar.gz; without it
    `cifar100` among the originals in ganskit's data folder. `y` is the fine label and `coarse` that of the group.
    """

    entry: ClassVar[str] = "cifar100"
    home: ClassVar[str] = FOLDER_100
    layout: ClassVar[np.dtype[np.void]] = np.dtype([("coarse", "u1"), ("y", "u1"), (PIXELS, "u1", SHAPE)])
    names_in: ClassVar[Mapping[str, str]] = {"y": "fine_label_names.txt", "coarse": "coarse_label_names.txt"}

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """`y`: one of 100 classes, `coarse`: one of their 20 groups."""
        return {"y": FINE, "coarse": COARSE}

    def files(self) -> Mapping[str, int]:
        """One for each split."""
        return {f"{self.split}.bin": ROWS_100[self.split]}


def read_members(archive: Path, sizes: Mapping[str, int], texts: set[str]) -> dict[str, bytes]:
    """The files of a .tar or .tar.gz that have these names, in any folder, and these sizes; and short `texts`.

    Nothing is extracted. Raises DataNotFound when it is no tar archive, BadData when it is damaged.
    """
    wanted = {name: (size, size) for name, size in sizes.items()} | dict.fromkeys(texts, (0, _MAX_NAMES_BYTES))
    found: dict[str, bytes] = {}
    try:
        if not tarfile.is_tarfile(archive):
            raise DataNotFound(f"{archive} is no tar archive: expected the downloaded .tar.gz, or the folder it is extracted to.")
        with tarfile.open(archive) as tar:
            for member in tar:
                name = posixpath.basename(member.name)
                least, most = wanted.get(name, (1, 0))
                stream = tar.extractfile(member) if member.isreg() and least <= member.size <= most else None
                if stream is not None and name not in found:
                    found[name] = stream.read()
                if len(found) == len(wanted):
                    break
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise BadData(f"{archive} is damaged: {error}. Download it again.") from error
    return found


def _text(file: Path) -> str | None:
    return file.read_text("ascii", "replace") if file.is_file() else None
