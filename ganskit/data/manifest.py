"""What a store says about itself: manifest.json."""

from __future__ import annotations

import hashlib
import json
import operator
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from attrs import frozen

from ganskit.data.dataset import Field
from ganskit.data.files import write_whole
from ganskit.errors import BadData

FORMAT = 1
MANIFEST = "manifest.json"
AGAIN = "Delete {} and prepare the dataset again."

Sums = tuple[tuple[int, ...], tuple[int, ...]]
"""Of every channel, the sum of all bytes and of their squares: whole numbers, so that they can be added and taken away."""


@frozen
class Shard:
    """One file of a store: `rows` examples in the order of the originals, without those that were skipped."""

    file: str
    rows: int
    bytes: int
    sha256: str
    skipped: tuple[tuple[str, str], ...] = ()
    """Name and reason of every original that could not be used."""
    sums: Mapping[str, Sums] = {}
    """Of every field made of pixels."""

    @property
    def num_originals(self) -> int:
        """How many it was made from."""
        return self.rows + len(self.skipped)


@frozen
class Subset:
    """The examples of another store that remain when some are left out."""

    of: str
    """The other store's folder, seen from this one's."""
    why: str
    rows: str
    """The file of the rows that remain, in order."""
    sha256: str
    """Of that file."""
    num_left_out: int
    left_out: Mapping[str, Sums]
    """The sums of what is left out."""


@frozen
class Statistics:
    """Mean and standard deviation of every channel, from 0 to 255."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


@frozen
class Manifest:
    """What a store says about itself. The JSON file has the same keys, and `format`."""

    ganskit: str
    """The version that made it."""
    dataset: dict[str, Any]
    """`class`, an import string, and `options`."""
    fingerprint: str
    transform: str
    num_examples: int
    num_skipped: int
    num_ignored: int
    fields: dict[str, Field]
    shards: tuple[Shard, ...]
    subset: Subset | None = None

    @property
    def skipped(self) -> tuple[tuple[str, str], ...]:
        """Name and reason of every original that could not be used."""
        return tuple(each for shard in self.shards for each in shard.skipped)

    @property
    def content(self) -> str:
        """A digest of all examples, which stays the same wherever the originals or the store are moved."""
        parts = [shard.sha256 for shard in self.shards] + ([self.subset.sha256] if self.subset else [])
        return hashlib.sha256("".join(parts).encode()).hexdigest()

    def _check(self) -> None:
        """Raise ValueError for values that do not fit together."""
        rows = sum(shard.rows for shard in self.shards)
        if self.num_examples != rows and not (self.subset and 0 < self.num_examples <= rows):
            raise ValueError(f"num_examples is {self.num_examples} and the shards have {rows} rows")
        for file in [shard.file for shard in self.shards] + ([self.subset.rows] if self.subset else []):
            if file != Path(file).name:
                raise ValueError(f"{file!r} is no name of a file beside it")
        for each in self.fields.values():
            np.dtype(each.dtype)

    def statistics(self) -> dict[str, Statistics]:
        """Of every field made of pixels, over all examples."""
        found = {}
        for name, field in self.fields.items():
            sums = [shard.sums[name] for shard in self.shards if name in shard.sums]
            count = self.num_examples * int(np.prod(field.shape[1:], dtype=np.int64))
            if sums and count:
                total = np.sum(np.array(sums, dtype=np.float64), axis=0)
                if self.subset:
                    total -= np.array(self.subset.left_out[name], dtype=np.float64)
                mean = total[0] / count
                std = np.sqrt(np.maximum(total[1] / count - mean**2, 0))
                found[name] = Statistics(tuple(mean.tolist()), tuple(std.tolist()))
        return found

    def save(self, folder: Path) -> None:
        """Write manifest.json; from then on the store is complete."""
        table = {"format": FORMAT} | attrs.asdict(self)
        write_whole(folder / MANIFEST, json.dumps(table, indent=1).encode())  # all ASCII: any file name survives

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Read manifest.json. Raises BadData when there is none, or one that this version cannot use."""
        file = folder / MANIFEST
        try:
            table = json.loads(file.read_bytes())
            version = table.pop("format")
            if version > FORMAT:
                maker = f", made by ganskit {table['ganskit']}" if "ganskit" in table else ""
                raise BadData(f"{file} has format {version}{maker}; this ganskit reads up to {FORMAT}. Upgrade it.")
            table["fields"] = {name: Field(**_tuples(each)) for name, each in table["fields"].items()}
            table["shards"] = tuple(shard_from(each) for each in table["shards"])
            table["subset"] = Subset(**table["subset"]) if table.get("subset") else None
            made = cls(**table)
            made._check()
            return made
        except FileNotFoundError:
            raise BadData(f"{folder} is no complete store: it has no {MANIFEST}. Run: ganskit data prepare") from None
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise BadData(f"{file} is damaged ({error}). {AGAIN.format(folder)}") from error


def shard_from(table: dict[str, Any]) -> Shard:
    """The shard that was written with `attrs.asdict`."""
    return Shard(**table | {"skipped": tuple((name, reason) for name, reason in table["skipped"])})


def sums_of(arrays: Mapping[str, np.ndarray], fields: Mapping[str, Field]) -> dict[str, Sums]:
    """The sums of examples (N, C, ...) by field, for those made of pixels."""
    return {name: _sums(arrays[name]) for name, field in fields.items() if field.pixels and field.dtype == "uint8"}


def added(sums: Iterable[Mapping[str, Sums]]) -> dict[str, Sums]:
    """Several of them added up, field by field."""
    total: dict[str, Sums] = {}
    for each in sums:
        for name, (first, second) in each.items():
            sum_1, sum_2 = total.get(name, ((0,) * len(first), (0,) * len(second)))
            total[name] = tuple(map(operator.add, sum_1, first)), tuple(map(operator.add, sum_2, second))
    return total


def _sums(array: np.ndarray) -> Sums:
    values = np.arange(256, dtype=np.int64)
    counts = [np.bincount(array[:, channel].reshape(-1), minlength=256) for channel in range(array.shape[1])]
    return tuple(int(each @ values) for each in counts), tuple(int(each @ values**2) for each in counts)


def _tuples(table: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
