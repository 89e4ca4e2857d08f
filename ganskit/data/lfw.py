"""Labeled Faces in the Wild: 13,233 pictures of 5,749 people, one folder for each."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from attrs import frozen

from ganskit.data.catalog import not_found
from ganskit.data.dataset import Field
from ganskit.data.files import printable
from ganskit.data.pictures import Pictures, PictureSource, sorted_names
from ganskit.data.places import contents, place_of
from ganskit.errors import BadData, DataNotFound

_NUMBERED = re.compile(r"(.+)_\d{4}", re.DOTALL)


@frozen
class Lfw(Pictures):
    """Labeled Faces in the Wild (Huang et al. 2007), as it is, funneled or deep-funneled: 250 x 250 pixels.

    `path` is the folder `lfw`, whose pictures are called Ann_Example/Ann_Example_0001.jpg, the folder it lies in, or a
    .zip of it; without it `lfw` among the originals in ganskit's data folder. With `labels` the person becomes `y`.
    A picture with another name, or in another person's folder, is skipped.
    """

    labels: bool = False

    def provides(self) -> dict[str, Field]:
        """`x` (C, size, size) uint8, and with `labels` `y` () int64; the people's names come with the files."""
        return {"x": self.pixels} | ({"y": Field((), "int64")} if self.labels else {})

    def open(self) -> PictureSource:
        """List the pictures. Raises DataNotFound or BadData."""
        root = place_of(self.path, "lfw")
        if root.is_file() and root.name.endswith((".tgz", ".tar.gz")):
            raise _packed(root)
        files, found, num_ignored = contents(root)
        if not found:
            packed = sorted(root.glob("lfw*.tgz")) if root.is_dir() else []
            raise _packed(packed[0]) if packed else not_found("lfw", root)
        names, fingerprint = sorted_names(str(root), found, num_ignored)
        people = [_person(name) for name in names]
        _check(root, names, people)
        unusable = {
            name: "mislabelled: expected a name such as Ann_Example/Ann_Example_0001.jpg"
            for name, person in zip(names, people, strict=True)
            if not person
        }
        if not self.labels:
            return PictureSource(files, names, self, fingerprint, num_ignored, {}, {}, unusable)
        classes = sorted(set(people) - {""})
        values = {person: value for value, person in enumerate(classes)} | {"": -1}
        y = np.array([values[person] for person in people], dtype=np.int64)
        return PictureSource(files, names, self, fingerprint, num_ignored, {"y": tuple(classes)}, {"y": y}, unusable)


def _person(name: str) -> str:
    """Who is in a picture: its folder, if its own name says the same; else "".

    >>> _person("lfw/Ann_Example/Ann_Example_0001.jpg")
    'Ann_Example'
    """
    folder = posixpath.basename(posixpath.dirname(name))
    match = _NUMBERED.fullmatch(posixpath.splitext(posixpath.basename(name))[0])
    return folder if match and match[1] == folder else ""


def _check(root: Path, names: Sequence[str], people: Sequence[str]) -> None:
    """Refuse what is not LFW at all, or more than one version of it."""
    if not any(people):
        first = f"The first of {len(names):,} pictures is {printable(names[0])}"
        raise BadData(f"{root} is not LFW. {first}, expected a name such as Ann_Example/Ann_Example_0001.jpg.")
    seen: dict[str, str] = {}
    for name, person in zip(names, people, strict=True):
        other = seen.setdefault(posixpath.splitext(posixpath.basename(name))[0], name) if person else name
        if other != name:
            both = f"{printable(other)} and {printable(name)}"
            raise BadData(f"{root} has two pictures of one name: {both}. Give the path of one version of LFW.")


def _packed(file: Path) -> DataNotFound:
    return DataNotFound(f"{file} is not extracted: run tar -xzf {file.name} there, or ganskit data fetch lfw.")
