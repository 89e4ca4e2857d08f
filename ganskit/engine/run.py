"""A run: the engine, the data, the directory and the clock together, from the first round to the last."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from attrs import evolve
from tqdm import tqdm

import ganskit
from ganskit.data.prepare import prepare
from ganskit.data.sampler import indices
from ganskit.data.store import Store
from ganskit.engine import checkpoint as checkpoints
from ganskit.engine.checkpoint import Checkpoint
from ganskit.engine.device import processor, resolve_device, seed_of
from ganskit.engine.distributed import World
from ganskit.engine.engine import NEVER, Deal, Engine
from ganskit.engine.rundir import RunDir
from ganskit.engine.state import load_state, save_state
from ganskit.errors import GanskitError, RunFailed, UserError
from ganskit.game import Batch, Nets
from ganskit.pictures import is_pictures, save_grid
from ganskit.recipe import Recipe

FIRST_CHECKPOINT_S = 5.0
CHECKPOINT_S = 60.0
GRIDS = 20
"""So many sample grids in a run whose recipe does not say."""
GRID_SIZE = 64


class Interrupted(GanskitError):
    """Ctrl-C, after the checkpoint was written. Exit code 130."""

    exit_code = 130


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
        training = _Training(engine, directory, progress and world.leads)
        training.restore(Path(init_from) if init_from is not None else None)
        training.train()
    return directory.path


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def dealer(store: Store, seed: int) -> Deal:
    """The endless stream of a store's samples, in an order that follows from the seed."""
    return lambda start, count: store.gather(indices(len(store), seed, start, count))


class _Training:
    """The loop around the engine: progress, metrics, sample grids, checkpoints, Ctrl-C."""

    def __init__(self, engine: Engine, directory: RunDir, progress: bool) -> None:
        self.engine, self.recipe, self.world = engine, engine.recipe, engine.world
        self.directory, self.progress = directory, progress
        self.time_s = 0.0
        self.saved_at = NEVER
        self.interrupts = 0

    def restore(self, init_from: Path | None) -> None:
        """Load the newest whole checkpoint if there is one, saying what was damaged and what has changed."""
        file, damaged = checkpoints.newest(self.directory.checkpoints)
        for bad in damaged:
            self._say(f"Warning: {bad.name} is damaged (its SHA-256 differs); " + (f"going on from {file.name}." if file else "starting over."))
        if file is not None:
            state = checkpoints.read(file)
            now = environment(self.engine)
            for key, then in state.meta["environment"].items():
                if now.get(key) != then:
                    self._say(f"Warning: {key} was {then} and is {now.get(key)} now: results will not be bit-identical.")
            load_state(self.engine, state.tensors, state.meta)
            self.time_s, self.saved_at = state.meta["time_s"], self.engine.samples
        elif init_from is not None:
            self._say(f"{initialise_from(self.engine.nets, init_from)} tensors taken over from {init_from}.")
        if self.world.leads:
            self.directory.cut_back(self.engine.samples)
        self.world.wait()

    def train(self) -> None:
        """Play rounds until the budget is spent."""
        engine, budget = self.engine, self.recipe.samples
        if engine.samples >= budget:
            self._say(f"{self.directory.path} is finished: {engine.samples:,} samples.")
            return
        started = last_save = time.monotonic()
        first_samples, before_s = engine.samples, self.time_s
        first_save = self.saved_at == NEVER
        with self._interruptible(), self._bar() as bar:
            while engine.samples < budget:
                round_started = time.monotonic()
                before = engine.samples
                engine.play_round()
                now = time.monotonic()
                self.time_s = before_s + now - started
                bar.update(engine.samples - before)
                rate = (engine.samples - first_samples) / (now - started)
                if engine.round % self.recipe.log_every == 0 or engine.samples >= budget:
                    self._log(bar, rate)
                if self._grid_due(before):
                    self._save_grid()
                wait_s = FIRST_CHECKPOINT_S - (now - round_started) if first_save else CHECKPOINT_S
                stop = self.world.anybody(self.interrupts > 0, engine.device)
                if stop or self._checkpoint_due(now - last_save, wait_s):
                    self._save_checkpoint()
                    last_save, first_save = time.monotonic(), False
                if stop:
                    raise Interrupted(f"Interrupted after {engine.samples:,} samples. Go on with --resume --out {self.directory.path}")
            self._save_grid()
            self._save_checkpoint()

    def _checkpoint_due(self, since_s: float, wait_s: float) -> bool:
        if self.recipe.checkpoint_every is not None:
            return self.engine.round % self.recipe.checkpoint_every == 0
        return self.world.agree(since_s >= wait_s, self.engine.device)

    def _grid_due(self, before: int) -> bool:
        """At a steady interval: every `sample_every` rounds, or 20 times in the budget."""
        if self.recipe.sample_every is not None:
            return self.engine.round % self.recipe.sample_every == 0
        step = max(1, self.recipe.samples // GRIDS)
        return self.engine.samples // step > before // step

    def _log(self, bar: tqdm[Any], rate: float) -> None:
        """Read the losses back and write them down."""
        self._stop_if_not_finite()
        losses = {name: round(float(loss), 6) for name, loss in self.engine.losses.items()}
        bar.set_postfix({name: f"{loss:.3f}" for name, loss in losses.items()}, refresh=False)
        if self.world.leads:
            clock = {"round": self.engine.round, "samples": self.engine.samples, "time_s": round(self.time_s, 3)}
            self.directory.log(clock | {"samples_per_s": round(rate, 1)} | losses)

    def _stop_if_not_finite(self) -> None:
        bad = int(self.engine.nonfinite_round)
        if bad != NEVER:
            kept, _ = checkpoints.newest(self.directory.checkpoints)
            good = f"The last good checkpoint is {kept}." if kept else "There is no checkpoint yet."
            raise RunFailed(
                f"The loss or a gradient was not finite in round {bad}, so training stopped. {good} Try a lower learning rate "
                "(--set game.D_opt.lr=1e-4), gradient clipping (--set game.G_opt.clip_norm=1) or --precision fp32."
            )

    def _save_checkpoint(self) -> None:
        if self.engine.samples == self.saved_at:
            return
        self._stop_if_not_finite()
        tensors, meta = save_state(self.engine)
        if self.world.leads:
            more = {"time_s": self.time_s, "environment": environment(self.engine)}
            checkpoints.write(self.directory.checkpoints, Checkpoint(tensors, meta | more))
        self.saved_at = self.engine.samples

    def _save_grid(self) -> None:
        if not self.world.leads:
            return
        x = fixed_samples(self.engine, GRID_SIZE)
        if is_pictures(x):
            save_grid(x, self.directory.samples_file(self.engine.samples))

    def _bar(self) -> tqdm[Any]:
        return tqdm(
            total=self.recipe.samples, initial=self.engine.samples, unit=" images", unit_scale=True, dynamic_ncols=True,
            smoothing=0.1, mininterval=0.5, desc=self.recipe.name, disable=not self.progress,
        )  # fmt: skip

    def _say(self, text: str) -> None:
        if self.world.leads:
            tqdm.write(text)

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """The first Ctrl-C (or SIGTERM) ends the round and saves; a second one ends at once."""

        def note(number: int, frame: FrameType | None) -> None:
            self.interrupts += 1
            if self.interrupts > 1:
                raise KeyboardInterrupt
            self._say("Stopping after this round; the checkpoint is being written. Ctrl-C again to stop without it.")

        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@torch.no_grad()
def fixed_samples(engine: Engine, num: int) -> torch.Tensor:
    """Samples of the same noise every time, made without leaving a trace in the training."""
    nets = Nets({name: engine.averages[name] if name in engine.averages else net for name, net in engine.nets.items()})
    devices = [engine.device] if engine.device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed_of(engine.recipe.seed, GRID_SIZE))
        tensors = {name: noise.draw(num, engine.device) for name, noise in engine.noises.items()}
        tensors |= {name: torch.tensor(float(v), device=engine.device) for name, v in engine.game.scalars(engine.samples).items()}
        nets.eval()
        try:
            return engine.game.sample(nets, Batch(tensors, engine.game.stage(engine.samples)))
        finally:
            engine.nets.train()
            engine.averages.train()


def environment(engine: Engine) -> dict[str, str | int]:
    """What must be the same for a resumed run to be bit-identical."""
    return {
        "processor": processor(engine.device),
        "device": engine.device.type,
        "precision": engine.precision,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "processes": engine.world.size,
        "ganskit": ganskit.__version__,
    }


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


def changed(recipe: Recipe, precision: str | None) -> Recipe:
    """The recipe with a precision given on the command line."""
    return recipe if precision is None else evolve(recipe, precision=precision)
