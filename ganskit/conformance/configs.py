"""Whether an entry is what a recipe needs: a frozen value whose options TOML can hold."""

from __future__ import annotations

import tomllib
from typing import Any

import attrs
import numpy as np
import tomli_w
import torch

import ganskit
from ganskit.config import field_types, structure, unstructure, use
from ganskit.conformance.watching import Failed
from ganskit.errors import UserError
from ganskit.recipe import from_table, named, to_toml
from ganskit.registry import Entry

MUTABLE = (list, dict, set, bytearray, torch.Tensor, np.ndarray)


def is_sound(entry: Entry) -> None:
    """The target can be imported, is of its kind, and has options that survive TOML. Raises Failed or UserError."""
    if not entry.summary.strip():
        raise Failed("It has no summary: say where it comes from, as in registry.loss(NAME, TARGET, 'Author Year, eq. 3').")
    if entry.kind == "recipe":
        recipe = named(entry.name)
        _same_after_toml(recipe, lambda text: from_table(tomllib.loads(text)), to_toml(recipe))
        return
    cls = entry.load()
    base = getattr(ganskit, entry.kind.capitalize())
    if not (isinstance(cls, type) and issubclass(cls, base)):
        raise Failed(f"{entry.target} is not a subclass of ganskit.{base.__name__}.")
    if not attrs.has(cls) or "__attrs_attrs__" not in vars(cls):
        raise Failed(f"{cls.__name__} is not marked with attrs' @frozen, so its options are unknown.")
    if not _is_frozen(cls):
        raise Failed(f"{cls.__name__} can be changed after it was made: mark it with attrs' @frozen instead of @define.")
    _check_fields(cls)
    value = use(entry.name, entry.kind, **entry.tiny)
    text = tomli_w.dumps({"value": unstructure(value)})
    _same_after_toml(value, lambda text: structure(base, tomllib.loads(text)["value"], entry.name), text)


def _is_frozen(cls: type) -> bool:
    return "frozen" in getattr(cls.__setattr__, "__name__", "")  # attrs tells it in no other way before 25.4


def _check_fields(cls: Any) -> None:  # noqa: ANN401 - an attrs class
    """Every option has a type, and a default that cannot change and that TOML can hold."""
    try:
        types = field_types(cls)
    except Exception as error:  # a type that does not exist, say
        raise Failed(f"The types of {cls.__name__}'s options cannot be resolved: {error}.") from error
    for field in attrs.fields(cls):
        if field.default is attrs.NOTHING:
            continue
        default = field.default
        if isinstance(default, attrs.Factory):  # type: ignore[arg-type]  # a class, though typed as a function
            default = default.factory() if not default.takes_self else None
        option = f"{cls.__name__}.{field.alias or field.name}"
        if isinstance(default, MUTABLE):
            raise Failed(
                f"{option} has the mutable default {default!r}; a recipe's values never change: use a tuple, or a frozen class. "
                "(State belongs in nets.)"
            )
        if default is None or not field.init:
            continue
        try:
            tomli_w.dumps({"value": unstructure(default)})
            structure(types[field.alias], unstructure(default), option)
        except UserError as error:
            raise Failed(f"{option} has the default {default!r}, which is not of its type: {error}") from error
        except Exception as error:  # whatever cattrs and tomli_w make of it
            raise Failed(
                f"{option} has the default {default!r}, which a recipe cannot hold ({error}): numbers, texts, booleans, tuples "
                "and frozen attrs classes can be written as TOML."
            ) from error


def _same_after_toml(value: object, read: Any, text: str) -> None:  # noqa: ANN401 - any reader
    try:
        again = read(text)
    except UserError as error:
        raise Failed(f"Written as TOML and read back it is refused: {error}") from error
    if again != value:
        raise Failed(f"Written as TOML and read back it is another: {value!r} and {again!r}.")
