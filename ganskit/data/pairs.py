"""Pairs of pictures that belong together, for translators: side by side in one file, or in two folders."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from attrs import evolve, field, frozen, validators

from ganskit.data import images
from ganskit.data.dataset import Field, Skip, Source
from ganskit.data.pictures import Files, Found, Pictures, sorted_names
from ganskit.data.places import contents, place_of
from ganskit.data.sides import SPLITS, Pair, SidesSource, find_sides, fitted, folders_of, no_sides, tell_of_sides, there_is, tops
from ganskit.errors import DataNotFound
from ganskit.validators import at_least, one_of

LAYOUTS = ("beside", "folders")


@frozen
class Pairs(Pictures):
    """Pairs of pictures `a` and `b`, such as those of pix2pix (Isola et al. 2017).

    `path` is a folder or a .zip; without it `name` among the originals in ganskit's data folder. `layout` "beside": each
    file holds both, `a` on the left, each half as wide; "folders": `a` and `b` are files of the same name (the suffix may
    differ) in two folders, a and b, A and B, or trainA and trainB; None: two folders if there are any. `split` "train",
    "val" or "test" takes that subfolder, None everything in `path`, and trainA before all others. `swap` exchanges `a`
    and `b`. `reduced` is for two folders only: in one file the halves would mix.
    """

    name: str = ""
    layout: str | None = field(default=None, validator=validators.optional(one_of(*LAYOUTS)))
    split: str | None = field(default=None, validator=validators.optional(one_of(*SPLITS)))
    swap: bool = False

    def provides(self) -> dict[str, Field]:
        """`a` and `b`, each (C, size, size) uint8."""
        return {"a": self.pixels, "b": self.pixels}

    def open(self) -> SidesSource | BesideSource:
        """List the pictures. Raises DataNotFound or BadData."""
        place = place_of(self.path, self.name or "pairs")
        files, found, num_ignored = contents(place)
        names, _ = sorted_names(str(place), found, num_ignored)
        sides = None if self.layout == "beside" else find_sides(place, names, self.split)
        if sides is None and (self.layout == "folders" or (self.layout is None and tell_of_sides(names))):
            raise no_sides(place, names, self.split)
        below = sides or (_split_folder(place, names, self.split),)
        used: list[Found] = [each for each in found if each[0].startswith(below)]
        num_ignored += len(found) - len(used)
        names, fingerprint = sorted_names(str(place), used, num_ignored)
        if sides is None:
            return BesideSource(files, names, self, fingerprint, num_ignored)
        pairs = _matched(names, *(reversed(sides) if self.swap else sides))
        return SidesSource(files, pairs, self, fingerprint, num_ignored)


@frozen
class Facades(Pairs):
    """CMP facades (Tylecek & Sara 2013) as packed for pix2pix: `a` the photograph, `b` the label map; 400, 100 and 106 of them.

    `path` is the folder that holds train, val and test; without it `facades` among the originals in ganskit's data folder.
    """

    size: int = field(default=256, validator=at_least(1))
    name: str = "facades"
    layout: str | None = "beside"
    split: str | None = "train"


@frozen(eq=False)
class BesideSource(Source):
    """Pictures of which the left half is `a` and the right half `b`, or the other way round."""

    files: Files
    names: Sequence[str]
    dataset: Pairs
    fingerprint: str = ""
    num_ignored: int = 0

    def __len__(self) -> int:
        return len(self.names)

    def name(self, index: int) -> str:
        """The file's path below the dataset's folder."""
        return self.names[index]

    def read(self, index: int) -> dict[str, np.ndarray]:
        """`a` and `b`, each uint8 (C, size, size). Raises Skip."""
        picture = images.read(self.files.data(self.names[index]), self.dataset.channels)
        width, height = picture.size
        if width % 2:
            raise Skip(f"{width} x {height} pixels: two pictures side by side need an even width")
        middle = width // 2
        if middle < images.MIN_SIDE:
            raise Skip(f"{width} x {height} pixels: each half is too small")
        halves = [picture.crop((left, 0, left + middle, height)) for left in (0, middle)]
        a, b = reversed(halves) if self.dataset.swap else halves
        return {"a": fitted(a, self.dataset), "b": fitted(b, self.dataset)}

    def part(self, start: int, stop: int) -> BesideSource:
        """Names `start` to `stop` alone, light enough to send to a worker process."""
        names = self.names[start:stop]
        return evolve(self, names=names, files=self.files.take(names))

    @property
    def transform(self) -> str:
        """What is done to each picture."""
        return f"cut into a left and a right half; {evolve(self.dataset, reduced=False).transform}"


def _split_folder(place: Path, names: Sequence[str], split: str | None) -> str:
    """The subfolder of a split, as "train/"; "" for everything."""
    if split is None:
        return ""
    folders = folders_of(names)
    for top in tops(names):
        if f"{top}{split}" in folders:
            return f"{top}{split}/"
    raise DataNotFound(f'{place}: there is no folder {split} with pictures, and the split "{split}" takes it. {there_is(names)}')


def _matched(names: Sequence[str], below_a: str, below_b: str) -> list[Pair]:
    """The pictures of the two folders by what their names share, each shared name once."""
    stems: dict[str, tuple[list[str], list[str]]] = {}
    for name in names:
        side, below = (0, below_a) if name.startswith(below_a) else (1, below_b)
        stem = posixpath.splitext(name[len(below) :])[0]
        stems.setdefault(stem, ([], []))[side].append(name)
    return [_pair(*stems[stem], below_a, below_b) for stem in sorted(stems)]


def _pair(a: Sequence[str], b: Sequence[str], below_a: str, below_b: str) -> Pair:
    """One file of each, or why there is no such pair."""
    why_not = ""
    for names, below in ((a, below_a), (b, below_b)):
        if not names:
            why_not = f"no picture of this name in {below}"
        elif len(names) > 1:
            why_not = f"several pictures of one name in {below}: {', '.join(names)}"
    return Pair(a[0] if a else "", b[0] if b else "", why_not)
