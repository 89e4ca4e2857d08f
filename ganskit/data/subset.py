"""A store without some of its examples: a new manifest over the same shards. Nothing is deleted or copied."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from attrs import evolve

from ganskit.data.files import write_whole
from ganskit.data.guards import disk_errors
from ganskit.data.manifest import MANIFEST, Subset, Sums, added, sums_of
from ganskit.data.store import ROWS, Store
from ganskit.errors import UserError

_FILE = "rows.safetensors"
_AT_ONCE = 1024


def leave_out(store: Store, removed: Iterable[int], folder: str | Path, why: str) -> Store:
    """A store in `folder` of all examples but those whose indices are in `removed`; `why` goes into its manifest.

    It refers to the shards of `store`, which must stay where it is, seen from `folder`. Raises UserError when nothing
    would remain.
    """
    from safetensors.numpy import save

    folder = Path(folder)
    if (folder / MANIFEST).is_file() and folder.resolve() in (store.path.resolve(), store.base.resolve()):
        raise UserError(f"{folder} is the store itself: give another folder for what remains of it.")
    out = np.unique(np.fromiter(removed, dtype=np.int64))
    if len(out) and not 0 <= out[0] <= out[-1] < len(store):
        raise IndexError(f"indices from {out[0]} to {out[-1]} in a store of {len(store)} examples")
    if len(out) == len(store):
        raise UserError(f"All {len(store):,} examples of {store.path} would be left out.")
    before = store.manifest.subset
    kept = np.delete(np.arange(len(store)), out)
    rows = kept if store.rows is None else store.rows[kept]
    sums = [_sums(store, out[start : start + _AT_ONCE]) for start in range(0, len(out), _AT_ONCE)]
    data = save({ROWS: rows})
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / _FILE, data)
        subset = Subset(
            of=os.path.relpath(store.base.resolve(), folder.resolve()),
            why=f"{before.why}; {why}" if before else why,
            rows=_FILE,
            sha256=hashlib.sha256(data).hexdigest(),
            num_left_out=len(out) + (before.num_left_out if before else 0),
            left_out=added([*sums, before.left_out if before else {}]),
        )
        evolve(store.manifest, num_examples=len(kept), subset=subset).save(folder)
    return Store.open(folder)


def _sums(store: Store, indices: np.ndarray) -> dict[str, Sums]:
    arrays = {name: tensor.numpy() for name, tensor in store.gather(indices).items()}
    return sums_of(arrays, store.fields)
