"""attrs validators for options: a wrong value is a UserError that names the option."""

from __future__ import annotations

from ganskit.errors import UserError


def fraction(instance: object, attribute: object, value: float) -> None:
    """An attrs validator: from 0 to below 1."""
    if not 0 <= value < 1:
        raise UserError(f"{type(instance).__name__}.{getattr(attribute, 'name', '?')} is {value}: expected 0 to below 1.")


def not_negative(instance: object, attribute: object, value: float) -> None:
    """An attrs validator: zero or above."""
    if not value >= 0:
        raise UserError(f"{type(instance).__name__}.{getattr(attribute, 'name', '?')} is {value}: expected 0 or more.")


def positive(instance: object, attribute: object, value: float | None) -> None:
    """An attrs validator: above zero, or None."""
    if value is not None and not 0 < value < float("inf"):
        raise UserError(f"{type(instance).__name__}.{getattr(attribute, 'name', '?')} is {value}: expected a number above 0.")
