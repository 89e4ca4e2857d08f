"""The quick part of the kit without pytest: what `ganskit plugins check` says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from ganskit.config import use
from ganskit.conformance import checks, configs
from ganskit.conformance.tiny import tiny_recipe
from ganskit.conformance.watching import NotApplicable
from ganskit.errors import UserError, nearest, one_line
from ganskit.plugins import Plugin, plugins, registry
from ganskit.registry import Entry

T = TypeVar("T")


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
    entries = [e for e in registry().entries() if plugin.registers(e)]
    yield f"hooks: {', '.join(plugin.hooks)}; {len(entries)} entries", ""
    limit = "" if plugin.distribution == "ganskit" else plugin.name
    yield "listing imports no torch", _outcome(checks.lists_without_torch, limit)[1]
    for entry in entries:
        note, wrong = _outcome(_try, entry)
        yield f"{entry.kind} {entry.name}{note}", wrong


def _try(entry: Entry) -> None:
    """What can be seen of an entry in about a second."""
    configs.is_sound(entry)
    if entry.kind == "dataset":
        checks.deals(use(entry.name, "dataset", **entry.tiny), fresh=False)
    elif entry.kind == "evaluator":
        checks.evaluates(use(entry.name, "evaluator", **entry.tiny), tiny_recipe(entry))
    else:
        checks.plays(tiny_recipe(entry))


def _outcome(check: Callable[[T], None], subject: T) -> tuple[str, str]:
    """(a note, what is wrong or ""), in one line each; Ctrl-C goes on its way."""
    try:
        check(subject)
    except NotApplicable as why:
        return f" (not tried: {why})", ""
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a plugin may raise anything, even SystemExit
        return "", one_line(error)
    return "", ""
