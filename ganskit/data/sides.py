"""Two folders of pictures, `a` and `b`: what paired and unpaired datasets have in common."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from attrs import evolve, frozen
from PIL import Image

from ganskit.data import images
from ganskit.data.dataset import Skip, Source
from ganskit.data.files import printable
from ganskit.data.pictures import Files, Pictures
from ganskit.errors import BadData, DataNotFound

SPLITS = ("train", "val", "test")


@frozen
class Pair:
    """The two files of one example; `why_not` says why it cannot be used, and then one of them may be ""."""

    a: str
    b: str
    why_not: str = ""


@frozen(eq=False)
class SidesSource(Source):
    """Examples of two files each, which show the same, so their shapes have to agree."""

    files: Files
    pairs: Sequence[Pair]
    dataset: Pictures
    fingerprint: str = ""
    num_ignored: int = 0

    def __len__(self) -> int:
        return len(self.pairs)

    def name(self, index: int) -> str:
        """Both files, or the one that there is."""
        pair = self.pairs[index]
        return " + ".join(name for name in (pair.a, pair.b) if name)

    def read(self, index: int) -> dict[str, np.ndarray]:
        """`a` and `b`, each uint8 (C, size, size). Raises Skip, saying which of the two cannot be used."""
        pair = self.pairs[index]
        if pair.why_not:
            raise Skip(pair.why_not)
        a, b = self._picture("a", pair.a), self._picture("b", pair.b)
        if not similar(a.size, b.size):
            raise Skip(f"a is {a.width} x {a.height} and b is {b.width} x {b.height}: not the same shape")
        return {"a": fitted(a, self.dataset), "b": fitted(b, self.dataset)}

    def part(self, start: int, stop: int) -> SidesSource:
        """Examples `start` to `stop` alone, light enough to send to a worker process."""
        pairs = self.pairs[start:stop]
        names = [name for pair in pairs for name in (pair.a, pair.b) if name]
        return evolve(self, pairs=pairs, files=self.files.take(names))

    @property
    def transform(self) -> str:
        """What is done to each picture, and what is put together."""
        return f"the files of one name; {self.dataset.transform}"

    def _picture(self, key: str, name: str) -> Image.Image:
        options = self.dataset
        try:
            return images.read(self.files.data(name), options.channels, options.size if options.reduced else None)
        except Skip as reason:
            raise Skip(f"{key} ({name}): {reason}") from reason


def fitted(picture: Image.Image, dataset: Pictures) -> np.ndarray:
    """A picture as uint8 (C, size, size), by the dataset's options."""
    return images.fit(picture, dataset.size, dataset.crop)


def similar(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two widths and heights have the same ratio, as far as the smaller picture's whole pixels can tell.

    >>> similar((178, 218), (89, 109)), similar((255, 100), (127, 50)), similar((256, 256), (256, 240))
    (True, True, False)
    """
    return abs(one[0] * other[1] - other[0] * one[1]) <= max(*one, *other)


def find_sides(place: Path, names: Sequence[str], split: str | None) -> tuple[str, str] | None:
    """The folders of `a` and of `b`, as "trainA/" and "trainB/"; None when neither is there. Raises BadData for only one."""
    folders = folders_of(names)
    for top in tops(names):
        for sides in _sides(split):
            a, b = (f"{top}{side}" for side in sides)
            if a in folders and b in folders:
                return f"{a}/", f"{b}/"
            if a in folders or b in folders:
                there, missing = (a, b) if a in folders else (b, a)
                pictures = f"pictures in {printable(there)}, and none in {printable(missing)}"
                raise BadData(f"{printable(str(place))} has {pictures}: expected some in both.")
    return None


def no_sides(place: Path, names: Sequence[str], split: str | None) -> DataNotFound:
    """The error to raise when there are no two folders."""
    expected = ", or ".join(f"{a} and {b}" for a, b in _sides(split))
    return DataNotFound(f"{printable(str(place))}: expected pictures in two folders {expected}. {there_is(names)}")


def there_is(names: Sequence[str]) -> str:
    """The folders with pictures, the end of an error message."""
    folders = sorted(folders_of(names) - {""})
    more = f" and {len(folders) - 8} more" if len(folders) > 8 else ""
    return f"Folders with pictures: {', '.join(map(printable, folders[:8])) or 'none'}{more}."


def tops(names: Sequence[str]) -> list[str]:
    """Where to look for the folders: in the place itself, and as long as it holds one folder only, in that, as "maps/"."""
    shared = posixpath.commonpath([posixpath.dirname(name) for name in names])
    parts = shared.split("/") if shared else []
    return ["".join(f"{part}/" for part in parts[:depth]) for depth in range(len(parts) + 1)]


def tell_of_sides(names: Sequence[str]) -> bool:
    """Whether any folder is called trainA, testB or so, wherever it is and whether or not it has a partner."""
    sided = {f"{split}{side}" for split in SPLITS for side in "AB"}
    return any(posixpath.basename(folder) in sided for folder in folders_of(names))


def folders_of(names: Sequence[str]) -> set[str]:
    """Every folder that has pictures in it or below it; "" is the place itself."""
    folders: set[str] = set()
    for folder in {posixpath.dirname(name) for name in names}:
        while folder not in folders:
            folders.add(folder)
            folder = posixpath.dirname(folder)
    return folders


def _sides(split: str | None) -> list[tuple[str, str]]:
    """What the two folders may be called: as CycleGAN's datasets, as pix2pix's before they are combined, or plainly."""
    if split is None:
        return [("a", "b"), ("A", "B"), ("trainA", "trainB")]
    inside = [(f"{split}/{a}", f"{split}/{b}") for a, b in ("ab", "AB")]
    around = [(f"{a}/{split}", f"{b}/{split}") for a, b in ("ab", "AB")]
    return [(f"{split}A", f"{split}B"), *inside, *around]
