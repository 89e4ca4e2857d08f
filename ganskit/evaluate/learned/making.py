"""Training a classifier once for each set of data and options, and finding it again."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from attrs import evolve

from ganskit.data.dataset import Dataset
from ganskit.data.guards import locked
from ganskit.data.home import data_home
from ganskit.data.manifest import MANIFEST
from ganskit.data.prepare import prepare
from ganskit.data.prepared import Prepared
from ganskit.data.store import Store
from ganskit.data.subset import leave_out
from ganskit.engine.sampling import as_input
from ganskit.errors import UserError
from ganskit.evaluate.kept import kept, noted
from ganskit.evaluate.learned.game import PLAYER, Classification
from ganskit.evaluate.learned.labels import Labels, held_out
from ganskit.evaluate.learned.net import ConvNet, Convolutional
from ganskit.evaluate.learned.trained import Classifier
from ganskit.evaluate.model import Model
from ganskit.optim import Adam, Decay
from ganskit.recipe import Recipe, to_table

VERSION = 2
"""Changes whenever the same options would give another network, so that it is trained anew."""
EPOCHS, LEAST, MOST = 10, 50_000, 250_000
"""The budget, unless another is given: ten epochs, but at least and at most so many samples."""
LR = 2e-3
NOTE = "classifier.json"


def classifier(
    data: Dataset,
    key: str = "y",
    *,
    samples: int | None = None,
    seed: int = 0,
    width: int = 32,
    progress: bool = True,
    device: str = "auto",
) -> Classifier:
    """A network that tells the labels `key` of these data: trained when it is first asked for, and kept.

    A label () of whole numbers gives classes; a vector (A,), such as CelebA's "attributes", gives attributes, one for each column
    of zeros and ones. A tenth of the examples are kept out of training; `accuracy` is measured on them. `samples` is the
    training's budget (None: ten epochs, within bounds). What is trained is a run in the folder `learned` of ganskit's data
    folder, which goes on where it was interrupted; one process trains, and others wait for it.

    Raises UserError for data without pictures or such labels, RunFailed, or Interrupted.
    """
    store = prepare(data, progress=progress)
    labels = Labels.of(store, key, data.provides().get(key))
    recipe = recipe_for(store, labels, samples, seed, width)
    folder = data_home() / "learned" / recipe.name
    with locked(folder, progress):
        recipe = evolve(recipe, data=Prepared.at(_kept_in(store).path))
        model = kept(recipe, folder, (folder / NOTE).is_file(), device, progress)
        return _finished(model, store, labels, folder)


def recipe_for(store: Store, labels: Labels, samples: int | None = None, seed: int = 0, width: int = 32) -> Recipe:
    """What is trained, but for the held-out examples; its name says which data and options it is for. Raises UserError."""
    if samples is not None and samples < 1:
        raise UserError(f"A classifier is to be trained with {samples} samples: expected 1 or more.")
    budget = samples or min(max(EPOCHS * len(store), LEAST), MOST)
    opt = Adam(lr=LR, beta1=0.9, schedule=Decay(budget // 4, budget))
    num = None if labels.are_attributes else len(labels.names)
    game = Classification(key=labels.key, num=num, columns=labels.columns, opt=opt)
    nets = {PLAYER: Convolutional(width)}
    recipe = Recipe(name="classifier", game=game, nets=nets, data=Prepared(), batch_size=64, samples=budget, seed=seed)
    game.shapes(store.fields)
    made_of = [VERSION, store.manifest.content, labels.names, to_table(recipe)]
    digest = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()
    return evolve(recipe, name=f"conv-{_title(store)}-{digest[:12]}")


def _title(store: Store) -> str:
    """What a store's name begins with: "cifar10" of "cifar10-0f3c5a9be124"."""
    name = store.path.resolve().name
    return re.sub("-[0-9a-f]{12}$", "", name)[:40]


def _kept_in(store: Store) -> Store:
    """The store without the examples that are held out; nothing is copied."""
    folder = data_home() / "learned" / "data" / f"{_title(store)}-{store.manifest.content[:12]}"
    with locked(folder, progress=False):
        if (folder / MANIFEST).is_file():
            return Store.open(folder)
        return leave_out(store, held_out(len(store)), folder, "held out to measure a classifier by")


def _finished(model: Model, store: Store, labels: Labels, folder: Path) -> Classifier:
    """The classifier with what is noted of it."""
    net = model.nets[PLAYER]
    assert isinstance(net, ConvNet)

    def measure() -> dict[str, Any]:
        protocol = _protocol(model, store, labels, folder) | {"sha256": model.identity["weights_sha256"]}
        return {"protocol": protocol} | _measured(net, model.device, store, labels)

    note = noted(folder / NOTE, model, {"accuracy", "accuracies"}, measure)
    return Classifier(
        module=net.features,
        head=net.head,
        shape=store.fields["x"].shape,
        names=labels.names,
        accuracy=note["accuracy"],
        accuracies=note["accuracies"],
        label=_label(folder),
        protocol=note["protocol"] | {"accuracy": note["accuracy"]},
        device=model.device,
    )


def _label(folder: Path) -> str:
    """The folder's name with half of its digest."""
    return folder.name[:-6]


def _protocol(model: Model, store: Store, labels: Labels, folder: Path) -> dict[str, Any]:
    num_out = len(held_out(len(store)))
    return {
        "network": folder.name,
        "data": _title(store),
        "fingerprint": store.manifest.content,
        "key": labels.key,
        "samples": model.samples,
        "seed": model.recipe.seed,
        "precision": model.precision,
        "num_trained_on": len(store) - num_out,
        "num_held_out": num_out,
    }


@torch.no_grad()
def _measured(net: ConvNet, device: torch.device, store: Store, labels: Labels) -> dict[str, Any]:
    """Accuracy on what is held out: of all answers, and of each class or attribute that occurs there."""
    out = held_out(len(store))
    right, true = [], []
    for rows in np.array_split(out, -(-len(out) // 256)):
        x = as_input(store.fields["x"], store.gather(rows, ["x"])["x"])
        y = labels.read(store, rows)
        logits = net(x.to(device)).cpu()
        right.append((logits > 0).long() == y if labels.are_attributes else logits.argmax(1) == y)
        true.append(y)
    ok, y = torch.cat(right).double(), torch.cat(true)
    each = {}
    for i, name in enumerate(labels.names):
        chosen = ok[:, i] if labels.are_attributes else ok[y == i]
        if len(chosen):
            each[name] = chosen.mean().item()
    return {"accuracy": ok.mean().item(), "accuracies": each}
