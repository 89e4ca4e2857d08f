"""The quick part of the kit without pytest: what `ganskit plugins check` says."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ganskit.config import use
from ganskit.errors import GanskitError, UserError, nearest
from ganskit.plugins import Plugin, plugins, registry
from ganskit.registry import Entry
from ganskit.testing import checks, configs
from ganskit.testing.tiny import tiny_recipe
from ganskit.testing.watching import Failed, NotApplicable


def check_plugins(name: str | None, say: Callable[[str], None]) -> int:
    """Check the plugin or distribution `name`, or all, saying a line for each entry; returns how many things failed.

    Raises UserError when there is no such plugin.
    """
    chosen = [plugin for plugin in plugins() if name in (None, plugin.name, plugin.distribution)]
    if not chosen:
        known = {each for plugin in plugins() for each in (plugin.name, plugin.distribution)}
        raise UserError(f'There is no plugin "{name}". {nearest(str(name), known)}')
    failures = 0
    for plugin in chosen:
        say(f"{plugin.name}  {plugin.distribution} {plugin.version}")
        for what, wrong in _findings(plugin):
            failures += bool(wrong)
            say(f"  {'FAILED' if wrong else 'ok':<8}{what}{f': {wrong}' if wrong else ''}")
    return failures


def _findings(plugin: Plugin) -> Iterator[tuple[str, str]]:
    """(what was checked, what is wrong with it or "")."""
    if plugin.broken:
        yield "loading", plugin.broken
        return
    entries = [e for e in registry().entries() if (e.plugin, e.distribution) == (plugin.name, plugin.distribution)]
    yield f"hooks: {', '.join(plugin.hooks)}; {len(entries)} entries", ""
    yield "listing imports no torch", _said(checks.lists_without_torch)
    for entry in entries:
        notes = ""
        wrong = _said(configs.is_sound, entry)
        if not wrong:
            try:
                _try(entry)
            except NotApplicable as why:
                notes = f" (not tried: {why})"
            except BaseException as error:
                wrong = _line(error)
        yield f"{entry.kind} {entry.name}{notes}", wrong


def _try(entry: Entry) -> None:
    """What can be seen of an entry in about a second."""
    if entry.kind == "dataset":
        checks.deals(use(entry.name, "dataset", **entry.tiny), fresh=False)
    elif entry.kind == "evaluator":
        checks.evaluates(use(entry.name, "evaluator", **entry.tiny), tiny_recipe(entry))
    else:
        checks.plays(tiny_recipe(entry))


def _said(check: Callable[..., None], *arguments: object) -> str:
    try:
        check(*arguments)
    except BaseException as error:
        return _line(error)
    return ""


def _line(error: BaseException) -> str:
    """What went wrong, in one line; Ctrl-C goes on its way."""
    if isinstance(error, KeyboardInterrupt):
        raise error
    text = " ".join(str(error).split())
    return text if isinstance(error, (Failed, GanskitError)) else f"it raised {type(error).__name__}: {text}"
