"""ImageNet-1k as it was published, a tar of tars, or extracted in part or in whole."""

from __future__ import annotations

import os
import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from attrs import evolve, field, frozen

from ganskit.data.catalog import not_found
from ganskit.data.dataset import Field, Skip, Source
from ganskit.data.files import printable
from ganskit.data.folder import Folder
from ganskit.data.listed import ListedSource, Original, fingerprint, names_in
from ganskit.data.pictures import Pictures, is_picture
from ganskit.data.places import place_of
from ganskit.data.tars import Member, TarFiles, members
from ganskit.errors import BadData
from ganskit.validators import at_least

TRAIN = "ILSVRC2012_img_train.tar"
_WITHIN = ("", "train", "ILSVRC/Data/CLS-LOC/train")  # as the tar is extracted, and as Kaggle packs it
_ID = re.compile(r"n\d{8}")
_CLASS_TAR = re.compile(r"(n\d{8})\.tar")


@frozen
class ImageNet(Pictures):
    """The training pictures of ImageNet-1k, ILSVRC2012 (Russakovsky et al. 2015), with the class as `y`.

    `path` is ILSVRC2012_img_train.tar, which is read without extracting it; or a folder with that file, with the tars
    of the classes (n01440764.tar, ...), or with a folder for each class. Without it `imagenet` among the originals in
    ganskit's data folder. `y` counts the classes in the order of their WordNet ids. The default size is that of
    Radford 2016, section 4.3: "We train on 32 x 32 min-resized center crops."
    """

    size: int = field(default=32, validator=at_least(1))

    def provides(self) -> dict[str, Field]:
        """`x` (C, size, size) uint8 and `y` () int64; the WordNet ids come with the files."""
        return {"x": self.pixels, "y": Field((), "int64")}

    def open(self) -> Source:
        """Find the classes; the pictures in tars are listed when they are needed. Raises DataNotFound or BadData."""
        place = place_of(self.path, "imagenet")
        if not place.is_dir():
            return _from_one_tar(self, place)
        if (place / TRAIN).is_file():
            return _from_one_tar(self, place / TRAIN)
        for folder in (place / below for below in _WITHIN):
            names = names_in(folder) if folder.is_dir() else []
            tars = [name for name in names if _CLASS_TAR.fullmatch(name)]
            trees = [name for name in names if _ID.fullmatch(name) and (folder / name).is_dir()]
            shown = printable(str(folder))
            if tars and not {f"{name}.tar" for name in trees} <= set(tars):
                raise BadData(f"{shown} has some classes as tars and others as folders: move the one or the other elsewhere.")
            if tars:
                return _from_class_tars(self, folder, tars, len(names) - len(tars) - len(trees))
            if trees:
                return _from_tree(self, folder)
        if self.path is None:
            raise not_found("imagenet", place / TRAIN)
        raise BadData(
            f"{printable(str(place))} has no {TRAIN}, no tar for each class (n01440764.tar, ...) and no folder for each class."
        )


@frozen
class _ClassTar:
    """The pictures of the class `id`: the archive with this number, or the one `within` it."""

    id: str
    archive: int
    within: Member | None = None


def _from_one_tar(dataset: ImageNet, file: Path) -> Source:
    archive = Original.of(file)
    tars: dict[str, _ClassTar] = {}
    num_ignored = 0
    for member in members(archive):
        named = _CLASS_TAR.fullmatch(os.path.basename(member.name))
        if not named:
            num_ignored += 1
        elif named[1] in tars:
            raise BadData(f"{archive.title} holds {named[0]} twice. Download it again.")
        else:
            tars[named[1]] = _ClassTar(named[1], 0, member)
    if not tars:
        raise BadData(
            f"{archive.title} holds no tar for each class (n01440764.tar, ...): expected {TRAIN}, or a folder of such tars."
        )
    return _listed(dataset, (archive,), [tars[each] for each in sorted(tars)], num_ignored)


def _from_class_tars(dataset: ImageNet, folder: Path, names: Sequence[str], num_ignored: int) -> Source:
    tars = [_ClassTar(name.removesuffix(".tar"), number) for number, name in enumerate(names)]
    return _listed(dataset, tuple(Original.of(folder / name) for name in names), tars, num_ignored)


def _from_tree(dataset: ImageNet, folder: Path) -> Source:
    source = Folder(path=str(folder), labels=True).open()
    for name in source.classes["y"]:
        if not _ID.fullmatch(name):
            raise BadData(
                f"{printable(f'{folder} has pictures in {name}')}, which is no WordNet id such as n01440764: move them elsewhere."
            )
    unusable = dict(source.unusable)
    for name in source.names:
        reason = _misplaced(name, name.partition("/")[0])
        if reason and name not in unusable:
            unusable[name] = reason
    return evolve(source, dataset=dataset, unusable=unusable)


def _listed(dataset: ImageNet, archives: tuple[Original, ...], tars: Sequence[_ClassTar], num_ignored: int) -> Source:
    make = partial(_list, dataset, archives, tars)
    classes = {"y": tuple(each.id for each in tars)}
    return ListedSource(make, fingerprint(archives), dataset.transform, classes, num_ignored)


def _list(dataset: ImageNet, archives: tuple[Original, ...], tars: Sequence[_ClassTar]) -> _Photographs:
    """All files in the tars of the classes; those that cannot be a picture of their class with the reason why."""
    labels = array("q")
    unusable: dict[int, str] = {}

    def files() -> Iterator[tuple[int, Member]]:
        for y, tar in enumerate(tars):
            latest: dict[str, int] = {}
            for member in members(archives[tar.archive], tar.within):
                name = f"{tar.id}/{os.path.basename(member.name)}"
                if name in latest:
                    unusable[latest[name]] = "followed by another file of the same name"
                latest[name] = len(labels)
                if reason := _misplaced(name, tar.id):
                    unusable[len(labels)] = reason
                labels.append(y)
                yield tar.archive, member._replace(name=name)
            if not latest:
                raise BadData(f"{archives[tar.archive].title}: the tar of {tar.id} is empty. Download it again.")

    return _Photographs(dataset, TarFiles.of(archives, files()), np.array(labels, dtype=np.int64), unusable)


def _misplaced(name: str, wordnet_id: str) -> str:
    """Why a file cannot be a picture of the class with this id; "" when it can."""
    base = os.path.basename(name)
    if not is_picture(base):
        return "no picture by its name"
    named = _ID.match(base)
    return f"named as a picture of {named[0]}, and among those of {wordnet_id}" if named and named[0] != wordnet_id else ""


@frozen(eq=False)
class _Photographs:
    """Pictures in tars with their classes; `unusable` says of a number why it is skipped."""

    dataset: ImageNet
    files: TarFiles
    y: np.ndarray
    unusable: Mapping[int, str]

    def __len__(self) -> int:
        return len(self.files)

    def name(self, index: int) -> str:
        return self.files.name(index)

    def read(self, index: int) -> dict[str, np.ndarray]:
        if index in self.unusable:
            raise Skip(self.unusable[index])
        return {"x": self.dataset.decoded(self.files.data(index)), "y": np.array(self.y[index], dtype=np.int64)}

    def part(self, start: int, stop: int) -> _Photographs:
        unusable = {index - start: self.unusable[index] for index in range(start, stop) if index in self.unusable}
        return _Photographs(self.dataset, self.files.part(start, stop), self.y[start:stop], unusable)
