"""The labelled examples of an experiment: what is trained on, what C is chosen on, and what is tested on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from attrs import evolve, field, frozen

from ganskit.data.dataset import Dataset, Field, described
from ganskit.data.store import Store
from ganskit.errors import UserError
from ganskit.evaluate.model import Model

MOST_HELD_OUT = 10_000
"""Radford 2016, section 5.2: "a validation set of 10,000 examples from the non-extra set"."""


@frozen(eq=False)
class Part:
    """Some examples of a store, with their labels (N,)."""

    store: Store = field(repr=False)
    places: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.places)

    @property
    def y(self) -> torch.Tensor:
        """Labels (N,) int64."""
        return torch.from_numpy(self.labels)

    def at(self, places: np.ndarray) -> Part:
        """Some of them."""
        return evolve(self, places=self.places[places], labels=self.labels[places])

    def about(self) -> dict[str, Any]:
        """For a protocol."""
        return {"store": self.store.path.name, "fingerprint": self.store.manifest.content, "examples": len(self)}


@frozen(eq=False)
class Parts:
    """The three, and whether validation was set aside from the training data by us."""

    train: Part
    validation: Part
    test: Part
    set_aside: bool

    def about(self) -> dict[str, Any]:
        """For a protocol."""
        return {name: getattr(self, name).about() for name in ("train", "validation", "test")}


def parts(model: Model, data: Dataset | None, validation: Dataset | None, test: Dataset | None, key: str, seed: int) -> Parts:
    """Datasets as they are given; what is not given is the dataset's split of that name, or set aside from the training data.

    So much is set aside as 10,000 examples, and a tenth at most, drawn by the seed. Raises UserError for data without labels.
    """
    own = data or model.recipe.data
    train = _part(model.store(own), key)
    given = {name: each or _split(own, name) for name, each in (("test", test), ("validation", validation))}
    found: dict[str, Part] = {}
    for name, dataset in given.items():
        if dataset is not None:
            found[name] = _part(model.store(dataset), key)
            continue
        count = min(MOST_HELD_OUT, len(train) // 10)
        if count < 1:
            raise UserError(f"{len(train)} examples are too few to set a tenth aside for {name}: give {name} = another dataset.")
        order = np.random.RandomState(seed).permutation(len(train))
        found[name], train = train.at(np.sort(order[:count])), train.at(np.sort(order[count:]))
    for name, part in found.items():
        if part.names != train.names[: len(part.names)]:
            raise UserError(
                f"The classes of the {name} data are {_listed(part.names)}, those of the training data {_listed(train.names)}."
            )
    return Parts(train, found["validation"], found["test"], given["validation"] is None)


def _split(data: Dataset, name: str) -> Dataset | None:
    """The dataset's split "test" or "validation", unless it is the one trained on, or the latter is contained in that."""
    splits, now = getattr(data, "splits", ()), getattr(data, "split", None)
    if name not in splits or now == name or (name == "validation" and now != f"train-without-{name}"):
        return None
    return evolve(data, split=name)  # type: ignore[call-arg]  # it has that option, as `now` shows


def _listed(names: tuple[str, ...], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def check_label(fields: Mapping[str, Field], key: str, whose: str) -> None:
    """Raise UserError unless `key` is one whole number for each example."""
    if key not in fields or fields[key].shape != () or fields[key].dtype.startswith("float"):
        raise UserError(
            f'{whose} has no label "{key}", one whole number for each example: it has {described(fields)}. '
            "Give labelled data, such as data=cifar10, or the name of the label, label=NAME."
        )


def _part(store: Store, key: str) -> Part:
    """All of a store."""
    check_label(store.fields, key, store.path.name)
    places = np.arange(len(store))
    labels = store.gather(places, [key])[key].numpy().astype(np.int64)
    if labels.min() < 0:
        raise UserError(f'The label "{key}" of {store.path.name} is {labels.min()} somewhere: expected 0 and above.')
    names = store.fields[key].classes
    names = names if len(names) > labels.max() else tuple(map(str, range(labels.max() + 1)))
    if len(names) < 2:
        raise UserError(f'All examples of {store.path.name} are of one class of "{key}": there is nothing to tell apart.')
    return Part(store, places, labels, names)
