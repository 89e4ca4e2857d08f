"""A store as a dataset: what was prepared, cut out or thinned before, named by its folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from attrs import evolve, frozen

from ganskit.data.dataset import Dataset, Field, Source, described
from ganskit.data.home import expanded
from ganskit.data.store import Store
from ganskit.errors import BadData, DataNotFound


@frozen
class Prepared(Dataset):
    """The store at `path`, as it is: nothing is decoded or resized.

    `fields` is what it provides, so that a run can be used without it; None reads it from the store.
    """

    path: str | None = None
    fields: Mapping[str, Field] | None = None

    @classmethod
    def at(cls, path: str | Path) -> Prepared:
        """The dataset of a store, with its fields. Raises BadData."""
        return cls(str(path), _without_classes(Store.open(path).fields))

    def provides(self) -> dict[str, Field]:
        """The store's fields. Raises UserError, DataNotFound or BadData when they are to be read and cannot."""
        return dict(self.fields if self.fields is not None else self.store().fields)

    def store(self) -> Store:
        """The store itself. Raises UserError, DataNotFound or BadData."""
        if self.path is None:
            raise DataNotFound('The dataset "store" needs a path: the folder of a store, such as `ganskit data info` lists.')
        folder = expanded(self.path)
        if not folder.is_dir():
            raise DataNotFound(f"{folder}: there is no such store. `ganskit data info` lists those there are.")
        store = Store.open(folder)
        found = _without_classes(store.fields)
        expected = _without_classes(self.fields or found)
        if found != expected:
            raise BadData(f"{folder} holds {described(found)}: expected {described(expected)}.")
        return store

    def open(self) -> StoreSource:
        """The store as a source. Raises UserError, DataNotFound or BadData."""
        return StoreSource(self.store())


class StoreSource(Source):
    """The examples of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.fingerprint = store.manifest.content
        self.classes = {name: each.classes for name, each in store.fields.items() if each.classes}

    def __len__(self) -> int:
        return len(self._store)

    def name(self, index: int) -> str:
        """The store and the example's place in it."""
        return f"{self._store.path.name} example {index}"

    def read(self, index: int) -> dict[str, np.ndarray]:
        """The example, as stored."""
        return self._store.arrays(index)


def _without_classes(fields: Mapping[str, Field]) -> dict[str, Field]:
    return {name: evolve(each, classes=()) for name, each in fields.items()}
