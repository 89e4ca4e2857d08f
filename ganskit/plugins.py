"""Loading plugins, each under guard: a broken one is a line of warning, never a dead command."""

from __future__ import annotations

import functools
import inspect
import sys
from contextlib import redirect_stdout
from importlib.metadata import version
from types import ModuleType

import click
import pluggy
from attrs import evolve, frozen

from ganskit import builtins, hookspecs
from ganskit.dcgan import plugin as dcgan
from ganskit.discovery import chosen
from ganskit.errors import UserError, nearest, one_line
from ganskit.patience import Patience
from ganskit.registry import Entry, Registry

BUILT_IN: tuple[ModuleType, ...] = (builtins, dcgan)
HOOKS = tuple(name for name in vars(hookspecs) if name.startswith("ganskit_"))


@frozen
class Plugin:
    """An entry point that was loaded. `broken` is the reason why nothing of it is there, or ""."""

    name: str
    distribution: str
    version: str
    hooks: tuple[str, ...] = ()
    broken: str = ""

    def registers(self, entry: Entry) -> bool:
        """Whether it is this plugin that brought the entry."""
        return (entry.plugin, entry.distribution) == (self.name, self.distribution)

    @property
    def title(self) -> str:
        """What messages call it: plugin "good" (good-gan 1.2)."""
        return f'plugin "{self.name}" ({self.distribution} {self.version})'


@frozen
class Loaded:
    """What there is: entries, the plugins in loading order, and the callers of those that observe runs."""

    registry: Registry
    plugins: tuple[Plugin, ...]
    observers: tuple[tuple[Plugin, pluggy.HookRelay], ...]


def registry() -> Registry:
    """Everything registered by the built-in set and the installed plugins; loaded once."""
    return load().registry


def plugins() -> tuple[Plugin, ...]:
    """What was found, in loading order: the built-in set, then entry points by name."""
    return load().plugins


@functools.cache
def load() -> Loaded:
    """Load the built-in set and the chosen plugins, once. What cannot be loaded is said on stderr and left out."""
    ours = Plugin("ganskit", "ganskit", version("ganskit"), ("ganskit_register",))
    found = Registry()
    for module in BUILT_IN:
        found, _ = _register(found, module, ours)
    results, observers = [ours], []
    points, warnings = chosen()
    for warning in warnings:
        click.echo(f"Warning: {warning}", err=True)
    with Patience() as patience:
        for point in points:
            plugin = Plugin(point.name, "?", "?")
            try:
                if point.dist:  # whose metadata may be missing, after an uninstall that was cut off
                    plugin = Plugin(point.name, point.dist.name, point.dist.version)
                if not point.pattern.match(point.value):
                    raise UserError(
                        f'its entry point leads to "{point.value}", which is no module, as in NAME = "package.module".'
                    )
                # what a plugin prints must not get into `ganskit show NAME > FILE`
                with patience.waiting_for(plugin.title), redirect_stdout(sys.stderr):
                    found, hooks = _register(found, point.load(), plugin)
                plugin = evolve(plugin, hooks=tuple(name for name in HOOKS if getattr(hooks, name).get_hookimpls()))
                if plugin.hooks != ("ganskit_register",):
                    observers.append((plugin, hooks))
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # whatever a plugin raises, SystemExit included, stays its own trouble
                plugin = evolve(plugin, broken=_reason(error))
                click.echo(f"Warning: {plugin.title} is left out: {plugin.broken}", err=True)
            results.append(plugin)
    return Loaded(found, tuple(results), tuple(observers))


def _register(found: Registry, module: object, plugin: Plugin) -> tuple[Registry, pluggy.HookRelay]:
    """Run one plugin's hook on a copy, so that one which fails half-way leaves nothing behind."""
    manager = pluggy.PluginManager("ganskit")
    manager.add_hookspecs(hookspecs)
    _check_hooks(manager, module)
    manager.register(module, plugin.name)
    manager.check_pending()
    if not manager.get_hookcallers(module):
        raise UserError(f"{plugin.name} implements no hook: mark ganskit_register with @ganskit.hookimpl.")
    child = found.collect(plugin.distribution, plugin.version, plugin.name)
    manager.hook.ganskit_register(registry=child)
    return child, manager.hook


def _check_hooks(manager: pluggy.PluginManager, module: object) -> None:
    """Raise UserError for a hook that this ganskit has not, or an argument that the hook has not."""
    for name in dir(module):
        if not name.startswith("ganskit_") or manager.parse_hookimpl_opts(module, name) is None:
            continue
        if name not in HOOKS:
            raise UserError(
                f"it implements the hook {name}, which ganskit {version('ganskit')} does not have. {nearest(name, HOOKS)} "
                "If it was made for a newer ganskit, upgrade ganskit."
            )
        known = inspect.signature(getattr(hookspecs, name)).parameters
        for argument in inspect.signature(getattr(module, name)).parameters.values():
            if argument.name not in known and argument.default is argument.empty:
                raise UserError(f"its {name} asks for {argument.name}, and the hook has only: {', '.join(known)}.")


def _reason(error: BaseException) -> str:
    """One line on why a plugin failed."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"it needs the module {error.name}, which is not installed."
    return one_line(error)
