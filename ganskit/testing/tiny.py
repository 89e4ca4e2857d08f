"""Small recipes in which an entry can be tried in a second, on data that need no files."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from attrs import evolve, field, fields, frozen
from torch import nn

from ganskit.data.dataset import Dataset, Field
from ganskit.engine.engine import Deal, build_nets
from ganskit.errors import UserError
from ganskit.game import Architecture, Game, Noise, Shape
from ganskit.optim import Optimizer
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


@frozen
class TinyNet(Architecture):
    """One hidden layer between any two shapes; no sample sees another."""

    hidden: int = 16

    def build(self, shape: Shape) -> nn.Module:
        """Flatten, linear, LeakyReLU, linear, unflatten."""
        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(math.prod(shape.input), self.hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(self.hidden, math.prod(shape.output)),
            nn.Unflatten(1, shape.output),
        )


def tiny_recipe(entry: Entry) -> Recipe:
    """A small recipe with the entry in it, made of its `tiny` options, `within` the recipe that it names.

    Raises UserError when the entry cannot be made, or does not fit.
    """
    if entry.kind == "recipe":
        return _small(_with_tiny(entry), keep_data=False)
    if entry.kind == "dataset":
        raise UserError("a dataset is no part of a game: its examples are checked by themselves")
    base = _small(_with_tiny(_recipe_entry(entry.within)), keep_data=True) if entry.within else general()
    value = use(entry.name, entry.kind, **entry.tiny)
    return base if entry.kind == "evaluator" else placed(base, entry.kind, value)


def general(game: Game | None = None) -> Recipe:
    """A two-player game, or another one, with the smallest nets, on the smallest pictures."""
    game = game or TwoPlayer(noise=Noise(8))
    data = TinyData({key: LABEL if key == "y" else PICTURE for key in game.needs()})
    nets = {name: TinyNet() for name in game.shapes(data.provides())}
    return Recipe(name="tiny", game=game, nets=nets, data=data, batch_size=BATCH_SIZE, samples=1, precision="fp32", ema=0.9)


def placed(base: Recipe, kind: str, value: object) -> Recipe:
    """The recipe with the value where it belongs. Raises UserError when there is no such place."""
    game = base.game
    if kind == "game":
        assert isinstance(value, Game)
        return general(value) if base.name == "tiny" else evolve(base, game=value)
    if kind == "architecture":
        assert isinstance(value, Architecture)
        return evolve(base, nets=_fitted(base, value))
    if kind == "optimizer":
        names = [f.name for f in fields(type(game)) if isinstance(getattr(game, f.name), Optimizer)]
        return evolve(base, game=evolve(game, **dict.fromkeys(names, value)))
    place = {"loss": "loss", "penalty": "penalties", "view": "views"}[kind]
    if not hasattr(game, place):
        raise UserError(f"{type(game).__name__} has no {place}: register the {kind} with within=NAME of a recipe that suits it.")
    return evolve(base, game=evolve(game, **{place: value if kind == "loss" else (value,)}))


def _fitted(base: Recipe, architecture: Architecture) -> dict[str, Architecture]:
    """The recipe's nets, with this one for each that it can be."""
    shapes = base.game.shapes(base.data.provides())
    fits = {}
    for name, shape in shapes.items():
        try:
            with torch.random.fork_rng(devices=[]):
                out = architecture.build(shape)(torch.rand(BATCH_SIZE, *shape.input))
        except Exception:  # a discriminator is not asked to be a generator, and says so in its own way
            continue
        if isinstance(out, torch.Tensor) and out.shape == (BATCH_SIZE, *shape.output):
            fits[name] = architecture
    if not fits:
        wanted = ", ".join(f"{name} {shape.input} -> {shape.output}" for name, shape in shapes.items())
        raise UserError(f"It can be none of the nets {wanted}: register it with within=NAME of a recipe that suits it.")
    return {**base.nets, **fits}


def _recipe_entry(name: str) -> Entry:
    from ganskit.plugins import registry  # here, because the registry loads plugins

    return registry().find("recipe", name)


def _with_tiny(entry: Entry) -> Recipe:
    recipe = named(entry.name)
    for path, value in entry.tiny.items():
        recipe = replaced(recipe, path, value)
    return recipe


def _small(recipe: Recipe, keep_data: bool) -> Recipe:
    """The recipe with small batches, and data that need no files."""
    data = recipe.data if keep_data else TinyData(recipe.data.provides())
    small = evolve(recipe, data=data, batch_size=BATCH_SIZE, accumulate=1, precision="fp32", compile="off", ema=recipe.ema or 0.9)
    build_nets(small, data.provides())  # says at once what does not fit together
    return small


def dealer(data: Dataset) -> Deal:
    """The endless stream of a dataset's examples, straight from their source, in their own order."""
    source = data.open()

    def deal(start: int, count: int) -> dict[str, torch.Tensor]:
        examples = [source.read(i % len(source)) for i in range(start, start + count)]
        return {key: torch.from_numpy(np.stack([example[key] for example in examples])) for key in examples[0]}

    return deal
