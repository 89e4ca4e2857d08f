"""What has been registered, by kind and name. Holds import strings, so that listing imports nothing."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from attrs import field, frozen

from ganskit.errors import UnknownKind, UnknownName, UserError, nearest

KINDS = ("architecture", "loss", "penalty", "view", "optimizer", "game", "dataset", "evaluator", "recipe")

FORBIDDEN = "\n\t =[]{}\"'/\\:"
"""What no name has: it stands in TOML, on command lines, and as the name of a folder."""

Options = Mapping[str, Any] | None


class Pluggable:
    """Base of every value that a recipe refers to by name: a frozen attrs class whose fields are its options."""

    @property
    def couples_batch(self) -> bool:
        """Whether micro-batches do not add up to the whole batch.

        So it is when what is computed for one sample depends on the others (batch normalisation, relativistic averages), or when
        every forward pass changes something (power iteration). Say `couples_batch = True`, or override it with a property.
        """
        return False


@frozen
class Entry:
    """One registered name. `target` is an import string, "package.module:attribute".

    With the options `tiny` the entry can be tried in a second; for a recipe they are settings, {"nets.G.width": 4}. `within` is
    the recipe in which it is then tried, where the general one does not suit.
    """

    kind: str
    name: str
    target: str
    summary: str = ""
    tiny: Mapping[str, Any] = field(factory=dict)
    within: str = ""
    distribution: str = ""
    version: str = ""
    plugin: str = ""

    def load(self) -> Any:  # noqa: ANN401 - a class or a recipe function, by kind
        """Import the target.

        Raises UserError, naming the entry and its distribution, when it cannot be imported.
        """
        module, _, attribute = self.target.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a plugin may raise anything, even SystemExit
            raise UserError(
                f'{self.kind} "{self.name}" from {self.distribution} cannot be loaded: '
                f"{self.target} raised {type(error).__name__}: {error}. Upgrade or uninstall {self.distribution}."
            ) from error


class Registry:
    """Entries by kind and name; the object that `ganskit_register(registry)` receives."""

    def __init__(self) -> None:
        self._entries: dict[str, dict[str, Entry]] = {kind: {} for kind in KINDS}
        self._source = ("", "", "")

    def architecture(self, name: str, target: str, summary: str = "", tiny: Options = None, within: str = "") -> None:
        """Register a net: a subclass of `Architecture`."""
        self._add("architecture", name, target, summary, tiny, within)

    def loss(self, name: str, target: str, summary: str = "", tiny: Options = None, within: str = "") -> None:
        """Register a subclass of `Loss`."""
        self._add("loss", name, target, summary, tiny, within)

    def penalty(self, name: str, target: str, summary: str = "", tiny: Options = None, within: str = "") -> None:
        """Register a subclass of `Penalty`."""
        self._add("penalty", name, target, summary, tiny, within)

    def view(self, name: str, target: str, summary: str = "", tiny: Options = None, within: str = "") -> None:
        """Register a subclass of `View`."""
        self._add("view", name, target, summary, tiny, within)

    def optimizer(self, name: str, target: str, summary: str = "", tiny: Options = None, within: str = "") -> None:
        """Register a subclass of `Optimizer`."""
        self._add("optimizer", name, target, summary, tiny, within)

    def game(self, name: str, target: str, summary: str = "", tiny: Options = None, within: str = "") -> None:
        """Register a subclass of `Game`."""
        self._add("game", name, target, summary, tiny, within)

    def dataset(self, name: str, target: str, summary: str = "", tiny: Options = None, within: str = "") -> None:
        """Register a subclass of `Dataset`."""
        self._add("dataset", name, target, summary, tiny, within)

    def evaluator(self, name: str, target: str, summary: str = "", tiny: Options = None, within: str = "") -> None:
        """Register a subclass of `Evaluator`."""
        self._add("evaluator", name, target, summary, tiny, within)

    def recipe(self, name: str, target: str, summary: str = "", tiny: Options = None, within: str = "") -> None:
        """Register a function without arguments that returns a `Recipe`."""
        self._add("recipe", name, target, summary, tiny, within)

    def _add(self, kind: str, name: str, target: str, summary: str, tiny: Options, within: str) -> None:
        distribution, version, plugin = self._source
        if not isinstance(name, str) or not name or name != name.strip() or any(c in name for c in FORBIDDEN):
            raise UserError(f"{distribution} registers a {kind} under {name!r}: a name is one word, like my-loss.")
        if not isinstance(target, str) or target.count(":") != 1:
            raise UserError(f'{distribution} registers {kind} "{name}" as {target!r}, not as "package.module:attribute".')
        taken = self._entries[kind].get(name)
        if taken and taken.distribution == distribution:
            raise UserError(f'{distribution} registers {kind} "{name}" twice. It should give one of them another name.')
        if taken and taken.distribution == "ganskit":
            raise UserError(
                f'{kind} "{name}" is registered by both ganskit and {distribution}. {distribution} has to give it another '
                f"name, such as {distribution}.{name}."
            )
        if taken:
            raise UserError(
                f'{kind} "{name}" is registered by both {taken.distribution} and {distribution}. Uninstall one of '
                "them, or name the plugins to load in GANSKIT_PLUGINS."
            )
        self._entries[kind][name] = Entry(kind, name, target, summary, dict(tiny or {}), within, distribution, version, plugin)

    def __getattr__(self, kind: str) -> NoReturn:
        raise UnknownKind(f'There is no kind "{kind}" to register. {nearest(kind, KINDS)}')

    def collect(self, distribution: str, version: str, plugin: str) -> Registry:
        """A copy for one plugin to register into; it takes this one's place when the plugin did not fail."""
        child = Registry()
        child._entries = {kind: dict(entries) for kind, entries in self._entries.items()}
        child._source = (distribution, version, plugin)
        return child

    def entries(self, kind: str | None = None) -> Iterator[Entry]:
        """All entries of one kind, or of all, by name."""
        for each in KINDS if kind is None else (kind,):
            yield from (entry for _, entry in sorted(self._entries[each].items()))

    def find(self, kind: str, name: str) -> Entry:
        """The entry, or UnknownName with the nearest one."""
        try:
            return self._entries[kind][name]
        except KeyError:
            raise UnknownName(f'There is no {kind} "{name}". {nearest(name, self._entries[kind])}') from None

    def name_of(self, kind: str, cls: type) -> str | None:
        """The name under which a class is registered, or None."""
        target = f"{cls.__module__}:{cls.__qualname__}"
        return next((entry.name for entry in self._entries[kind].values() if entry.target == target), None)
