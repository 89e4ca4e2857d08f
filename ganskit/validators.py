"""attrs validators for options: a wrong value is a UserError that names the option."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from ganskit.errors import UserError, nearest

Validator = Callable[[Any, "attrs.Attribute[Any]", Any], None]


def fraction(instance: object, attribute: object, value: float) -> None:
    """An attrs validator: from 0 to below 1."""
    if not 0 <= value < 1:
        raise UserError(f"{type(instance).__name__}.{getattr(attribute, 'name', '?')} is {value}: expected 0 to below 1.")


def not_negative(instance: object, attribute: object, value: float) -> None:
    """An attrs validator: zero or above."""
    if not 0 <= value < float("inf"):
        raise UserError(
            f"{type(instance).__name__}.{getattr(attribute, 'name', '?')} is {value}: expected a finite number, 0 or more."
        )


def positive(instance: object, attribute: object, value: float | None) -> None:
    """An attrs validator: above zero, or None."""
    if value is not None and not 0 < value < float("inf"):
        raise UserError(
            f"{type(instance).__name__}.{getattr(attribute, 'name', '?')} is {value}: expected a finite number above 0."
        )


def not_empty(instance: object, attribute: object, value: Any) -> None:  # noqa: ANN401 - whatever has a length
    """An attrs validator: one or more of them."""
    if not value:
        raise UserError(f"{type(instance).__name__}.{getattr(attribute, 'name', '?')} is empty: expected one or more.")


def at_least(least: int) -> Validator:
    """An attrs validator: a whole number, `least` or more."""

    def validate(instance: object, option: attrs.Attribute[Any], value: int) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise UserError(f"{type(instance).__name__}: {option.name} is {value!r}, expected a whole number, {least} or more.")

    return validate


def random_seed(instance: object, option: attrs.Attribute[Any], value: int) -> None:
    """An attrs validator: a seed that NumPy's and torch's generators take, a whole number of 32 bits."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**32:
        raise UserError(
            f"{type(instance).__name__}: {option.name} is {value!r}, expected a whole number from 0 to {2**32 - 1:,}."
        )


def one_of(*known: str | int) -> Validator:
    """An attrs validator: one of a few values."""

    def validate(instance: object, option: attrs.Attribute[Any], value: str | int) -> None:
        if value not in known:
            choice = nearest(str(value), map(str, known))
            raise UserError(f"{type(instance).__name__}: {option.name} is {value!r}. {choice}")

    return validate
