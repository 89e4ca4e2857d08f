"""A store: a dataset prepared once, as a manifest and memory-mapped shards of tensors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from attrs import field, frozen

from ganskit.data.dataset import Field
from ganskit.data.files import sha256, write_whole
from ganskit.errors import BadData

if TYPE_CHECKING:
    from torch import Tensor

FORMAT = 1
MANIFEST = "manifest.json"
_AGAIN = "Delete {} and prepare the dataset again."


@frozen
class Shard:
    """One file of a store: `rows` examples in the order of the originals, without those that were skipped."""

    file: str
    rows: int
    bytes: int
    sha256: str
    skipped: tuple[tuple[str, str], ...] = ()
    """Name and reason of every original that could not be used."""


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

    @property
    def skipped(self) -> tuple[tuple[str, str], ...]:
        """Name and reason of every original that could not be used."""
        return tuple(each for shard in self.shards for each in shard.skipped)

    @property
    def content(self) -> str:
        """A digest of all examples, which stays the same wherever the originals or the store are moved."""
        return hashlib.sha256("".join(shard.sha256 for shard in self.shards).encode()).hexdigest()

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
                maker = f"made by ganskit {table.get('ganskit')}"
                raise BadData(f"{file} has format {version}, {maker}; this ganskit reads up to {FORMAT}. Upgrade it.")
            table["fields"] = {name: Field(**_tuples(each)) for name, each in table["fields"].items()}
            table["shards"] = tuple(shard_from(each) for each in table["shards"])
            return cls(**table)
        except FileNotFoundError:
            raise BadData(f"{folder} is no complete store: it has no {MANIFEST}. Run: ganskit data prepare") from None
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise BadData(f"{file} is damaged ({error}). {_AGAIN.format(folder)}") from error


def shard_from(table: dict[str, Any]) -> Shard:
    """The shard that was written with `attrs.asdict`."""
    return Shard(**table | {"skipped": tuple((name, reason) for name, reason in table["skipped"])})


def _tuples(table: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


@frozen(eq=False)
class Store:
    """An opened store. Tensors stay on disk until they are gathered."""

    path: Path
    manifest: Manifest
    _starts: np.ndarray
    _tensors: dict[int, dict[str, Tensor]] = field(factory=dict, repr=False)

    @classmethod
    def open(cls, path: str | Path) -> Store:
        """Open a store by its folder. Raises BadData, naming the file, when a part of it is missing or cut short."""
        folder = Path(path)
        manifest = Manifest.load(folder)
        for shard in (each for each in manifest.shards if each.rows):
            file = folder / shard.file
            found = file.stat().st_size if file.is_file() else None
            if found != shard.bytes:
                what = "is missing" if found is None else f"has {found:,} bytes, expected {shard.bytes:,}"
                raise BadData(f"{file} {what}. {_AGAIN.format(folder)}")
        return cls(folder, manifest, np.cumsum([0] + [shard.rows for shard in manifest.shards]))

    def __len__(self) -> int:
        return self.manifest.num_examples

    @property
    def fields(self) -> dict[str, Field]:
        """Keys and shapes of an example, with the class names found in the originals."""
        return self.manifest.fields

    def gather(self, indices: Iterable[int] | np.ndarray | Tensor) -> dict[str, Tensor]:
        """The examples at `indices` (N,), in that order: each field as a new tensor (N, *shape) of its dtype.

        Raises IndexError for an index that is not in [0, len).
        """
        import torch

        wanted = np.asarray(indices if hasattr(indices, "__len__") else list(indices), dtype=np.int64).reshape(-1)
        if len(wanted) and not 0 <= wanted.min() <= wanted.max() < len(self):
            raise IndexError(f"indices from {wanted.min()} to {wanted.max()} in a store of {len(self)} examples")
        out = {
            name: torch.empty((len(wanted), *each.shape), dtype=getattr(torch, each.dtype)) for name, each in self.fields.items()
        }
        owner = np.searchsorted(self._starts, wanted, side="right") - 1
        order = np.argsort(owner, kind="stable")
        for group in np.split(order, np.flatnonzero(np.diff(owner[order])) + 1) if len(order) else ():
            shard = int(owner[group[0]])
            rows = torch.from_numpy(wanted[group] - self._starts[shard])
            places = torch.from_numpy(group)
            for name, tensor in self._shard(shard).items():
                out[name][places] = tensor[rows]
        return out

    def _shard(self, index: int) -> dict[str, Tensor]:
        """A shard's tensors, which are views of the mapped file."""
        if index not in self._tensors:
            from safetensors import SafetensorError, safe_open

            shard = self.manifest.shards[index]
            file = self.path / shard.file
            try:
                with safe_open(file, framework="pt") as opened:
                    tensors = {name: opened.get_tensor(name) for name in self.fields}
            except (OSError, SafetensorError) as error:
                raise BadData(f"{file} is damaged ({error}). {_AGAIN.format(self.path)}") from error
            for name, each in self.fields.items():
                if tensors[name].shape != (shard.rows, *each.shape):
                    raise BadData(f"{file} is not the one in the manifest. {_AGAIN.format(self.path)}")
            self._tensors[index] = tensors
        return self._tensors[index]

    def verify(self) -> None:
        """Recompute the SHA-256 of every shard. Raises BadData, naming the first file that differs."""
        for shard in (each for each in self.manifest.shards if each.rows):
            file = self.path / shard.file
            if sha256(file) != shard.sha256:
                raise BadData(f"{file} has changed: its SHA-256 is not the manifest's. {_AGAIN.format(self.path)}")
