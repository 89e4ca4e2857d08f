"""A trained model: what samples are drawn from and evaluators look at."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ganskit.data.dataset import Dataset, has_pictures
from ganskit.data.prepare import prepare
from ganskit.data.sampler import indices
from ganskit.data.store import Store
from ganskit.engine import checkpoint as checkpoints
from ganskit.engine.device import (
    FOR_SAMPLES,
    FOR_STATISTICS,
    autocast,
    exact_fp32,
    forked_rng,
    resolve_device,
    resolve_precision,
    seed_of,
)
from ganskit.engine.engine import build_nets, placed
from ganskit.engine.rundir import RunDir
from ganskit.engine.sampling import as_input, sampling_batch
from ganskit.engine.state import net_tensors
from ganskit.errors import UserError
from ganskit.evaluate.calibrate import freeze_statistics
from ganskit.evaluate.choosing import chosen_checkpoint
from ganskit.evaluate.required import check_data, check_nets, shape_of
from ganskit.game import Batch, Nets
from ganskit.nets import BatchNorm
from ganskit.recipe import Recipe, read_toml
from ganskit.two_player import TwoPlayer

MOST_SAMPLES = 10_000_000
"""That are made at once, and kept in memory."""
CHUNK = 64
"""Samples are always made so many at a time, so that sample i does not depend on how many are asked for."""
CALIBRATION_BATCHES, CALIBRATION_SIZE = 50, 128


class Model:
    """A game's nets after `samples` real samples, ready to be used: `model.sample(64, seed=0)`."""

    def __init__(self, recipe: Recipe, nets: Nets, samples: int, device: torch.device, ema: bool = False) -> None:
        self.recipe, self.samples, self.device, self.ema = recipe, samples, device, ema
        self.nets = placed(nets, device).eval().requires_grad_(False)
        self.precision = resolve_precision(recipe.precision, device, has_pictures(recipe.data.provides()))
        self._frozen = False
        self._stores: dict[str, Store] = {}

    @property
    def identity(self) -> dict[str, Any]:
        """What is measured, for protocols and caches: the SHA-256 of the nets' tensors, samples, and whether averaged."""
        digest = hashlib.sha256()
        for path, tensor in net_tensors(self.nets):
            digest.update(path.encode())
            digest.update(tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
        return {"weights_sha256": digest.hexdigest(), "samples": self.samples, "ema": self.ema}

    @torch.no_grad()
    def sample(self, num: int, seed: int = 0, label: int | None = None, batch_stats: bool = False) -> torch.Tensor:
        """x (num, C, H, W) in [-1, 1], float32, on the CPU. Sample i is a pure function of (seed, i).

        `batch_stats` normalises by the batch drawn, all `num` at once, as the DCGAN authors did. `label` is for games
        that need labels. Raises UserError.
        """
        self._check(num, seed, label)
        with forked_rng(self.device):
            if batch_stats:
                nets = copy.deepcopy(self.nets).train()  # a copy, for there are nets with running statistics
                return self._made(nets, self._batch(num, seed_of(seed, 0, 0, FOR_SAMPLES), label))
            chunks = [self.chunk(index, seed, label) for index in range(-(-num // CHUNK))]
        return torch.cat(chunks)[:num]

    @torch.no_grad()
    def chunk(self, index: int, seed: int = 0, label: int | None = None) -> torch.Tensor:
        """Samples 64 * index to 64 * (index + 1), as `sample` gives them: for as many as do not fit into memory at once."""
        with forked_rng(self.device):
            self._freeze()
            return self._made(self.nets, self._batch(CHUNK, seed_of(seed, index, 0, FOR_SAMPLES), label))

    def z(self, num: int, seed: int = 0) -> dict[str, torch.Tensor]:
        """The noise, by name, (num, ...) on the CPU, that `sample(num, seed)` is made from. Raises UserError."""
        self._check(num, seed)
        names = self.recipe.game.noises()
        with forked_rng(self.device):
            batches = list(self._batches(num, seed))
        return {name: torch.cat([b.tensors[name].cpu() for b in batches])[:num] for name in names}

    @torch.no_grad()
    def from_z(
        self, z: torch.Tensor | Mapping[str, torch.Tensor], seed: int = 0, label: int | None = None, nets: Nets | None = None
    ) -> torch.Tensor:
        """Samples x (N, C, H, W), as `sample` gives them, of chosen noise: a tensor (N, ...) where there is one, else by name.

        `sample(n, s)` is `from_z(z(n, s), s)`; image i depends on row i alone. `seed` and `label` choose the real data that
        games with conditions read; `nets` are used instead of the model's. Raises UserError for noise of another shape.
        """
        noise = self._noise(z)
        num = len(next(iter(noise.values())))
        self._check(num, seed, label)
        with forked_rng(self.device):
            self._freeze()
            made = []
            for start, b in zip(range(0, num, CHUNK), self._batches(num, seed, label), strict=True):
                for name, rows in noise.items():
                    b.tensors[name][: len(rows[start : start + CHUNK])] = rows[start : start + CHUNK].to(self.device)
                made.append(self._made(nets or self.nets, b))
        return torch.cat(made)[:num]

    def _noise(self, z: torch.Tensor | Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        noises = self.recipe.game.noises()
        if not noises:
            raise UserError(f'"{self.recipe.name}" makes its samples without noise: there is no z to choose.')
        if isinstance(z, torch.Tensor) and len(noises) > 1:
            raise UserError(f'"{self.recipe.name}" has several noises: give a tensor for each of {", ".join(noises)}, by name.')
        given = {next(iter(noises)): z} if isinstance(z, torch.Tensor) else dict(z)
        shapes = {name: tuple(rows.shape) for name, rows in given.items()}
        expected = ", ".join(f"{name} (N, {', '.join(map(str, noise.shape))})" for name, noise in noises.items())
        fits = given.keys() == noises.keys() and all(shapes[name][1:] == noise.shape for name, noise in noises.items())
        if not fits or len({len(rows) for rows in given.values()}) != 1 or not min(len(rows) for rows in given.values()):
            raise UserError(f'Noise of shape {shapes} does not fit "{self.recipe.name}": expected {expected}, N at least 1.')
        return given

    def _check(self, num: int, seed: int, label: int | None = None) -> None:
        if num < 1 or seed < 0:
            raise UserError(f"num is {num} and seed {seed}: expected at least 1 and 0.")
        if num > MOST_SAMPLES:
            raise UserError(
                f"{num:,} samples are asked for at once: expected {MOST_SAMPLES:,} at most, for memory must hold them."
            )
        if label is not None and "y" not in self.recipe.game.conditions():
            raise UserError(f'"{self.recipe.name}" was trained without labels: leave --label out.')
        if label is not None:
            names = self.recipe.data.provides()["y"].classes
            if names and not 0 <= label < len(names):
                raise UserError(f'label is {label}: "{self.recipe.name}" has {len(names)} of them, 0 to {len(names) - 1}.')
            if label < 0:
                raise UserError(f"label is {label}: expected 0 or above.")

    def _freeze(self) -> None:
        """Average batch-norm statistics over 50 seeded batches of 128, once."""
        if not self._frozen:
            seeds = [seed_of(0, i, 0, FOR_STATISTICS) for i in range(CALIBRATION_BATCHES)]
            freeze_statistics(
                self.nets, (partial(lambda s: self._made(self.nets, self._batch(CALIBRATION_SIZE, s)), s) for s in seeds)
            )
            self._frozen = True

    def check_net(self, net: str) -> None:
        """Raise UserError for a net that is not there, or whose training has failed."""
        check_nets(self.recipe, net)
        if not all(p.isfinite().all() for p in self.nets[net].parameters()):
            raise UserError(f'The net "{net}" of "{self.recipe.name}" has weights that are not finite: its training has failed.')

    @torch.no_grad()
    def frozen(self, net: str = "D", batches: int | None = CALIBRATION_BATCHES) -> nn.Module:
        """A copy of one net that treats each sample by itself, and needs no gradients.

        Batch-norm statistics are averages over batches of noise for a net that makes samples, else over `batches` of 128 real
        samples (None: all of them, in the order of the data), as in the authors' evaluation. Raises UserError for no such net,
        and for one whose training has failed.
        """
        self.check_net(net)
        with forked_rng(self.device):
            self._freeze()
            nets = Nets({name: copy.deepcopy(each) if name == net else each for name, each in self.nets.items()})
            unset = any(isinstance(m, BatchNorm) and m.mean is None for m in nets[net].modules())
            if unset:
                freeze_statistics(nets[net], (partial(self._judged, nets, net, b) for b in self._real_batches(batches)))
        return nets[net].eval().requires_grad_(False)

    def _judged(self, nets: Nets, net: str, b: Batch) -> None:
        game = self.recipe.game
        with autocast(self.precision, self.device):
            if net == "D" and isinstance(game, TwoPlayer):
                game.judge(nets, b.x, b)
            else:
                nets[net](b.x)

    def _real_batches(self, num: int | None) -> Iterator[Batch]:
        """Batches of 128 real samples; a last, smaller one of what is left over is not among them."""
        store = self.store()
        most = max(1, len(store) // CALIBRATION_SIZE)
        for i in range(most if num is None else num):
            rows = indices(len(store), 0, i * CALIBRATION_SIZE, CALIBRATION_SIZE)
            if num is None:
                rows = np.arange(i * CALIBRATION_SIZE, min((i + 1) * CALIBRATION_SIZE, len(store)))
            real = self._as_inputs(store, rows)
            yield sampling_batch(self.recipe.game, len(rows), seed_of(0, i, 0, FOR_STATISTICS), self.samples, real, self.device)

    def _batches(self, num: int, seed: int, label: int | None = None) -> Iterator[Batch]:
        """Batches of CHUNK that together have `num` samples or more, each with torch's generator at its own seed."""
        return (self._batch(CHUNK, seed_of(seed, chunk, 0, FOR_SAMPLES), label) for chunk in range(-(-num // CHUNK)))

    def _batch(self, num: int, seed: int, label: int | None = None) -> Batch:
        return sampling_batch(self.recipe.game, num, seed, self.samples, self._conditions(num, seed, label), self.device)

    def _made(self, nets: Nets, b: Batch) -> torch.Tensor:
        with exact_fp32(), autocast(self.precision, self.device):
            x = self.recipe.game.sample(nets, b).float().cpu()
        if not x.isfinite().all():
            raise UserError(f'"{self.recipe.name}" makes samples that are not finite: its training has failed.')
        return x

    def store(self, data: Dataset | None = None) -> Store:
        """The store of the data it was trained on, or of others, which need pictures (or vectors) x of the same shape.

        It is prepared if need be. Raises UserError.
        """
        key = repr(data)  # for not all can be hashed
        if key not in self._stores:
            check_data(self.recipe, data)
            self._stores[key] = prepare(data or self.recipe.data)
        return self._stores[key]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one example x. Raises UserError for a model without real counterparts of its samples, such as a translator."""
        return shape_of(self.recipe)

    def real(self, num: int, seed: int = 0, data: Dataset | None = None) -> dict[str, torch.Tensor]:
        """`num` different real examples by key, as the nets see them, in an order that follows from the seed.

        They are of the data it was trained on, or of `data`. Raises UserError when there are fewer, or of another shape.
        """
        store = self.store(data)
        if num > len(store):
            raise UserError(
                f"{num:,} real examples are asked for, and {store.path.name} has {len(store):,}: set num to at most that."
            )
        return self._as_inputs(store, indices(len(store), seed, 0, num))

    def _as_inputs(self, store: Store, rows: np.ndarray) -> dict[str, torch.Tensor]:
        return {key: as_input(store.fields[key], t) for key, t in store.gather(rows).items()}

    def _conditions(self, num: int, seed: int, label: int | None) -> dict[str, torch.Tensor]:
        """The real data that the game's samples are made from."""
        keys = self.recipe.game.conditions()
        given = {"y": torch.full((num,), label)} if label is not None else {}
        if all(key in given for key in keys):
            return given
        store = self.store()
        real = self._as_inputs(store, indices(len(store), seed, 0, num))
        return {key: real[key] for key in keys} | given


def load(
    run: str | Path,
    *,
    checkpoint: str | Path | int | None = None,
    ema: bool = True,
    device: str = "auto",
    recipe: Recipe | None = None,
) -> Model:
    """The model of a run directory: its newest whole checkpoint, or `checkpoint` (a file, the number in its name, or "best:NAME"
    for the one that the evaluation NAME found best).

    `ema` takes the moving averages of the nets where the run has them. `recipe` is needed only for a run whose recipe
    has classes that are not registered. Raises UserError.
    """
    directory = RunDir.there(run)
    recipe = recipe or read_toml(directory.recipe_file)
    state = checkpoints.read(chosen_checkpoint(directory, checkpoint))
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
    return Model(recipe, nets, state.meta["samples"], where, ema and recipe.ema is not None)
