"""A run: the engine, the data and the directory together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path

import torch
from tqdm import tqdm

from ganskit.data.prepare import prepare
from ganskit.data.sampler import indices
from ganskit.data.store import Store
from ganskit.engine import checkpoint as checkpoints
from ganskit.engine.checkpoint import Checkpoint
from ganskit.engine.device import (
    FOR_UNPAIRED,
    forked_rng,
    memory_errors,
    resolve_device,
    seed_of,
    torch_settings_kept,
)
from ganskit.engine.distributed import World
from ganskit.engine.engine import Deal, Engine, build_nets
from ganskit.engine.rundir import RunDir
from ganskit.engine.state import net_tensors
from ganskit.engine.training import Evaluations, Training
from ganskit.errors import UserError
from ganskit.game import Nets
from ganskit.recipe import Recipe, to_table


def run(
    recipe: Recipe,
    *,
    out: str | Path | None = None,
    resume: bool = False,
    device: str = "auto",
    init_from: str | Path | None = None,
    progress: bool = True,
    workers: int | None = None,
    evaluations: Callable[[Recipe, RunDir, torch.device], Evaluations] | None = None,
    check_count: Callable[[int], None] = lambda num_examples: None,
) -> Path:
    """Train a recipe to the end of its budget and return the run directory.

    `resume` goes on with the last run of that name, or with the one in `out`; without a checkpoint it starts over.
    `init_from` takes over the weights of another run's nets where name and shape agree. `evaluations` makes those of the
    recipe; without it there are none. `check_count` is told how many examples there are, before anything is written, and may
    raise UserError. Raises UserError, RunFailed or Interrupted; the last good checkpoint is kept in each case.
    """
    world = World.join()
    where = resolve_device(device, world.local_rank)
    directory = RunDir.choose(recipe.name, Path(out) if out is not None else None, resume)
    world.wait()  # until all have looked, before one of them writes
    show = progress and world.leads
    with directory.locked() if world.leads else nullcontext(), forked_rng(where), torch_settings_kept():
        directory.check(recipe)
        build_nets(recipe, recipe.data.provides())  # a recipe that does not fit together fails before hours of preparing
        weights = _weights(Path(init_from)) if init_from is not None else None
        if resume and show and not directory.recipe_file.exists():
            tqdm.write(f"There is no run in {directory.path} yet: starting one.")
        store = prepare(recipe.data, workers=workers, progress=show)
        if store.manifest.num_skipped and show:
            left_out, path = store.manifest.num_skipped, store.path
            tqdm.write(f"{left_out} of {left_out + len(store)} originals were left out: ganskit data info {path} says why.")
        check_count(len(store))
        engine = Engine(recipe, store.fields, dealer(store, recipe.seed), where, world)
        if world.leads:
            directory.begin(recipe)
        world.wait()
        training = Training(engine, directory, store.manifest.content, show)
        restored = training.restore()
        if evaluations is not None:
            training.evaluations = evaluations(recipe, directory, where)
        if not restored and weights is not None:
            training.say(f"{_initialise(engine, weights)} tensors taken over from {init_from}.")
        with memory_errors():
            training.train()
    return directory.path


def save_run(recipe: Recipe, nets: Nets, name: str, out: str | Path | None = None) -> Path:
    """Make a finished run of nets that were trained elsewhere, ready for `ganskit.load`; returns its directory.

    It goes to `out`, or to runs/NAME-001 and so on. Raises UserError.
    """
    directory = RunDir.choose(name, Path(out) if out is not None else None, resume=False)
    with directory.locked():
        directory.begin(recipe)
        tensors = {path: t.detach().contiguous() for path, t in net_tensors(nets)}
        meta = {"round": 0, "samples": recipe.samples, "stage_samples": 0, "numbers": {}, "time_s": 0.0}
        about = {"recipe": to_table(recipe), "data": None, "environment": {}}
        checkpoints.write(directory.checkpoints, Checkpoint(tensors, meta | about))
    return directory.path


def dealer(store: Store, seed: int) -> Deal:
    """The endless stream of a store's samples, in an order that follows from the seed; unpaired fields in one of their own."""
    unpaired = [name for name, field in store.fields.items() if field.unpaired]
    paired = [name for name in store.fields if name not in unpaired]

    def deal(start: int, count: int) -> dict[str, torch.Tensor]:
        batch = store.gather(indices(len(store), seed, start, count), paired)
        if unpaired:
            own_seed = seed_of(seed, 0, 0, FOR_UNPAIRED)
            batch |= store.gather(indices(len(store), own_seed, start, count), unpaired)
        return batch

    return deal


def _weights(run_path: Path) -> Mapping[str, torch.Tensor]:
    """The tensors of another run's newest checkpoint."""
    file, _ = checkpoints.newest(RunDir(run_path).checkpoints)
    if file is None:
        raise UserError(f"{run_path} has no whole checkpoint to begin with: expected a folder that `ganskit run` made.")
    return checkpoints.read(file).tensors


@torch.no_grad()
def _initialise(engine: Engine, weights: Mapping[str, torch.Tensor]) -> int:
    """Copy weights where path and shape agree; returns how many. Averages begin there, too. Raises UserError for none."""
    taken = 0
    for path, target in net_tensors(engine.nets):
        source = weights.get(path)
        if source is not None and source.shape == target.shape:
            target.copy_(source)
            taken += 1
    if not taken:
        raise UserError("No net of the run in --init-from has the name and shape of one here.")
    for name, average in engine.averages.items():
        average.load_state_dict(engine.nets[name].state_dict())
    return taken
