"""Losses, speed and sample grids of every run in RUN/tensorboard, for `tensorboard --logdir runs`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ganskit import hookimpl

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from ganskit import Result, RunView

FOLDER = "tensorboard"
_writers: dict[Path, SummaryWriter] = {}


@hookimpl
def ganskit_run_started(run: RunView) -> None:
    """Open the events of a run, and hide those that lie beyond its checkpoint."""
    from torch.utils.tensorboard import SummaryWriter  # here, because listing what is installed must not import torch

    _writers[run.path] = SummaryWriter(str(run.path / FOLDER), purge_step=run.samples + 1)


@hookimpl
def ganskit_round_ended(run: RunView) -> None:
    """Write what this round logged, and the grid of samples that it drew."""
    _write(run)


@hookimpl
def ganskit_checkpoint_saved(run: RunView, file: Path) -> None:
    """What was trained so far can be seen now."""
    _writers[run.path].flush()


@hookimpl
def ganskit_evaluated(run: RunView, name: str, result: Result) -> None:
    """Write the numbers of an evaluation, as NAME/NUMBER."""
    for number, value in result.numbers.items():
        _writers[run.path].add_scalar(f"{name}/{number}", value, run.samples)


@hookimpl
def ganskit_run_ended(run: RunView, outcome: str) -> None:
    """Write the last grid, and close."""
    _write(run)
    _writers.pop(run.path).close()


def _write(run: RunView) -> None:
    writer = _writers[run.path]
    for name, value in run.logged.items():
        writer.add_scalar(name.replace(".", "/"), value, run.samples)
    if run.grid is not None:
        import numpy as np
        from PIL import Image

        with Image.open(run.grid) as grid:
            writer.add_image("samples", np.asarray(grid.convert("RGB")), run.samples, dataformats="HWC")
