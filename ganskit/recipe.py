"""A recipe: everything `ganskit run NAME` needs, as one frozen value that TOML can hold."""

from __future__ import annotations

import importlib.util
import os
import sys
import tomllib
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import attrs
from attrs import evolve, field, frozen
from attrs.validators import optional

from ganskit.claims import Claim
from ganskit.config import Table, field_types, structure, unstructure, use
from ganskit.data.dataset import Dataset
from ganskit.errors import UserError, nearest, one_line
from ganskit.evaluator import Evaluation, is_name
from ganskit.game import Architecture, Game
from ganskit.registry import Pluggable
from ganskit.validators import at_least

__all__ = ["Recipe", "evolve", "from_table", "named", "override", "read_toml", "to_table", "to_toml", "use"]

T = TypeVar("T")
PRECISIONS = ("auto", "fp32", "bf16")
COMPILE = ("auto", "off", "inductor", "aot_eager")
_NO_TOML = (ValueError, RecursionError)  # a number too long for Python and lists too deep are none, either


@frozen(kw_only=True)
class Recipe:
    """What is trained, on what, and for how long.

    `samples` is the budget in real samples dealt, over all turns and ranks; `batch_size` is global, too. `accumulate`
    splits each batch into that many micro-batches. `ema` is the decay per round of the moving average of the nets
    that a game marks for it. `log_every`, `sample_every` and `checkpoint_every` are in rounds (None: by time).
    `evaluations`, by name, are made in the course of training and at its end.
    """

    name: str
    game: Game
    nets: Mapping[str, Architecture]
    data: Dataset
    batch_size: int = field(default=128, validator=at_least(1))
    samples: int = field(validator=at_least(1))
    seed: int = 0
    precision: str = "auto"
    compile: str = "auto"
    accumulate: int = field(default=1, validator=at_least(1))
    ema: float | None = None
    checkpoint_every: int | None = field(default=None, validator=optional(at_least(1)))
    sample_every: int | None = field(default=None, validator=optional(at_least(1)))
    log_every: int = field(default=20, validator=at_least(1))
    evaluations: Mapping[str, Evaluation] = field(factory=dict)
    paper: str = ""
    claims: tuple[Claim, ...] = ()

    def __attrs_post_init__(self) -> None:
        for name, value, known in (("precision", self.precision, PRECISIONS), ("compile", self.compile, COMPILE)):
            if value not in known:
                raise UserError(f'{name} is "{value}". {nearest(value, known)}')
        if not self.name or not self.name.isprintable() or len(self.name) > 100:
            raise UserError(f"name is {self.name!r}: expected 1 to 100 printable characters, for it names the run's folder.")
        if self.batch_size % self.accumulate:
            raise UserError(f"batch_size {self.batch_size} does not split into accumulate = {self.accumulate} equal parts.")
        if self.ema is not None and not 0 <= self.ema < 1:
            raise UserError(f"ema is {self.ema}: expected a decay per round from 0 to below 1, such as 0.999.")
        for name in self.evaluations:
            if not is_name(name):
                raise UserError(f'An evaluation cannot be named "{name}": expected letters, digits, ".", "-" and "_".')
        if self.seed < 0:
            raise UserError(f"seed is {self.seed}: expected 0 or more.")


def named(name: str) -> Recipe:
    """A registered recipe by name. Raises UnknownName with the nearest one."""
    from ganskit.plugins import registry  # here, because the registry loads plugins

    return _returned(registry().find("recipe", name).load(), f'recipe "{name}"')


def _returned(function: Any, what: str) -> Recipe:  # noqa: ANN401 - whatever a plugin or a user's file has there
    try:
        recipe = function() if callable(function) else None
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        raise UserError(f"{what} raised {type(error).__name__}: {error}") from error
    if not isinstance(recipe, Recipe):
        raise UserError(f"{what} should be a function without arguments that returns a Recipe.")
    return recipe


def from_file(where: str) -> Recipe:
    """A recipe from "FILE.toml", or from "FILE.py:function", which runs that file."""
    path, _, function = where.rpartition(":") if ".py:" in where else (where, "", "")
    file = Path(path)
    if not file.is_file():
        raise UserError(f"There is no file {file}.")
    if file.suffix == ".toml":
        return read_toml(file)
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if not function or spec is None or spec.loader is None:
        raise UserError(f"{where}: expected NAME.toml, or FILE.py:function with the function that returns the Recipe.")
    module = importlib.util.module_from_spec(spec)
    # as `python FILE.py` would; worker processes find the file's classes in the same way
    sys.path.insert(0, str(file.parent.resolve()))
    sys.modules[file.stem] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        lines = [each.lineno for each in traceback.extract_tb(error.__traceback__) if each.filename == str(file)]
        where = f" (line {lines[-1]})" if lines else ""
        raise UserError(f"{file} cannot be run: {type(error).__name__}: {error}{where}") from error
    if not hasattr(module, function):
        raise UserError(f'{file} has no function "{function}". {nearest(function, [n for n in vars(module) if n[0] != "_"])}')
    return _returned(getattr(module, function), where)


def to_table(recipe: Recipe) -> Table:
    """The recipe as nested tables; pluggable values are tagged, `{"use": "r1", "weight": 3.0}`."""
    table: Table = unstructure(recipe)
    return table


def from_table(table: Table) -> Recipe:
    """The recipe that `to_table` wrote, or that a user edited. Raises UserError, naming each key that is wrong."""
    try:
        return structure(Recipe, {key: value for key, value in table.items() if key != "plugins"}, "recipe")
    except UserError as error:
        advice = _advice(table.get("plugins"))
        if not advice:
            raise
        raise UserError(f"{error}\n{advice}") from None


def _advice(recorded: object) -> str:
    """What to do about the distributions that a recipe was written with and that are not loaded here."""
    from ganskit.plugins import plugins

    found = {plugin.distribution: plugin for plugin in plugins()}
    lines = []
    for name, version in (recorded if isinstance(recorded, Mapping) else {}).items():
        if name not in found:
            limit = " GANSKIT_PLUGINS limits which plugins are loaded." if "GANSKIT_PLUGINS" in os.environ else ""
            lines.append(f"This recipe was written with {name} {version}, which is not here: pip install it.{limit}")
        elif found[name].broken:
            lines.append(
                f"This recipe was written with {name} {version}, and {found[name].title} is left out: {found[name].broken}"
            )
    return "\n".join(lines)


def to_toml(recipe: Recipe) -> str:
    """The recipe as TOML, with the versions of the distributions that it came from.

    Raises UserError for a text that is not Unicode, such as the odd name of a folder.
    """
    import tomli_w

    text = tomli_w.dumps(to_table(recipe) | {"plugins": versions(recipe)})
    try:
        text.encode()
    except UnicodeEncodeError as error:
        line = next(line for line in text.splitlines() if text[error.start] in line)
        raise UserError(f"TOML cannot hold this, because it is not Unicode; rename it: {line!r}") from None
    return text


def read_toml(file: Path) -> Recipe:
    """A recipe from a TOML file. Raises UserError, naming the file and each key that is wrong."""
    table = read_table(file)
    try:
        return from_table(table)
    except UserError as error:
        raise UserError(f"{file}: {error}") from None


def read_table(file: Path) -> Table:
    """The tables of a TOML file. Raises UserError with the line that cannot be read."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, *_NO_TOML) as error:
        raise UserError(f"{file} cannot be read: {error}. Correct it, or begin with: ganskit show RECIPE > FILE.toml") from error


def pluggables(recipe: Recipe | Pluggable) -> Iterator[Pluggable]:
    """Every value in the recipe, or in another value, that a plugin may have brought: the game, its loss, the nets, ..."""

    def walk(value: object) -> Iterator[Pluggable]:
        if isinstance(value, Mapping):
            value = list(value.values())
        if isinstance(value, (list, tuple)):
            for each in value:
                yield from walk(each)
        elif attrs.has(cls := type(value)):
            if isinstance(value, Pluggable):
                yield value
            yield from walk([getattr(value, name) for name in field_types(cls)])

    return walk(recipe)


def versions(recipe: Recipe | Pluggable) -> dict[str, str]:
    """Distribution and version of every registered value in the recipe, or in another value, and of the recipe itself."""
    from ganskit.plugins import registry

    targets = {f"{type(value).__module__}:{type(value).__qualname__}" for value in pluggables(recipe)}
    entries = registry().entries()
    name = recipe.name if isinstance(recipe, Recipe) else None
    ours = (e for e in entries if e.target in targets or (e.kind == "recipe" and e.name == name))
    return dict(sorted({e.distribution: e.version for e in ours}.items()))


def override(value: T, settings: Sequence[str]) -> T:
    """`value` with "path.to.field=text" applied in order: `override(recipe, ["batch_size=64", "game.loss=minimax"])`.

    The text is read as a TOML value, and as a bare text if it is none. Raises UserError with the nearest field.
    """
    for setting in settings:
        path, equals, text = setting.partition("=")
        if not equals or not path.strip():
            raise UserError(f"--set {setting}: expected key=value, such as --set batch_size=64 or --set game.loss=minimax.")
        value = replaced(value, path.strip(), _parse(text.strip()))
    return value


def replaced(value: T, path: str, new: object) -> T:
    """`value` with one field, at a dotted path, structured from `new`: a scalar, a list, a table or a registered name."""
    made: T = _replace(value, type(value), path.split("."), new, "")
    return made


def _parse(text: str) -> object:
    try:
        table = tomllib.loads(f"value = {text}")
    except _NO_TOML as error:
        if text[:1] in ("{", "["):  # what begins as a table or a list is no name
            raise UserError(
                f'{text} is no TOML: {one_line(error)}. Expected such as {{use = "name", size = 32}} or [1, 2].'
            ) from error
        return text
    return table["value"] if len(table) == 1 else text


def _replace(old: Any, cls: Any, path: list[str], value: object, where: str) -> Any:  # noqa: ANN401 - any part of a recipe
    if not path:
        return structure(cls, value, where)
    key, rest = path[0], path[1:]
    inside = f"{where}.{key}" if where else key
    if isinstance(old, Mapping):
        if key not in old and (rest or where != "evaluations"):  # of which there may be any number
            raise UserError(f'{where} has no "{key}". {nearest(key, old)}')
        return {**old, key: _replace(old.get(key), cls.__args__[1], rest, value, inside)}
    if isinstance(old, tuple) and key.isdecimal() and int(key) < len(old):
        return (*old[: int(key)], _replace(old[int(key)], cls.__args__[0], rest, value, inside), *old[int(key) + 1 :])
    if not attrs.has(type(old)):
        raise UserError(f'{where} is {old!r}: it has no "{key}" to set.')
    types = field_types(type(old))
    if key not in types:
        whole = "The recipe" if isinstance(old, Recipe) else type(old).__name__
        raise UserError(f'{where or whole} has no option "{key}". {nearest(key, types)}')
    return evolve(old, **{key: _replace(getattr(old, key), types[key], rest, value, inside)})
