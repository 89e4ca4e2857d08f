"""The hooks a plugin can implement. Signatures are a promise: they change only with a new hook name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from ganskit.evaluator import Result
    from ganskit.observing import RunView
    from ganskit.registry import Registry

hookspec = pluggy.HookspecMarker("ganskit")
hookimpl = pluggy.HookimplMarker("ganskit")


@hookspec
def ganskit_register(registry: Registry) -> None:
    """Register names: `registry.loss("my-loss", "my_package.losses:MyLoss", "Author Year, eq. 3")`.

    Give import strings, never classes: listing what is installed must not import torch.
    """


@hookspec
def ganskit_run_started(run: RunView) -> None:
    """A run begins, or goes on: `run.samples` is then what its checkpoint had, and whatever you wrote later is void."""


@hookspec
def ganskit_round_ended(run: RunView) -> None:
    """All turns of a round were played. `run.logged` has the losses in rounds that are logged, and is empty in others.

    Called in every round, so be quick.
    """


@hookspec
def ganskit_checkpoint_saved(run: RunView, file: Path) -> None:
    """A checkpoint was written, whole, to `file`."""


@hookspec
def ganskit_evaluated(run: RunView, name: str, result: Result) -> None:
    """The evaluation `name` of the recipe was made in training, or at its end."""


@hookspec
def ganskit_run_ended(run: RunView, outcome: str) -> None:
    """Training stopped; `outcome` is "finished", "interrupted" or "failed"."""
