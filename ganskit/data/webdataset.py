"""WebDataset: tars in which the files of one sample follow each other and share their name up to the first dot."""

from __future__ import annotations

import fnmatch
import itertools
import json
import posixpath
from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
from attrs import frozen

from ganskit.data.dataset import Skip
from ganskit.data.files import printable
from ganskit.data.images import SUFFIXES
from ganskit.data.listed import ListedSource, Original, fingerprint, names_in
from ganskit.data.pictures import NamedPictures
from ganskit.data.places import place_of
from ganskit.data.tars import Member, TarFiles, members
from ganskit.errors import BadData

CLASSES = "classes.txt"
_LABELS = (".cls", ".json")
_MAX_LABEL_BYTES = 2**20


@frozen
class WebDataset(NamedPictures):
    """Pictures in shards such as imagenet-train-000000.tar, by the shards' sorted names (github.com/webdataset/webdataset).

    `path` is a folder of shards, of which `shards` is the pattern, or one .tar; without it `name` among the originals in
    ganskit's data folder. The picture of a sample is its only file with a picture's suffix. With `labels`, `y` is the
    whole number in its .cls, or else under "label" in its .json; a file classes.txt beside the shards may name the
    classes, one in a line.
    """

    shards: str = "*.tar"

    def open(self) -> ListedSource:
        """Find the shards; what is in them is listed when it is needed. Raises DataNotFound or BadData."""
        place = place_of(self.path, self.name or "webdataset")
        names = names_in(place) if place.is_dir() else []
        files = [place / name for name in fnmatch.filter(names, self.shards)] if place.is_dir() else [place]
        if not files:
            raise BadData(f"{printable(str(place))} holds no {self.shards}: expected the shards of a WebDataset.")
        shards = tuple(Original.of(file) for file in files)
        named = files[0].with_name(CLASSES)
        originals, classes = shards, dict[str, tuple[str, ...]]()
        if self.labels and named.is_file():
            originals = (*shards, Original.of(named))
            with originals[-1].open() as stream:
                lines = stream.read().decode("utf-8", "replace").splitlines()
            classes = {"y": tuple(line.strip() for line in lines if line.strip())}
        make = partial(_list, self, shards, len(classes["y"]) if classes else None)
        return ListedSource(make, fingerprint(originals), self.transform, classes)


def _list(dataset: WebDataset, shards: tuple[Original, ...], num_classes: int | None) -> _Samples:
    """The picture of every sample, and with `labels` also its label; for a sample without one, a reason to skip it."""
    unusable: dict[int, str] = {}

    def files() -> Iterator[tuple[int, Member]]:
        numbers = itertools.count()
        for archive, shard in enumerate(shards):
            for key, picture, label, reason in _samples(shard):
                sample = next(numbers)
                if not reason and dataset.labels and not label:
                    reason = "no .cls and no .json, and labels are asked for"
                if reason:
                    unusable[sample] = reason
                nothing = Member(key, 0, 0)
                for member in (picture or nothing, label or nothing) if dataset.labels else (picture or nothing,):
                    yield archive, member._replace(name=f"{shard.name}/{member.name}")

    return _Samples(dataset, TarFiles.of(shards, files()), num_classes, unusable)


def _samples(shard: Original) -> Iterator[tuple[str, Member | None, Member | None, str]]:
    """The key of each sample, its picture and its label, and why it cannot be used, if so."""
    seen: set[str] = set()
    for key, group in itertools.groupby(_files(shard), key=lambda each: each[0]):
        files = [(suffix, member) for _, suffix, member in group]
        pictures = [member for suffix, member in files if suffix in SUFFIXES]
        labels = [member for wanted in _LABELS for suffix, member in files if suffix == wanted]
        reason = ""
        if key in seen:
            reason = "the shard has another sample of this name before"
        elif len(pictures) != 1:
            reason = f"{len(pictures)} pictures in the sample, expected 1; it has {', '.join(suffix for suffix, _ in files)}"
        seen.add(key)
        yield key, pictures[0] if pictures else None, labels[0] if labels else None, reason


def _files(shard: Original) -> Iterator[tuple[str, str, Member]]:
    """Key, suffix and place of each file but hidden ones, and those about the shard itself, such as __index__.json."""
    for member in members(shard):
        folder, base = posixpath.split(member.name)
        stem, dot, suffix = base.partition(".")
        if stem and dot and not stem.startswith("__"):
            yield posixpath.join(folder, stem), f".{suffix.lower()}", member


@frozen(eq=False)
class _Samples:
    """Samples in shards; `files` has for each the picture, and with labels the label after it."""

    dataset: WebDataset
    files: TarFiles
    num_classes: int | None
    unusable: Mapping[int, str]

    @property
    def _each(self) -> int:
        return 2 if self.dataset.labels else 1

    def __len__(self) -> int:
        return len(self.files) // self._each

    def name(self, index: int) -> str:
        return self.files.name(index * self._each)

    def read(self, index: int) -> dict[str, np.ndarray]:
        if index in self.unusable:
            raise Skip(self.unusable[index])
        y = {"y": np.array(self._label(index), dtype=np.int64)} if self.dataset.labels else {}
        return {"x": self.dataset.decoded(self.files.data(index * self._each))} | y

    def part(self, start: int, stop: int) -> _Samples:
        unusable = {index - start: self.unusable[index] for index in range(start, stop) if index in self.unusable}
        return _Samples(self.dataset, self.files.part(start * self._each, stop * self._each), self.num_classes, unusable)

    def _label(self, index: int) -> int:
        file = index * self._each + 1
        data = self.files.data(file)
        if len(data) > _MAX_LABEL_BYTES:
            raise Skip(f"a label of {len(data):,} bytes: too large")
        label = _from_json(data) if self.files.name(file).lower().endswith(".json") else _from_text(data)
        if self.num_classes is not None and label >= self.num_classes:
            raise Skip(f"label {label}: expected 0 to {self.num_classes - 1}, as {CLASSES} has {self.num_classes} lines")
        return label


def _from_text(data: bytes) -> int:
    text = data.strip()
    if not text.isdigit() or len(text) > 18:  # what fits into int64
        raise Skip(f"label {data[:20]!r}: expected a whole number, 0 or more")
    return int(text)


def _from_json(data: bytes) -> int:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise Skip(f"its .json cannot be read: {data[:20]!r}") from None
    label = document.get("label") if isinstance(document, dict) else None
    if isinstance(label, bool) or not isinstance(label, int) or not 0 <= label < 2**63:
        raise Skip(f'"label" in its .json is {str(label)[:20]}: expected a whole number, 0 or more')
    return label
