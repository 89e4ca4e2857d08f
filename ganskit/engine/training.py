"""The loop around the engine: progress, metrics, sample grids, checkpoints, Ctrl-C."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import torch
from tqdm import tqdm

from ganskit.engine import checkpoint as checkpoints
from ganskit.engine.checkpoint import Checkpoint
from ganskit.engine.device import processor
from ganskit.engine.engine import NEVER, Engine
from ganskit.engine.rundir import RunDir
from ganskit.engine.sampling import fixed_samples
from ganskit.engine.state import load_state, save_state
from ganskit.errors import GanskitError, RunFailed, UserError
from ganskit.evaluator import Result
from ganskit.observing import Observers, RunView
from ganskit.pictures import is_pictures, save_grid
from ganskit.recipe import to_table, versions

FIRST_CHECKPOINT_S = 5.0
CHECKPOINT_S = 60.0
GRIDS = 20
"""So many sample grids in a run whose recipe does not say."""
GRID_SIZE = 64


class Interrupted(GanskitError):
    """Ctrl-C, after the checkpoint was written. Exit code 130."""

    exit_code = 130


class Evaluations(Protocol):
    """What is measured in the course of a training, by whoever knows how: see `ganskit.evaluate.during`."""

    def due(self, samples: int) -> list[str]:
        """The names of those to make now."""

    def make(self, name: str, checkpoint: Path, say: Callable[[str], None]) -> Result | None:
        """Make one, of this checkpoint."""

    def passed(self, name: str, samples: int) -> None:
        """It is not due again at once."""


class Training:
    """The loop around the engine: progress, metrics, sample grids, checkpoints, Ctrl-C."""

    evaluations: Evaluations | None = None

    def __init__(self, engine: Engine, directory: RunDir, data: str, progress: bool) -> None:
        self.engine, self.recipe, self.world = engine, engine.recipe, engine.world
        self.directory, self.data, self.progress = directory, data, progress
        self.observers = Observers(self.recipe, self.say) if self.world.leads else None
        self.time_s = 0.0
        self.saved_at = self.grid_at = NEVER
        self.interrupts = 0
        self.logged: dict[str, float] = {}
        self.grid: Path | None = None
        self.checkpoint: Path | None = None

    def restore(self) -> bool:
        """Load the newest whole checkpoint and return whether there is one; say what was damaged and what has changed.

        Raises UserError when there are checkpoints and none is whole: to start over is then for the user to decide.
        """
        folder = self.directory.checkpoints
        file, damaged = checkpoints.newest(folder)
        if damaged and file is None:
            raise UserError(
                f"None of the checkpoints in {folder} is whole: the .sha256 files beside them are missing, or differ from them. "
                "Put these back from a copy; or move the folder away to start over."
            )
        if file is not None:
            for bad in damaged:
                self.say(f"Warning: {bad} is damaged: its SHA-256 differs. Going on from {file.name}.")
            self._load(checkpoints.read(file))
            self.checkpoint = file
        if self.world.leads:
            for bad in damaged:
                checkpoints.put_aside(bad)
            self.directory.cut_back(self.engine.samples)
        self.world.wait()
        return file is not None

    def _load(self, state: Checkpoint) -> None:
        then, now = state.meta["environment"], environment(self.engine)
        self.directory.check_against(state.meta["recipe"], self.recipe)
        before = state.meta["data"]
        if before != self.data:
            raise UserError(
                f"{self.directory.path} was trained on other data: their digest was {before} and is {self.data} now. "
                "Give back the data it was trained on, or start a new run with another --out."
            )
        for key in (key for key in then if now.get(key) != then[key]):
            self.say(f"Warning: {key} was {then[key]} and is {now.get(key, 'not used')} now: results will not be bit-identical.")
        load_state(self.engine, state.tensors, state.meta)
        self.time_s, self.saved_at = state.meta["time_s"], self.engine.samples

    def train(self) -> None:
        """Play rounds until the budget is spent."""
        engine, budget = self.engine, self.recipe.samples
        if engine.samples >= budget:
            self.say(f"{self.directory.path} is finished: {engine.samples:,} samples.")
            if self._due():  # ones that were wished for afterwards
                with self._observed():
                    self._evaluate()
            return
        started = last_save = time.monotonic()
        first_samples, before_s = engine.samples, self.time_s
        first_save = True
        with self._interruptible(), self._observed(), self._bar() as bar:
            started += self._evaluate()  # what a kill or a new wish has left to do
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
                    self._report(bar, rate)
                self._tell("ganskit_round_ended")
                wait_s = FIRST_CHECKPOINT_S - (now - round_started) if first_save else CHECKPOINT_S
                stop = self.world.anybody(self.interrupts > 0)
                due = engine.samples < budget and self._due()
                if stop or due or self._checkpoint_due(now - last_save, wait_s):
                    self._save_checkpoint()
                    last_save, first_save = time.monotonic(), False
                if due and not stop:
                    started += self._evaluate()
                if stop:
                    again = f"--resume --out {self.directory.path}"
                    raise Interrupted(f"Interrupted after {engine.samples:,} samples. Go on with the same command and {again}")
            self._save_grid()
            self._save_checkpoint()
            self._evaluate()

    def _due(self) -> list[str]:
        return self.evaluations.due(self.engine.samples) if self.evaluations else []

    def _evaluate(self) -> float:
        """Make the evaluations that are due, on the newest checkpoint, which is of this moment; returns the seconds they took."""
        started = time.monotonic()
        for name in self._due():
            assert self.evaluations
            if self.world.leads and self.checkpoint:
                result = self.evaluations.make(name, self.checkpoint, self.say)
                if result is not None:
                    self._tell("ganskit_evaluated", name=name, result=result)
            self.evaluations.passed(name, self.engine.samples)
        self.world.wait()
        return time.monotonic() - started

    def _checkpoint_due(self, since_s: float, wait_s: float) -> bool:
        if self.recipe.checkpoint_every is not None:
            return self.engine.round % self.recipe.checkpoint_every == 0
        return self.world.agree(since_s >= wait_s)

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
            self.logged = {"samples_per_s": round(rate, 1)} | losses
            self.directory.log(clock | self.logged)

    def _stop_if_not_finite(self) -> None:
        bad = int(self.engine.nonfinite_round)
        if bad != NEVER:
            kept, _ = checkpoints.newest(self.directory.checkpoints)
            good = f"The last good checkpoint is {kept}." if kept else "There is no checkpoint yet."
            again = f"; --init-from {self.directory.path} takes over the weights of this one" if kept else ""
            raise RunFailed(
                f"The loss or a gradient was not finite in round {bad}, so training stopped. {good} Begin a new run with a "
                "lower learning rate (--set game.D_opt.lr=1e-4, or G_opt), gradient clipping (--set game.G_opt.clip_norm=1) "
                f"or --precision fp32{again}."
            )

    def _save_checkpoint(self) -> None:
        if self.engine.samples == self.saved_at:
            return
        self._stop_if_not_finite()
        tensors, meta = save_state(self.engine)
        if self.world.leads:
            about = {"recipe": to_table(self.recipe), "data": self.data, "environment": environment(self.engine)}
            state = Checkpoint(tensors, meta | about | {"time_s": self.time_s})
            self.checkpoint = checkpoints.write(self.directory.checkpoints, state)
            self._tell("ganskit_checkpoint_saved", file=self.checkpoint)
        self.saved_at = self.engine.samples

    def _save_grid(self) -> None:
        if not self.world.leads or self.grid_at == self.engine.samples:
            return
        self.grid_at = self.engine.samples
        x = fixed_samples(self.engine, GRID_SIZE)
        if is_pictures(x):
            self.grid = save_grid(x, self.directory.samples_file(self.engine.samples))

    def _tell(self, hook: str, **more: object) -> None:
        """Tell the observers, if there are any, and forget what was news to them."""
        if self.observers:
            clock = self.engine.round, self.engine.samples, self.time_s
            view = RunView(self.observers.recipe, self.directory.path, *clock, logged=self.logged, grid=self.grid)
            self.observers.tell(hook, run=view, **more)
        if hook == "ganskit_round_ended":
            self.logged, self.grid = {}, None

    @contextmanager
    def _observed(self) -> Iterator[None]:
        """From the observers' first hook to their last, however training ends."""
        outcome = "failed"
        self._tell("ganskit_run_started")
        try:
            yield
            outcome = "finished"
        except (Interrupted, KeyboardInterrupt):
            outcome = "interrupted"
            raise
        finally:
            self._tell("ganskit_run_ended", outcome=outcome)

    def _bar(self) -> tqdm[Any]:
        return tqdm(
            total=self.recipe.samples, initial=self.engine.samples, unit=" images", unit_scale=True, dynamic_ncols=True,
            smoothing=0.1, mininterval=0.5, desc=self.recipe.name, disable=None if self.progress else True,
        )  # fmt: skip

    def _report(self, bar: tqdm[Any], rate: float) -> None:
        """A line for logs that are no terminal, where a bar would only be noise."""
        if self.progress and bar.disable and self.world.leads:
            done, budget = self.engine.samples, self.recipe.samples
            left = tqdm.format_interval(max(budget - done, 0) / rate)
            self.say(f"{done:,} of {budget:,} samples, {rate:,.0f} images/s, {left} left")

    def say(self, text: str) -> None:
        if self.world.leads:
            tqdm.write(text)

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """The first Ctrl-C (or SIGTERM) ends the round and saves; a second one ends at once."""

        def note(number: int, frame: FrameType | None) -> None:
            self.interrupts += 1
            if self.interrupts > 1:
                raise KeyboardInterrupt
            self.say("Stopping after this round; the checkpoint is being written. Ctrl-C again to stop without it.")

        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def environment(engine: Engine) -> dict[str, str | int]:
    """What must be the same for a resumed run to be bit-identical."""
    return {
        "processor": processor(engine.device),
        "device": engine.device.type,
        "precision": engine.precision,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "processes": engine.world.size,
        "compile": engine.backend,
        **{f"plugin {name}": version for name, version in versions(engine.recipe).items()},
    }
