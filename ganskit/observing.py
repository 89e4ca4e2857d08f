"""Telling plugins what happens in a run. They see it and cannot change it; one that raises is switched off."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from attrs import field, frozen

from ganskit.engine.device import restore_torch_settings, torch_settings
from ganskit.errors import UserError, one_line
from ganskit.recipe import Recipe


def _read_only(values: Mapping[str, float]) -> Mapping[str, float]:
    return MappingProxyType(dict(values))


@frozen
class RunView:
    """A run as observers see it, at one moment.

    `samples` is the clock: real samples dealt. `logged` are the losses (and samples_per_s) of this round, in rounds that are
    logged; `grid` is the picture of samples, in rounds that made one.
    """

    recipe: Recipe
    path: Path
    round: int
    samples: int
    time_s: float
    logged: Mapping[str, float] = field(factory=dict, converter=_read_only)
    grid: Path | None = None


class Observers:
    """The installed plugins that observe runs."""

    def __init__(self, recipe: Recipe, say: Callable[[str], None]) -> None:
        from ganskit.plugins import load  # here, because the registry loads plugins

        self.recipe = copy.deepcopy(recipe)  # which they may spoil
        self._say = say
        self._listening = list(load().observers)

    def __bool__(self) -> bool:
        return bool(self._listening)

    def tell(self, hook: str, **what: Any) -> None:  # noqa: ANN401 - whatever the hook takes
        """Call one hook of each observer. One that raises is switched off with one line, and the run goes on."""
        for observer in list(self._listening):
            plugin, hooks = observer
            before = torch_settings()
            try:
                getattr(hooks, hook)(**what)
                if changes := [name for name, value in torch_settings().items() if value != before[name]]:
                    raise UserError(f"nothing, but it changed torch's {', '.join(changes)}, which is put back")
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # a plugin may raise anything, even SystemExit
                self._listening.remove(observer)
                restore_torch_settings(before)
                self._say(f"Warning: {plugin.title} is switched off for this run: its {hook} raised {one_line(error)}")
