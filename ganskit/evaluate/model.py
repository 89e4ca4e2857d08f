"""A trained model: what samples are drawn from and evaluators look at."""

from __future__ import annotations

import copy
from functools import partial
from pathlib import Path

import torch

from ganskit.data.dataset import has_pictures
from ganskit.data.prepare import prepare
from ganskit.data.sampler import indices
from ganskit.data.store import Store
from ganskit.engine import checkpoint as checkpoints
from ganskit.engine.device import FOR_SAMPLES, FOR_STATISTICS, autocast, forked_rng, resolve_device, resolve_precision, seed_of
from ganskit.engine.engine import build_nets, placed
from ganskit.engine.rundir import RunDir
from ganskit.engine.sampling import as_input, sampling_batch
from ganskit.engine.state import net_tensors
from ganskit.errors import UserError
from ganskit.evaluate.calibrate import freeze_statistics
from ganskit.game import Nets
from ganskit.recipe import Recipe, read_toml

CHUNK = 64
"""Samples are always made so many at a time, so that sample i does not depend on how many are asked for."""
CALIBRATION_BATCHES, CALIBRATION_SIZE = 50, 128


class Model:
    """A game's nets after `samples` real samples, ready to be used: `model.sample(64, seed=0)`."""

    def __init__(self, recipe: Recipe, nets: Nets, samples: int, device: torch.device) -> None:
        self.recipe, self.samples, self.device = recipe, samples, device
        self.nets = placed(nets, device).eval().requires_grad_(False)
        self.precision = resolve_precision(recipe.precision, device, has_pictures(recipe.data.provides()))
        self._frozen = False
        self._store: Store | None = None

    @torch.no_grad()
    def sample(self, num: int, seed: int = 0, label: int | None = None, batch_stats: bool = False) -> torch.Tensor:
        """x (num, C, H, W) in [-1, 1], float32, on the CPU. Sample i is a pure function of (seed, i).

        `batch_stats` normalises by the batch drawn, all `num` at once, as the DCGAN authors did. `label` is for games
        that need labels. Raises UserError.
        """
        if num < 1 or seed < 0:
            raise UserError(f"num is {num} and seed {seed}: expected at least 1 and 0.")
        if label is not None and "y" not in self.recipe.game.conditions():
            raise UserError(f'"{self.recipe.name}" was trained without labels: leave --label out.')
        with forked_rng(self.device):
            if batch_stats:
                nets = copy.deepcopy(self.nets).train()  # a copy, for there are nets with running statistics
                return self._make(nets, num, seed_of(seed, 0, 0, FOR_SAMPLES), label)
            self._freeze()
            chunks = [
                self._make(self.nets, CHUNK, seed_of(seed, chunk, 0, FOR_SAMPLES), label) for chunk in range(-(-num // CHUNK))
            ]
            return torch.cat(chunks)[:num]

    def _freeze(self) -> None:
        """Average batch-norm statistics over 50 seeded batches of 128, once."""
        if not self._frozen:
            seeds = (seed_of(0, i, 0, FOR_STATISTICS) for i in range(CALIBRATION_BATCHES))
            freeze_statistics(self.nets, (partial(self._make, self.nets, CALIBRATION_SIZE, seed, None) for seed in seeds))
            self._frozen = True

    def _make(self, nets: Nets, num: int, seed: int, label: int | None) -> torch.Tensor:
        game = self.recipe.game
        b = sampling_batch(game, num, seed, self.samples, self._real(num, seed, label), self.device)
        with autocast(self.precision, self.device):
            return game.sample(nets, b).float().cpu()

    def real(self, num: int, seed: int = 0) -> dict[str, torch.Tensor]:
        """`num` different real examples by key, as the nets see them, in an order that follows from the seed.

        Raises UserError when the dataset has fewer.
        """
        if num > len(self._data()):
            raise UserError(f"{num:,} real examples are asked for, and the dataset has {len(self._data()):,}.")
        return self._dealt(num, seed)

    def _data(self) -> Store:
        self._store = self._store or prepare(self.recipe.data)
        return self._store

    def _dealt(self, num: int, seed: int) -> dict[str, torch.Tensor]:
        store = self._data()
        dealt = store.gather(indices(len(store), seed, 0, num))
        return {key: as_input(store.fields[key], t) for key, t in dealt.items()}

    def _real(self, num: int, seed: int, label: int | None) -> dict[str, torch.Tensor]:
        """The real data that the game's samples are made from."""
        keys = self.recipe.game.conditions()
        given = {"y": torch.full((num,), label)} if label is not None else {}
        if all(key in given for key in keys):
            return given
        real = self._dealt(num, seed)
        return {key: real[key] for key in keys} | given


def load(
    run: str | Path,
    *,
    checkpoint: str | Path | int | None = None,
    ema: bool = True,
    device: str = "auto",
    recipe: Recipe | None = None,
) -> Model:
    """The model of a run directory: its newest whole checkpoint, or `checkpoint` (a file, or the number in its name).

    `ema` takes the moving averages of the nets where the run has them. `recipe` is needed only for a run whose recipe
    has classes that are not registered. Raises UserError.
    """
    directory = RunDir(Path(run))
    if not directory.recipe_file.exists():
        raise UserError(
            f"{run} is not a run directory: it has no recipe.toml. Give a folder that `ganskit run` made, "
            "such as runs/dcgan-rooms-001."
        )
    recipe = recipe or read_toml(directory.recipe_file)
    state = checkpoints.read(_file(directory, checkpoint))
    where = resolve_device(device)
    nets = build_nets(recipe, recipe.data.provides())
    with torch.no_grad():
        for path, target in net_tensors(nets):
            name = path.removeprefix("nets/")
            stored = state.tensors.get(f"ema/{name}") if ema else None
            stored = state.tensors.get(path, state.tensors.get(f"rank/0/{path}")) if stored is None else stored
            if stored is None or stored.shape != target.shape:
                raise UserError(f"The checkpoint of {run} does not fit its recipe.toml at {name}.")
            target.copy_(stored)
    return Model(recipe, nets, state.meta["samples"], where)


def _file(directory: RunDir, checkpoint: str | Path | int | None) -> Path:
    there = checkpoints.files(directory.checkpoints)
    if checkpoint is None:
        file, _ = checkpoints.newest(directory.checkpoints)
        if file is None:
            raise UserError(f"{directory.path} has no whole checkpoint yet." + (" All there are damaged." if there else ""))
        return file
    text = str(checkpoint)
    file = next((f for f in there if text.isdecimal() and int(f.stem) == int(text)), Path(text))
    if not file.is_file():
        raise UserError(
            f"There is no checkpoint {checkpoint}: {directory.path} has {', '.join(f.stem for f in there) or 'none'}."
        )
    if not checkpoints.is_whole(file):
        raise UserError(
            f"{file} is damaged: its SHA-256 is not the one written beside it. Leave --checkpoint out to take a whole one."
        )
    return file
