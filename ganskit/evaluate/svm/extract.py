"""From pictures to feature vectors: a discriminator's pooled activations, the same with random weights, or pixels."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from tqdm import tqdm

from ganskit.data.home import data_home
from ganskit.data.store import Store
from ganskit.engine.device import autocast
from ganskit.engine.sampling import as_input
from ganskit.evaluate.calibrate import freeze_statistics
from ganskit.evaluate.features import activations
from ganskit.evaluate.judging import shown, untrained
from ganskit.evaluate.model import Model
from ganskit.evaluate.svm.rows import Rows
from ganskit.nets import BatchNorm

FEATURES = ("discriminator", "random", "pixels")
BATCH = 128
ROWS_PER_BLOCK = 4096
IN_MEMORY = 4 << 30
"""Bytes of features that are held in memory; more are written to a folder that lasts as long as they are used."""

Extractor = Callable[[torch.Tensor], torch.Tensor]
"""x (n, C, H, W) in [-1, 1] -> features (n, F)."""


def pooled(net: nn.Module, x: torch.Tensor, grid: int = 4) -> torch.Tensor:
    """x (N, C, H, W) in [-1, 1] -> (N, F): 28,672 for the ImageNet-32 discriminator, 7,168 for the SVHN one, on a grid of 4.

    Radford 2016, section 5.1: "using the discriminator's convolutional features from all layers, maxpooling each layers
    representation to produce a 4 x 4 spatial grid. These features are then flattened and concatenated". The authors' SVHN run
    pools maps of 16x16, 8x8 and 4x4 by 4, 2 and 1, which is the same. Raises UserError for a net without convolutions.
    """
    return torch.cat([_pooled(h, grid).flatten(1) for h in activations(net, x).values()], 1)


def _pooled(h: torch.Tensor, grid: int) -> torch.Tensor:
    """The largest values (N, C, grid, grid) of maps (N, C, H, W)."""
    height, width = h.shape[2:]
    if height % grid or width % grid:
        return F.adaptive_max_pool2d(h, grid)
    return F.max_pool2d(h, (height // grid, width // grid))  # the same, and several times as fast in channels_last


def extractor(
    model: Model, features: str, net: str, grid: int, batches: int | None, seed: int, other: Store | None = None
) -> Extractor:
    """What makes features of pictures.

    Statistics of batch normalisation are frozen from the run's training data, or from an `other` store. Raises UserError for a
    model that lacks the net.
    """
    if features == "pixels":
        return lambda x: x.flatten(1)
    if features == "random":
        model = untrained(model, seed)
    model.check_net(net)
    with shown(model, net, model.shape):
        frozen = model.frozen(net, batches) if other is None else _frozen_on(other, model, net, batches)

    def made(x: torch.Tensor) -> torch.Tensor:
        with shown(model, net, tuple(x.shape[1:])), autocast(model.precision, model.device):
            return pooled(frozen, x.to(model.device), grid)

    return made


@torch.no_grad()
def _frozen_on(store: Store, model: Model, net: str, batches: int | None) -> nn.Module:
    """A copy of the net, with statistics averaged over batches of 128 of the store, in its order (None: all whole ones)."""
    frozen = copy.deepcopy(model.nets[net])
    whole = max(1, len(store) // BATCH)

    def one_pass(number: int) -> None:
        places = np.arange(number * BATCH, min((number + 1) * BATCH, len(store)))
        x = as_input(store.fields["x"], store.gather(places, ["x"])["x"])
        with autocast(model.precision, model.device):
            frozen(x.to(model.device))

    if any(isinstance(module, BatchNorm) for module in frozen.modules()):
        for module in frozen.modules():
            if isinstance(module, BatchNorm):
                module.mean = module.var = None
        freeze_statistics(frozen, [partial(one_pass, number) for number in range(min(batches or whole, whole))])
    return frozen.eval().requires_grad_(False)


class Extraction:
    """Features of a store's examples, a block at a time; blocks that are too many for memory lie in `folder`."""

    def __init__(self, made: Extractor, folder: Path, device: torch.device) -> None:
        self._made, self._folder, self._device = made, folder, device
        self._bytes = self._files = 0

    @torch.no_grad()
    def rows(self, store: Store, places: np.ndarray, title: str) -> Rows:
        """Features of the examples at these places, in that order. Raises UserError for data that the net does not take."""
        blocks = []
        with tqdm(total=len(places), desc=title, unit=" images", disable=None, leave=False) as bar:
            for start in range(0, len(places), ROWS_PER_BLOCK):
                block = torch.cat(list(self._batches(store, places[start : start + ROWS_PER_BLOCK], bar)))
                blocks.append(self._kept(block))
        return Rows.of(blocks if len(blocks) > 1 and self._files else torch.cat(blocks), self._device)

    def changed(self, rows: Rows, function: Extractor) -> Rows:
        """The rows with `function` applied to each block."""
        return Rows.of([self._kept(function(block)) for block in rows.blocks], self._device)

    def _batches(self, store: Store, places: np.ndarray, bar: tqdm[Any]) -> Iterator[torch.Tensor]:
        for start in range(0, len(places), BATCH):
            chosen = places[start : start + BATCH]
            x = as_input(store.fields["x"], store.gather(chosen, ["x"])["x"])
            yield self._made(x).cpu()
            bar.update(len(chosen))

    def _kept(self, block: torch.Tensor) -> torch.Tensor:
        self._bytes += block.nbytes
        if self._bytes <= IN_MEMORY:
            return block
        self._files += 1
        file = self._folder / f"{self._files:06}.safetensors"
        save_file({"x": block.contiguous()}, file)
        with safe_open(file, framework="pt") as opened:
            mapped: torch.Tensor = opened.get_tensor("x")
        with suppress(OSError):  # as long as it is mapped it has no need of its name, and nothing is left of it after kill -9;
            file.unlink()  # but Windows keeps what is mapped until `extracting` ends
        return mapped


@contextmanager
def extracting(made: Extractor, device: torch.device) -> Iterator[Extraction]:
    """An extraction whose files go when it ends."""
    home = data_home() / "features"
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix="svm-") as folder:
        yield Extraction(made, Path(folder), device)
