"""What a dataset is: a source of examples that says what it provides before any file is opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol

import numpy as np
from attrs import frozen

from ganskit.registry import Pluggable


@frozen
class Field:
    """One key of an example.

    `dtype` "uint8" with `pixels` true is stored as it is and dealt as float32 in [-1, 1], "scaling to the range of
    the tanh activation function [-1, 1]" (Radford 2016, section 4); every other field is dealt as stored.
    """

    shape: tuple[int, ...]
    dtype: str = "uint8"
    pixels: bool = False
    classes: tuple[str, ...] = ()
    """Names of a label's values; for a vector of attributes, of its places."""
    unpaired: bool = False
    """Dealt in an order of its own: what stands beside it in the store does not belong to it."""


def has_pictures(fields: Mapping[str, Field]) -> bool:
    """Whether anything in an example is made of pixels."""
    return any(field.pixels for field in fields.values())


class Source(Protocol):
    """An opened dataset: examples by index. Pure: `read(i)` gives the same arrays in every process.

    It is sent to worker processes, so it must survive pickling: open handles on use, not on creation. A source may
    offer more, which `part_of` and `notes_of` read: `part(start, stop)`, `classes`, `num_ignored` and `transform`.
    """

    fingerprint: str
    """Changes when the original files do (names, sizes, modification times, or counts)."""

    def __len__(self) -> int: ...

    def name(self, index: int) -> str:
        """How to call example `index` in the report of skipped files."""

    def read(self, index: int) -> dict[str, np.ndarray]:
        """The example, exactly as `provides` says. Raises `Skip` with a reason when it cannot be used."""


def described(fields: Mapping[str, Field]) -> str:
    """Such as "x uint8 (3, 64, 64), y int64 ()"."""
    return ", ".join(f"{name} {each.dtype} {each.shape}" for name, each in fields.items())


class Skip(Exception):
    """This example cannot be used; the text is the reason that goes into the manifest."""


@frozen
class Part:
    """Examples `start` to `stop` of a source, under their own indices from 0."""

    source: Source
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    def name(self, index: int) -> str:
        """How the source calls example `start + index`."""
        return self.source.name(self.start + index)

    def read(self, index: int) -> dict[str, np.ndarray]:
        """The source's example `start + index`."""
        return self.source.read(self.start + index)


class Readable(Protocol):
    """What a worker process receives: some examples of a source."""

    def __len__(self) -> int: ...

    def name(self, index: int) -> str: ...

    def read(self, index: int) -> dict[str, np.ndarray]: ...


def part_of(source: Source, start: int, stop: int) -> Readable:
    """Examples `start` to `stop`, to be read by a worker process.

    A source whose whole is heavy to send or slow to index offers `part(start, stop) -> Readable`, called with rising
    `start`: a folder sends the names of that part only, an LMDB the key at which it begins.
    """
    part = getattr(source, "part", None)
    made: Readable = part(start, stop) if part else Part(source, start, stop)
    return made


@frozen
class Notes:
    """What only the opened files can tell, for the store's manifest."""

    classes: Mapping[str, tuple[str, ...]]
    """Field -> names of its classes, by value."""
    num_ignored: int
    """Files among the originals that are no examples by their name."""
    transform: str
    """What is done to an original on the way into the store, in words."""


def notes_of(source: Source) -> Notes:
    """The source's own `classes`, `num_ignored` and `transform`, where it has them."""
    return Notes(getattr(source, "classes", {}), getattr(source, "num_ignored", 0), getattr(source, "transform", ""))


@frozen
class Dataset(Pluggable):
    """A dataset that a recipe can name. Its fields are its options; `open` finds and opens the original files.

    An option named in `places` says where files are and not what they are: it is no part of a store's identity.
    """

    places: ClassVar[tuple[str, ...]] = ("path",)

    def provides(self) -> dict[str, Field]:
        """Keys and shapes of an example, known without opening a file: `{"x": Field((3, 64, 64), pixels=True)}`."""
        raise NotImplementedError

    def open(self) -> Source:
        """Open the original files. Raises DataNotFound or BadData."""
        raise NotImplementedError
