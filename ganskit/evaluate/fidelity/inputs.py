"""Pictures to measure, as bytes: samples of a model, and real ones from a store. Both are datasets that torch-fidelity takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset as TorchDataset

from ganskit.data.dataset import Field, described, has_pictures
from ganskit.data.sampler import indices
from ganskit.data.store import Store
from ganskit.errors import UserError
from ganskit.evaluate.model import CHUNK, Model
from ganskit.pictures import is_pictures, to_bytes
from ganskit.recipe import Recipe, to_toml


class Pictures(TorchDataset[torch.Tensor]):
    """`num` pictures x (C, H, W) uint8. What they are is in `protocol`."""

    num: int
    protocol: Mapping[str, Any]

    @property
    def follows_from(self) -> Mapping[str, Any] | None:
        """All that decides what they look like, for JSON; None if that cannot be said."""
        raise NotImplementedError

    def rows(self, start: int, stop: int) -> torch.Tensor:
        """Pictures `start` to `stop`, (stop - start, C, H, W) uint8, C 1 or 3."""
        raise NotImplementedError

    def __len__(self) -> int:
        return self.num

    def __getitem__(self, index: int) -> torch.Tensor:
        """Picture `index`, (3, H, W) uint8: grey is repeated."""
        if not 0 <= index < self.num:
            raise IndexError(index)
        return coloured(self.rows(index, index + 1))[0]


class Samples(Pictures):
    """Exactly `to_bytes(model.sample(num, seed))`, made as they are asked for."""

    def __init__(self, model: Model, num: int, seed: int) -> None:
        self.model, self.num, self.seed = model, num, seed
        self.protocol = {"num": num, "seed": seed}
        self._last: tuple[int, torch.Tensor] | None = None

    @property
    def follows_from(self) -> Mapping[str, Any] | None:
        """The weights, the recipe and what computes. None for games whose samples also follow from data, and odd recipes."""
        model = self.model
        if model.recipe.game.conditions():
            return None
        try:
            recipe = to_toml(model.recipe)
        except UserError:  # of classes that are not registered
            return None
        where = {"device": str(model.device), "precision": model.precision, "torch": torch.__version__}
        return {**model.identity, **self.protocol, **where, "recipe": recipe}

    def rows(self, start: int, stop: int) -> torch.Tensor:
        """Raises UserError for samples that are no pictures, or not finite."""
        chunks = range(start // CHUNK, -(-stop // CHUNK))
        made = torch.cat([self._chunk(chunk) for chunk in chunks])
        return made[start - chunks.start * CHUNK :][: stop - start]

    def _chunk(self, chunk: int) -> torch.Tensor:
        if self._last is None or self._last[0] != chunk:
            model = self.model
            x = model.chunk(chunk, self.seed)
            if not is_pictures(x):
                raise UserError(
                    f'"{model.recipe.name}" makes samples of shape {tuple(x.shape[1:])}: expected pictures, (1 or 3, H, W).'
                )
            self._last = chunk, to_bytes(x)
        return self._last[1]


class Reference(Pictures):
    """`num` different examples of a store, those of `model.real(num, seed)`."""

    def __init__(self, store: Store, num: int, seed: int) -> None:
        check_pictures(store.fields, str(store.path))
        if num > len(store):
            raise UserError(
                f"{num:,} real pictures are asked for, and {store.path.name} has {len(store):,}: set num_real to as many."
            )
        self.store, self.num, self.seed = store, num, seed
        self.protocol = {
            "dataset": store.manifest.dataset,
            "fingerprint": store.manifest.fingerprint,
            "content": store.manifest.content,
            "num": num,
            "seed": seed,
        }
        self._indices: np.ndarray = indices(len(store), seed, 0, num)

    @property
    def follows_from(self) -> Mapping[str, Any]:
        """The store's content and which of it."""
        return {key: self.protocol[key] for key in ("content", "num", "seed")}

    def rows(self, start: int, stop: int) -> torch.Tensor:
        """As they are stored."""
        return self.store.gather(self._indices[start:stop], ["x"])["x"]


def check_pictures(fields: Mapping[str, Field], whose: str) -> None:
    """Raise UserError unless x is pictures of bytes."""
    x = fields.get("x")
    if x is None or not x.pixels or x.dtype != "uint8" or len(x.shape) != 3 or x.shape[0] not in (1, 3):
        raise UserError(f"{whose} has no pictures x of uint8 (1 or 3, H, W) to compare with.")


def check_any_pictures(recipe: Recipe, what: str) -> None:
    """Raise UserError for a recipe that is not about pictures."""
    if not has_pictures(recipe.data.provides()):
        raise UserError(f'{what} is of pictures, and "{recipe.name}" is about {described(recipe.data.provides())}.')


def coloured(x: torch.Tensor) -> torch.Tensor:
    """x (N, 1 or 3, H, W) -> (N, 3, H, W): grey is repeated."""
    return x.expand(-1, 3, -1, -1) if x.shape[1] == 1 else x
