"""Validators for the options of datasets: a wrong value is a UserError that names the option."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from ganskit.errors import UserError, nearest

Validator = Callable[[Any, "attrs.Attribute[Any]", Any], None]


def at_least(least: int) -> Validator:
    """The option is a whole number, `least` or more."""

    def validate(instance: object, option: attrs.Attribute[Any], value: int) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise UserError(f"{type(instance).__name__}: {option.name} is {value!r}, expected {least} or more.")

    return validate


def one_of(*known: str | int) -> Validator:
    """The option is one of a few values."""

    def validate(instance: object, option: attrs.Attribute[Any], value: str | int) -> None:
        if value not in known:
            choice = nearest(str(value), map(str, known))
            raise UserError(f"{type(instance).__name__}: {option.name} is {value!r}. {choice}")

    return validate
