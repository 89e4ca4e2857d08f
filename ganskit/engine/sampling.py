"""The batches that samples are drawn from, in training and afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch

from ganskit.data.dataset import Field
from ganskit.engine.device import FOR_GRIDS, autocast, forked_rng, seed_of
from ganskit.game import Batch, Game, Nets

if TYPE_CHECKING:
    from ganskit.engine.engine import Engine


def sampling_batch(
    game: Game, num: int, seed: int, samples: int, real: Mapping[str, torch.Tensor], device: torch.device
) -> Batch:
    """Noise from the seed, the schedule's scalars after `samples` real samples, and real data for games that translate.

    Seeds torch's default generator: call it under `torch.random.fork_rng`.
    """
    torch.manual_seed(seed)
    return Batch({**drawn(game, num, samples, device), **{name: t.to(device) for name, t in real.items()}}, game.stage(samples))


def drawn(game: Game, num: int, samples: int, device: torch.device) -> dict[str, torch.Tensor]:
    """What a batch has besides data: noise from torch's default generator, and the schedule's scalars."""
    noise = {name: noise.draw(num, device) for name, noise in game.noises().items()}
    scalars = {name: torch.tensor(float(value), device=device) for name, value in game.scalars(samples).items()}
    return noise | scalars


def as_input(field: Field, x: torch.Tensor) -> torch.Tensor:
    """Stored bytes as network input: "scaling to the range of the tanh activation function [-1, 1]" (Radford 2016)."""
    if not field.pixels:
        return x
    layout = torch.channels_last if x.ndim == 4 else torch.contiguous_format
    return x.to(torch.float32, memory_format=layout).div_(127.5).sub_(1.0)


@torch.no_grad()
def fixed_samples(engine: Engine, num: int) -> torch.Tensor:
    """Samples of the same noise every time, made without leaving a trace in the training."""
    nets = Nets({**engine.nets, **engine.averages})
    real = engine.deal(0, num) if engine.game.conditions() else {}
    real = {name: as_input(engine.fields[name], real[name]) for name in engine.game.conditions()}
    with forked_rng(engine.device):
        seed = seed_of(engine.recipe.seed, 0, 0, FOR_GRIDS)
        b = sampling_batch(engine.game, num, seed, engine.samples, real, engine.device)
        nets.eval()
        try:
            with autocast(engine.precision, engine.device):
                return engine.game.sample(nets, b).float()
        finally:
            nets.train()
