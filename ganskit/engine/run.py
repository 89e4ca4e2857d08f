"""A run: the engine, the data and the directory together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from ganskit.data.prepare import prepare
from ganskit.data.sampler import indices
from ganskit.data.store import Store
from ganskit.engine import checkpoint as checkpoints
from ganskit.engine.device import resolve_device
from ganskit.engine.distributed import World
from ganskit.engine.engine import Deal, Engine
from ganskit.engine.rundir import RunDir
from ganskit.engine.training import Training
from ganskit.errors import UserError
from ganskit.game import Nets
from ganskit.recipe import Recipe


def run(
    recipe: Recipe,
    *,
    out: str | Path | None = None,
    resume: bool = False,
    device: str = "auto",
    init_from: str | Path | None = None,
    progress: bool = True,
    workers: int | None = None,
) -> Path:
    """Train a recipe to the end of its budget and return the run directory.

    `resume` goes on with the last run of that name, or with the one in `out`; without a checkpoint it starts over.
    `init_from` takes over the weights of another run's nets where name and shape agree. Raises UserError, RunFailed
    or Interrupted; the last good checkpoint is kept in each case.
    """
    world = World.join()
    where = resolve_device(device, world.local_rank)
    directory = RunDir.choose(recipe.name, Path(out) if out is not None else None, resume)
    with directory.locked() if world.leads else _nothing(), torch.random.fork_rng():
        store = prepare(recipe.data, workers=workers, progress=progress and world.leads)
        engine = Engine(recipe, store.fields, dealer(store, recipe.seed), where, world)
        if world.leads:
            directory.begin(recipe)
        world.wait()
        training = Training(engine, directory, store.manifest.fingerprint, progress and world.leads)
        if not training.restore() and init_from is not None:
            taken = initialise_from(engine.nets, Path(init_from))
            training.say(f"{taken} tensors taken over from {init_from}.")
        training.train()
    return directory.path


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def dealer(store: Store, seed: int) -> Deal:
    """The endless stream of a store's samples, in an order that follows from the seed."""
    return lambda start, count: store.gather(indices(len(store), seed, start, count))


def initialise_from(nets: Nets, run_path: Path) -> int:
    """Copy weights from another run's newest checkpoint where path and shape agree; returns how many."""
    file, _ = checkpoints.newest(RunDir(run_path).checkpoints)
    if file is None:
        raise UserError(f"{run_path} has no whole checkpoint to take weights from.")
    stored = checkpoints.read(file).tensors
    taken = 0
    with torch.no_grad():
        for name, net in nets.items():
            for path, target in net.state_dict(keep_vars=True).items():
                source = stored.get(f"nets/{name}/{path}")
                if source is not None and source.shape == target.shape:
                    target.copy_(source)
                    taken += 1
    if not taken:
        raise UserError(f"No net in {run_path} has the name and shape of one here.")
    return taken
