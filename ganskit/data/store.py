"""A store: a dataset prepared once, as a manifest and memory-mapped shards of tensors."""

from __future__ import annotations

import contextlib
import operator
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import field, frozen

from ganskit.data.dataset import Field, described
from ganskit.data.files import sha256
from ganskit.data.manifest import AGAIN, Manifest, Subset
from ganskit.errors import BadData

if TYPE_CHECKING:
    from torch import Tensor

ROWS = "rows"
"""The tensor in a subset's file."""


@frozen(eq=False)
class Store:
    """An opened store: a sequence of examples, each a dict of tensors, exactly as stored.

    It is also a map-style dataset for `torch.utils.data.DataLoader`. Tensors stay on disk until they are gathered.
    """

    path: Path
    manifest: Manifest = field(repr=False)
    _starts: np.ndarray = field(repr=False)
    rows: np.ndarray | None = field(default=None, repr=False)
    """Of a subset, the places of its examples among those of the shards."""
    _mapped: dict[int, dict[str, np.ndarray]] = field(factory=dict, repr=False)

    @classmethod
    def open(cls, path: str | Path) -> Store:
        """Open a store by its folder. Raises BadData, naming the file, when a part of it is missing or cut short."""
        folder = Path(path)
        manifest = Manifest.load(folder)
        base = _base(folder, manifest.subset)
        for shard in (each for each in manifest.shards if each.rows):
            file = base / shard.file
            found = file.stat().st_size if file.is_file() else None
            if found != shard.bytes:
                what = "is missing" if found is None else f"has {found:,} bytes, expected {shard.bytes:,}"
                raise BadData(f"{file} {what}. {AGAIN.format(base)}")
        rows = _rows(folder, manifest) if manifest.subset else None
        return cls(folder, manifest, np.cumsum([0] + [shard.rows for shard in manifest.shards]), rows)

    def __len__(self) -> int:
        return self.manifest.num_examples

    def __str__(self) -> str:
        return f"{self.path}: {len(self):,} examples of {described(self.fields)}"

    @property
    def fields(self) -> dict[str, Field]:
        """Keys and shapes of an example, with the class names found in the originals."""
        return self.manifest.fields

    @property
    def base(self) -> Path:
        """The folder of the shards: another store's when this one leaves some of its examples out."""
        return _base(self.path, self.manifest.subset)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Example `index`, each field as a tensor of its own shape and dtype. Raises IndexError."""
        return {name: tensor[0] for name, tensor in self.gather([range(len(self))[operator.index(index)]]).items()}

    def __getitems__(self, indices: Sequence[int]) -> list[dict[str, Tensor]]:
        """Several examples at once; PyTorch's DataLoader asks for a batch this way."""
        batch = self.gather(indices)
        return [{name: tensor[i] for name, tensor in batch.items()} for i in range(len(indices))]

    def gather(self, indices: Iterable[int] | np.ndarray | Tensor, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """The examples at `indices` (N,), in that order: each field as a new tensor (N, *shape) of its dtype.

        `names` are the fields that are wanted; None means all. Raises IndexError for an index that is not in [0, len).
        """
        import torch

        wanted = np.asarray(indices if hasattr(indices, "__len__") else list(indices), dtype=np.int64).reshape(-1)
        if len(wanted) and not 0 <= wanted.min() <= wanted.max() < len(self):
            raise IndexError(f"indices from {wanted.min()} to {wanted.max()} in a store of {len(self)} examples")
        wanted = wanted if self.rows is None else self.rows[wanted]
        fields = {name: each for name, each in self.fields.items() if names is None or name in names}
        out = {name: torch.empty((len(wanted), *each.shape), dtype=getattr(torch, each.dtype)) for name, each in fields.items()}
        owner = np.searchsorted(self._starts, wanted, side="right") - 1
        order = np.argsort(owner, kind="stable")
        for group in np.split(order, np.flatnonzero(np.diff(owner[order])) + 1) if len(order) else ():
            shard = int(owner[group[0]])
            rows = wanted[group] - self._starts[shard]
            arrays = self._shard(shard)
            for name, tensor in out.items():
                tensor.numpy()[group] = arrays[name][rows]  # numpy's, as torch would wake all its threads for a few rows
        return out

    def arrays(self, index: int) -> dict[str, np.ndarray]:
        """Example `index` as numpy arrays; needs no torch."""
        row = index if self.rows is None else int(self.rows[index])
        owner = int(np.searchsorted(self._starts, row, side="right")) - 1
        at = row - int(self._starts[owner])
        with self._opened(owner, "np") as opened:
            return {name: opened.get_slice(name)[at : at + 1][0] for name in self.fields}

    def _shard(self, index: int) -> dict[str, np.ndarray]:
        """A shard's arrays, which are views of the mapped file."""
        if index not in self._mapped:
            with self._opened(index, "pt") as opened:
                self._mapped[index] = {name: opened.get_tensor(name).numpy() for name in self.fields}
        return self._mapped[index]

    @contextlib.contextmanager
    def _opened(self, index: int, framework: str) -> Iterator[Any]:
        """A shard's file. Raises BadData, naming it, when it is damaged or not the one in the manifest."""
        from safetensors import SafetensorError, safe_open

        shard = self.manifest.shards[index]
        file = self.base / shard.file
        try:
            with safe_open(file, framework=framework) as opened:
                for name, each in self.fields.items():
                    if tuple(opened.get_slice(name).get_shape()) != (shard.rows, *each.shape):
                        raise BadData(f"{file} is not the one in the manifest. {AGAIN.format(self.base)}")
                yield opened
        except (OSError, SafetensorError) as error:
            raise BadData(f"{file} is damaged ({error}). {AGAIN.format(self.base)}") from error

    def verify(self) -> None:
        """Recompute the SHA-256 of every shard. Raises BadData, naming the first file that differs."""
        for shard in (each for each in self.manifest.shards if each.rows):
            file = self.base / shard.file
            if sha256(file) != shard.sha256:
                raise BadData(f"{file} has changed: its SHA-256 is not the manifest's. {AGAIN.format(self.base)}")

    def __reduce__(self) -> tuple[Any, ...]:
        return Store.open, (self.path,)  # a DataLoader's worker process maps the files itself


def _base(folder: Path, subset: Subset | None) -> Path:
    return Path(os.path.normpath(folder.resolve() / subset.of)) if subset else folder


def _rows(folder: Path, manifest: Manifest) -> np.ndarray:
    """The rows of a subset. Small enough to be checked each time, and wrong ones would go unnoticed."""
    from safetensors.numpy import load

    assert manifest.subset is not None
    file = folder / manifest.subset.rows
    try:
        if sha256(file) != manifest.subset.sha256:
            raise BadData(f"{file} has changed: its SHA-256 is not the manifest's. Delete {folder} and make it again.")
        rows: np.ndarray = load(file.read_bytes())[ROWS]
    except OSError as error:
        raise BadData(f"{file} cannot be read: {error.strerror}. Delete {folder} and make it again.") from error
    return rows
