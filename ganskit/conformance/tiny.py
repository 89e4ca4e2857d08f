"""Small recipes in which an entry can be tried in a second, on data that need no files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from attrs import evolve, field, fields, frozen
from torch import nn

from ganskit.data.dataset import Dataset, Field, Skip
from ganskit.engine.engine import Deal, build_nets
from ganskit.errors import DataNotFound, UserError, one_line
from ganskit.game import Architecture, Game, Noise, Shape
from ganskit.optim import Optimizer
from ganskit.plugins import registry
from ganskit.recipe import Recipe, named, replaced, use
from ganskit.registry import Entry
from ganskit.two_player import TwoPlayer

PICTURE = Field((3, 8, 8), pixels=True)
LABEL = Field((), "int64", classes=tuple("0123456789"))
BATCH_SIZE = 4


@frozen
class TinyData(Dataset):
    """Random examples with these fields. Example i is a pure function of i."""

    fields: Mapping[str, Field] = field(factory=lambda: {"x": PICTURE})

    def provides(self) -> dict[str, Field]:
        """The fields."""
        return dict(self.fields)

    def open(self) -> TinySource:
        """Nothing has to be found."""
        return TinySource(self.provides())


class TinySource:
    """64 random examples."""

    fingerprint = "tiny 1"

    def __init__(self, fields: dict[str, Field]) -> None:
        self.fields = fields

    def __len__(self) -> int:
        return 64

    def name(self, index: int) -> str:
        """ "tiny example 5"."""
        return f"tiny example {index}"

    def read(self, index: int) -> dict[str, np.ndarray]:
        """Uniform bytes, labels or whole numbers; normal floats."""
        rng = np.random.default_rng(index)

        def one(field: Field) -> np.ndarray:
            if field.dtype.startswith("float"):
                return np.asarray(rng.standard_normal(field.shape), field.dtype)
            high = len(field.classes) or (2 if field.dtype == "bool" else 256)
            return np.asarray(rng.integers(0, high, field.shape), field.dtype)

        return {key: one(field) for key, field in self.fields.items()}


class TinyModule(nn.Module):
    """One hidden layer between any two shapes. What it is called with besides, such as a label, it leaves alone."""

    def __init__(self, shape: Shape, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(math.prod(shape.input), hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden, math.prod(shape.output)),
            nn.Unflatten(1, shape.output),
        )

    def forward(self, x: torch.Tensor, *others: object) -> torch.Tensor:
        return self.layers(x)  # type: ignore[no-any-return]  # modules are untyped


@frozen
class TinyNet(Architecture):
    """The smallest net between any two shapes; no sample sees another."""

    hidden: int = 16

    def build(self, shape: Shape) -> nn.Module:
        """A TinyModule."""
        return TinyModule(shape, self.hidden)


def tiny_recipe(entry: Entry) -> Recipe:
    """A small recipe with the entry in it, made of its `tiny` options, `within` the recipe that it names.

    Raises UserError when the entry cannot be made, or does not fit.
    """
    if entry.kind == "recipe":
        return _small(entry, keep_data=False)
    if entry.kind == "dataset":
        raise UserError("a dataset is no part of a game: its examples are checked by themselves")
    base = _small(registry().find("recipe", entry.within), keep_data=True) if entry.within else None
    value = use(entry.name, entry.kind, **entry.tiny)
    if isinstance(value, Game):
        return evolve(base, game=value) if base else general(value)
    return placed(base or general(), entry.kind, value)


def general(game: Game | None = None) -> Recipe:
    """A two-player game, or another one, with the smallest nets, on the smallest pictures."""
    game = game or TwoPlayer(noise=Noise(8))
    data = TinyData({key: LABEL if key == "y" else PICTURE for key in game.needs()})
    nets = {name: TinyNet() for name in game.shapes(data.provides())}
    return Recipe(name="tiny", game=game, nets=nets, data=data, batch_size=BATCH_SIZE, samples=1, precision="fp32", ema=0.9)


def placed(base: Recipe, kind: str, value: object) -> Recipe:
    """The recipe with the value where it belongs. Raises UserError when there is no such place."""
    game = base.game
    if kind == "evaluator":
        return base
    if isinstance(value, Architecture):
        return evolve(base, nets=_fitted(base, value))
    if isinstance(value, Optimizer):
        changes: dict[str, object] = {f.name: value for f in fields(type(game)) if isinstance(getattr(game, f.name), Optimizer)}
    else:
        place = {"loss": "loss", "penalty": "penalties", "view": "views"}[kind]
        changes = {place: value if kind == "loss" else (value,)} if hasattr(game, place) else {}
    if not changes:
        raise UserError(
            f"{type(game).__name__} has no place for {kind} {type(value).__name__}: register it with within=NAME of a "
            "recipe that suits it."
        )
    return evolve(base, game=evolve(game, **changes))


def _fitted(base: Recipe, architecture: Architecture) -> dict[str, Architecture]:
    """The recipe's nets, with this one for those of its class, or else for each that it can be."""
    same = {name: architecture for name, net in base.nets.items() if type(net) is type(architecture)}
    if same:
        return {**base.nets, **same}
    shapes = base.game.shapes(base.data.provides())
    fits, why = {}, ""
    for name, shape in shapes.items():
        try:
            with torch.random.fork_rng(devices=[]):
                out = architecture.build(shape)(torch.rand(BATCH_SIZE, *shape.input))
        except Exception as error:  # a discriminator is not asked to be a generator, and says so in its own way
            why = f" {name}: {one_line(error)}."
            continue
        if isinstance(out, torch.Tensor) and out.shape == (BATCH_SIZE, *shape.output):
            fits[name] = architecture
    if not fits:
        wanted = ", ".join(f"{name} {shape.input} -> {shape.output}" for name, shape in shapes.items())
        raise UserError(f"It can be none of the nets {wanted}.{why} Register it with within=NAME of a recipe that has it.")
    return {**base.nets, **fits}


def _small(entry: Entry, keep_data: bool) -> Recipe:
    """The entry's recipe with its `tiny` settings, and small where these say nothing; with data that need no files."""
    recipe = named(entry.name)
    for path, value in entry.tiny.items():
        recipe = replaced(recipe, path, value)
    if not keep_data or not _is_here(recipe.data):
        recipe = evolve(recipe, data=TinyData(recipe.data.provides()))
    small: dict[str, Any] = {
        "batch_size": BATCH_SIZE,
        "accumulate": 1,
        "precision": "fp32",
        "compile": "off",
        "ema": recipe.ema or 0.9,
    }
    recipe = evolve(recipe, **{name: value for name, value in small.items() if name not in entry.tiny})
    build_nets(recipe, recipe.data.provides())  # says at once what does not fit together
    return recipe


def _is_here(data: Dataset) -> bool:
    try:
        data.open()
    except DataNotFound:
        return False
    return True


def dealer(data: Dataset) -> Deal:
    """The endless stream of a dataset's examples, straight from their source, in their own order."""
    source = data.open()

    def example(index: int) -> dict[str, np.ndarray]:
        for each in range(index, index + len(source)):
            with suppress(Skip):
                return source.read(each % len(source))
        raise UserError("every example is skipped")

    def deal(start: int, count: int) -> dict[str, torch.Tensor]:
        examples = [example(i) for i in range(start, start + count)]
        return {key: torch.from_numpy(np.stack([each[key] for each in examples])) for key in examples[0]}

    return deal
