"""Frozen values to and from tables: what `--set`, TOML files and `use` have in common."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn

from ganskit.errors import UnknownName, UserError, nearest
from ganskit.registry import KINDS, Entry, Pluggable

T = TypeVar("T")
Table = dict[str, Any]


def kind_of(cls: type) -> str:
    """The registry's kind of a pluggable class: the kind whose base it derives from."""
    for base in cls.__mro__:
        if Pluggable in base.__bases__:
            return base.__name__.lower()
    raise TypeError(f"{cls} is not pluggable")


def use(name: str, /, kind: str | None = None, **options: object) -> Any:  # noqa: ANN401 - the entry's own class
    """The registered value called `name` with these options: `use("dcgan.generator", width=64)`.

    Give `kind` when two kinds have an entry of that name. Raises UnknownName or UserError, with the nearest name.
    """
    return _made(name, kind, options)


def _made(name: str, kind: str | None, options: Mapping[str, object]) -> Any:  # noqa: ANN401 - the entry's own class
    from ganskit.plugins import registry  # here, because the registry loads plugins

    kinds = [kind] if kind else [k for k in KINDS if k != "recipe"]
    found = [entry for k in kinds for entry in registry().entries(k) if entry.name == name]
    if len(found) > 1:
        raise UserError(f'"{name}" is a {" and a ".join(e.kind for e in found)}: write use("{name}", kind="{found[0].kind}").')
    if not found:
        known = [entry.name for k in kinds for entry in registry().entries(k)]
        raise UnknownName(f'There is no {kind or "entry"} "{name}". {nearest(name, known)}')
    return structure(_config_of(found[0]), options, name)


def _config_of(entry: Entry) -> type:
    cls = entry.load()
    if not (isinstance(cls, type) and attrs.has(cls) and issubclass(cls, Pluggable)):
        raise UserError(
            f'{entry.kind} "{entry.name}" from {entry.distribution} is registered as {entry.target}, which is not a '
            f"frozen attrs subclass of {entry.kind.capitalize()}."
        )
    return cls


def structure(cls: type[T], value: object, where: str) -> T:
    """`value` as a `cls`, with every type and key checked; `where` names it in errors.

    Raises UserError with one line for each thing that is wrong.
    """
    try:
        return converter().structure(value, cls)
    except UserError:
        raise
    except Exception as error:
        raise UserError("\n".join(_explain(error, where))) from error


def unstructure(value: object) -> Any:  # noqa: ANN401 - a table, list or scalar, as the value is
    """`value` as tables, lists and scalars that TOML can hold; fields that are None are left out."""
    return _without_none(converter().unstructure(value))


def field_types(cls: type) -> dict[str, Any]:
    """An attrs class's fields and their resolved types."""
    hints = get_type_hints(cls)
    for field in attrs.fields(cls):
        if field.name not in hints:
            raise UserError(f"{cls.__name__}.{field.name} has no type: write {field.name}: float = ..., or what it is.")
    return {field.alias: hints[field.name] for field in attrs.fields(cls) if field.init}


def _without_none(value: Any) -> Any:  # noqa: ANN401 - any tree
    if isinstance(value, Mapping):
        return {key: _without_none(each) for key, each in value.items() if each is not None}
    if isinstance(value, (list, tuple)):
        return [_without_none(each) for each in value]
    return value


@functools.cache
def converter() -> cattrs.Converter:
    """cattrs with our rules: no silent conversions, tagged tables for pluggable values."""
    made = cattrs.Converter(forbid_extra_keys=True, detailed_validation=True)
    for cls, words, accepts in _SCALARS:
        made.register_structure_hook(cls, functools.partial(_scalar, words=words, accepts=accepts))
    made.register_structure_hook_factory(attrs.has, _table_hook)
    made.register_structure_hook_factory(_is_tuple, _tuple_hook)
    made.register_structure_hook_factory(_is_mapping, _mapping_hook)
    made.register_structure_hook_factory(_is_pluggable, _pluggable_hook)
    made.register_unstructure_hook_factory(_is_pluggable, _untag_hook)
    return made


def _is_tuple(cls: Any) -> bool:  # noqa: ANN401 - any type
    return get_origin(cls) is tuple


def _is_mapping(cls: Any) -> bool:  # noqa: ANN401 - any type
    return get_origin(cls) in (dict, Mapping)


def _is_pluggable(cls: object) -> bool:
    return isinstance(cls, type) and issubclass(cls, Pluggable)


def _integral(value: object) -> bool:
    """1e6 is how people write a million, and TOML reads it as a float."""
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


_SCALARS: tuple[tuple[type, str, Callable[[object], bool]], ...] = (
    (int, "a whole number", lambda v: _integral(v) and not isinstance(v, bool)),
    (float, "a number", lambda v: isinstance(v, (int, float)) and not isinstance(v, bool)),
    (bool, "true or false", lambda v: isinstance(v, bool)),
    (str, "a text", lambda v: isinstance(v, str)),
)


def _scalar(value: object, cls: Callable[[Any], T], words: str, accepts: Callable[[object], bool]) -> T:
    if not accepts(value):
        raise ValueError(f"expected {words}, got {value!r}")
    return cls(value)


def _tuple_hook(cls: Any) -> Callable[[Any, Any], tuple[Any, ...]]:  # noqa: ANN401 - a generic alias
    inner = get_args(cls)

    def hook(value: Any, _: Any) -> tuple[Any, ...]:  # noqa: ANN401 - cattrs' signature
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"expected a list, got {value!r}")
        types = (inner[0],) * len(value) if inner[1:] == (...,) else inner
        if len(types) != len(value):
            raise ValueError(f"expected {len(types)} values, got {len(value)}")
        return tuple(converter().structure(each, t) for each, t in zip(value, types, strict=True))

    return hook


def _mapping_hook(cls: Any) -> Callable[[Any, Any], dict[str, Any]]:  # noqa: ANN401 - a generic alias
    inner = get_args(cls)[1]

    def hook(value: Any, _: Any) -> dict[str, Any]:  # noqa: ANN401 - cattrs' signature
        if not isinstance(value, Mapping):
            raise ValueError(f"expected a table, got {value!r}")
        return {str(key): structure(inner, each, str(key)) for key, each in value.items()}

    return hook


def _table_hook(cls: type) -> Callable[[Any, Any], Any]:
    """A table with a class's fields."""

    @functools.cache
    def plain() -> Any:  # noqa: ANN401 - cattrs' hook
        return make_dict_structure_fn(cls, converter(), _cattrs_forbid_extra_keys=True)

    def hook(value: Any, _: Any) -> Any:  # noqa: ANN401 - cattrs' signature
        if isinstance(value, cls):
            return value
        if not isinstance(value, Mapping):
            raise ValueError(f"expected a table with {', '.join(field_types(cls))}, got {value!r}")
        return plain()(value, cls)

    return hook


def _pluggable_hook(cls: type) -> Callable[[Any, Any], Any]:
    """A bare name or {use = name, ...} where a base class is asked for; a plain table for a class itself."""
    plain = _table_hook(cls)

    def hook(value: Any, _: Any) -> Any:  # noqa: ANN401 - cattrs' signature
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            value = {"use": value}
        if not isinstance(value, Mapping):
            raise ValueError(f"expected a name or a table, got {value!r}")
        if "use" not in value and Pluggable not in cls.__bases__:
            return plain(value, cls)
        name = value.get("use")
        if not isinstance(name, str):
            raise ValueError(f'expected a name, or a table with use = "NAME", got {value!r}')
        if ":" in name:
            raise UserError(
                f"{name} is not registered: a class without a name can be used from Python only, "
                "as with ganskit.load(RUN, recipe=...)."
            )
        made = _made(name, kind_of(cls), {key: each for key, each in value.items() if key != "use"})
        if not isinstance(made, cls):
            raise ValueError(f'"{name}" is a {type(made).__name__}, not a {cls.__name__}')
        return made

    return hook


def _untag_hook(cls: type) -> Callable[[Any], Any]:
    from ganskit.plugins import registry

    if not attrs.has(cls):
        return lambda value: converter().unstructure(value, type(value))

    @functools.cache
    def fields(exact: type) -> Callable[[Any], Table]:
        return make_dict_unstructure_fn(exact, converter())

    def hook(value: Any) -> Any:  # noqa: ANN401 - any pluggable value
        exact: type = type(value)
        name = registry().name_of(kind_of(exact), exact) or f"{exact.__module__}:{exact.__qualname__}"
        return {"use": name} | fields(exact)(value)

    return hook


def _explain(error: BaseException, where: str) -> list[str]:
    """Every leaf of cattrs' nested errors as `where.field: what is wrong`."""
    if isinstance(error, cattrs.ForbiddenExtraKeysError):
        known = field_types(error.cl) if attrs.has(error.cl) else {}
        return [f'{where} has no option "{key}". {nearest(key, known)}' for key in sorted(error.extra_fields)]
    if isinstance(error, (cattrs.ClassValidationError, cattrs.IterableValidationError)):
        lines = []
        with_notes, without = error.group_exceptions()
        for inner, note in with_notes:
            lines += _explain(inner, f"{where}.{getattr(note, 'name', getattr(note, 'index', ''))}")
        for inner in without:
            lines += _explain(inner, where)
        return lines
    if isinstance(error, UserError):
        return [f"{where}: {error}"]
    if isinstance(error, KeyError):
        return [f"{where}: {error.args[0]} is missing"]
    return [f"{where}: {error}"]
