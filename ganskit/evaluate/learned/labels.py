"""What there is to be learnt in a store, and which examples are kept out of training."""

from __future__ import annotations

import numpy as np
import torch
from attrs import frozen

from ganskit.data.dataset import Field
from ganskit.data.sampler import indices
from ganskit.data.store import Store
from ganskit.errors import UserError

LEAST = 20
SHARE, SEED = 10, 1_000_003
"""One example of so many is held out; a seed that nobody else draws real pictures by, or they would be these."""


@frozen
class Labels:
    """The label `key` of a store: `names` of its classes; or of its attributes, which are these `columns` of a vector."""

    key: str
    names: tuple[str, ...]
    columns: tuple[int, ...] = ()

    @property
    def are_attributes(self) -> bool:
        """Each is there or not by itself."""
        return bool(self.columns)

    @classmethod
    def of(cls, store: Store, key: str, promised: Field | None = None) -> Labels:
        """What `key` is in the store; names that the store lacks are taken from `promised`. Raises UserError."""
        found, x = store.fields.get(key), store.fields.get("x")
        if x is None or not x.pixels or len(x.shape) != 3:
            raise UserError(f"{store.path} has no pictures x (C, H, W) for a classifier to see: {_there(store)}")
        if found is None or found.pixels or len(found.shape) > 1:
            raise UserError(f'{store.path} has no labels "{key}" to learn: {_there(store)}')
        if len(store) < LEAST:
            raise UserError(f"{store.path} has {len(store)} examples: a classifier needs {LEAST} or more.")
        names = found.classes or (promised.classes if promised else ())
        return cls._attributes(store, key, names) if found.shape else cls._classes(store, key, names)

    @classmethod
    def _classes(cls, store: Store, key: str, names: tuple[str, ...]) -> Labels:
        y = values(store, key)
        if y.is_floating_point() or not 0 <= int(y.min()) < int(y.max()):
            raise UserError(f'"{key}" of {store.path} is no label of two classes or more: {_there(store)}')
        most = int(y.max()) + 1
        return cls(key, names if len(names) >= most else tuple(map(str, range(most))))

    @classmethod
    def _attributes(cls, store: Store, key: str, names: tuple[str, ...]) -> Labels:
        """The columns in which some examples have 0, the others 1."""
        y = values(store, key)
        yes, no = (y == 1).sum(0), (y == 0).sum(0)
        columns = tuple(((yes > 0) & (no > 0) & (yes + no == len(y))).nonzero().flatten().tolist())
        if not columns:
            raise UserError(f'"{key}" of {store.path} has no column of zeros and ones: no attribute can be learnt from it.')
        return cls(key, tuple(names[i] if names else f"{key} {i}" for i in columns), columns)

    def read(self, store: Store, rows: np.ndarray) -> torch.Tensor:
        """Classes (N,), or attributes (N, A), int64."""
        y = store.gather(rows, [self.key])[self.key]
        return (y[:, list(self.columns)] if self.columns else y).long()


def values(store: Store, key: str) -> torch.Tensor:
    """A field of all examples."""
    return store.gather(np.arange(len(store)), [key])[key]


def held_out(num_examples: int) -> np.ndarray:
    """The examples that are kept out of training, int64, in order: a tenth, always the same ones of so many."""
    return np.sort(indices(num_examples, SEED, 0, num_examples // SHARE))


def _there(store: Store) -> str:
    labels = [name for name, each in store.fields.items() if not each.pixels]
    known = ", ".join(f"{name} {each.dtype} {each.shape}" for name, each in store.fields.items())
    hint = f"Choose another key ({', '.join(labels)})" if labels else "Prepare the data with labels"
    return f"its fields are {known}. {hint}."
