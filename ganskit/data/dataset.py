"""What a dataset is: a source of examples that says what it provides before any file is opened."""

from __future__ import annotations

from typing import Protocol

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


class Source(Protocol):
    """An opened dataset: examples by index. Pure: `read(i)` gives the same arrays in every process."""

    fingerprint: str
    """Changes when the original files do (names, sizes, modification times, or counts)."""

    def __len__(self) -> int: ...

    def name(self, index: int) -> str:
        """How to call example `index` in the report of skipped files."""

    def read(self, index: int) -> dict[str, np.ndarray]:
        """The example, exactly as `provides` says. Raises `Skip` with a reason when it cannot be used."""


class Skip(Exception):  # noqa: N818 - not an error: the example is left out and the reason recorded
    """This example cannot be used; the text is the reason that goes into the manifest."""


@frozen
class Dataset(Pluggable):
    """A dataset that a recipe can name. Its fields are its options; `open` finds and opens the original files."""

    def provides(self) -> dict[str, Field]:
        """Keys and shapes of an example, known without opening a file: `{"x": Field((3, 64, 64), pixels=True)}`."""
        raise NotImplementedError

    def open(self) -> Source:
        """Open the original files. Raises DataNotFound or BadData."""
        raise NotImplementedError
