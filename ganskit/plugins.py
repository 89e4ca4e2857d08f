"""Finding plugins and loading each under guard: a broken one is a line of warning, never a dead command."""

from __future__ import annotations

import functools
import os
from importlib.metadata import EntryPoint, entry_points, version
from types import ModuleType

import click
import pluggy
from attrs import frozen

from ganskit import builtins, hookspecs
from ganskit.dcgan import plugin as dcgan
from ganskit.errors import UserError, nearest
from ganskit.registry import Registry

GROUP = "ganskit"
BUILT_IN: tuple[ModuleType, ...] = (builtins, dcgan)


@frozen
class Plugin:
    """An entry point that was loaded. `broken` is the reason why nothing of it is there, or ""."""

    name: str
    distribution: str
    version: str
    broken: str = ""


def registry() -> Registry:
    """Everything registered by the built-in set and the installed plugins; loaded once."""
    return _load()[0]


def plugins() -> tuple[Plugin, ...]:
    """What was found, in loading order: the built-in set, then entry points by name."""
    return _load()[1]


@functools.cache
def _load() -> tuple[Registry, tuple[Plugin, ...]]:
    found = Registry()
    ours = Plugin("ganskit", "ganskit", version("ganskit"))
    for module in BUILT_IN:
        found = _register(found, module, ours)
    results = [ours]
    for point in _chosen():
        plugin = Plugin(point.name, "?", "?")
        try:
            if point.dist:  # whose metadata may be missing, after an uninstall that was cut off
                plugin = Plugin(point.name, point.dist.name, point.dist.version)
            found = _register(found, point.load(), plugin)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # whatever a plugin raises, SystemExit included, stays its own trouble
            plugin = Plugin(plugin.name, plugin.distribution, plugin.version, _reason(error))
            whose = f"{plugin.distribution} {plugin.version}"
            click.echo(f'Warning: plugin "{plugin.name}" ({whose}) is left out: {plugin.broken}', err=True)
        results.append(plugin)
    return found, tuple(results)


def _register(found: Registry, module: object, plugin: Plugin) -> Registry:
    """Run one plugin's hook on a copy, so that one which fails half-way leaves nothing behind."""
    manager = pluggy.PluginManager("ganskit")
    manager.add_hookspecs(hookspecs)
    manager.register(module, plugin.name)
    manager.check_pending()
    if not manager.get_hookcallers(module):
        raise UserError(f"{plugin.name} implements no hook: mark ganskit_register with @ganskit.hookimpl.")
    child = found.collect(plugin.distribution, plugin.version)
    manager.hook.ganskit_register(registry=child)
    return child


def _chosen() -> list[EntryPoint]:
    """Installed entry points by name, each once, limited by GANSKIT_PLUGINS=a,b when that is set (empty: none)."""
    found = {(point.name, point.value): point for point in entry_points(group=GROUP)}
    points = [found[key] for key in sorted(found)]
    limit = os.environ.get("GANSKIT_PLUGINS")
    if limit is None:
        return points
    wanted = [name.strip() for name in limit.split(",") if name.strip()]
    names = [point.name for point in points]
    for name in wanted:
        if name not in names:
            raise UserError(f'GANSKIT_PLUGINS names "{name}", which is not installed. {nearest(name, names)}')
    return [point for point in points if point.name in wanted]


def _reason(error: BaseException) -> str:
    """One line on why a plugin failed."""
    text = " ".join(str(error).split())
    return text if isinstance(error, UserError) else f"{type(error).__name__}: {text}" if text else type(error).__name__
