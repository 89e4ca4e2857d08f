"""How values are written on a page: numbers, times, options, tables."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

MISSING = "—"
MANY_ROWS = 200
"""A longer table is shown as JSON, in a box that scrolls."""


def number(value: object) -> str:
    """A value in a table: 1,234,567 or 0.1235; four significant digits, and all digits before the point."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return MISSING
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, float):
        return value if isinstance(value, str) else json.dumps(value)
    if not math.isfinite(value):
        return str(value)
    if value.is_integer() and abs(value) < 1e15:
        return f"{value:,.0f}"
    if 1000 <= abs(value) < 1e15:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def counted(name: str, value: object) -> object:
    """The value under this name; of a seed, which counts nothing, the digits without commas."""
    return str(value) if isinstance(value, int) and (name == "seed" or name.endswith("_seed")) else value


def duration(time_s: float) -> str:
    """A time as people say it: "42 s", "3 min 05 s", "35 min", "2 h 07 min"."""
    if time_s < 10:
        return f"{time_s:.2g} s"
    whole = round(time_s)
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        return f"{whole // 60} min {whole % 60:02} s"
    minutes = round(time_s / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60:,} h {minutes % 60:02} min"


def short(value: object) -> str:
    """A part of a recipe in a few words: {"use": "adam", "lr": 0.0002} is "adam (lr 0.0002)"."""
    if isinstance(value, Mapping):
        said = {key: counted(key, each) for key, each in value.items() if key != "use" and each not in ([], {}, "")}
        options = ", ".join(f"{key} {short(each)}" for key, each in said.items())
        name = str(value.get("use", ""))
        return f"{name} ({options})" if name and options else name or options or "none"
    if isinstance(value, list):
        return ", ".join(short(each) for each in value) or "none"
    return number(value)


def leaves(table: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in nested tables, with its dotted key; lists are values."""
    for key, value in table.items():
        path = f"{where}.{key}" if where else str(key)
        if isinstance(value, Mapping):
            yield from leaves(value, path)
        else:
            yield path, value


@frozen
class Table:
    """A table to be shown: the names of the columns (none: of no interest), and rows of as many values."""

    head: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def as_table(value: object) -> Table | None:
    """JSON as a table, where it is one: scalars by name, a list of alike rows, or rows by name. None where it is not."""
    if isinstance(value, Mapping):
        if _scalars(value.values()):
            return _table((), [(name, counted(name, each)) for name, each in value.items()])
        rows = list(value.values())
        if columns := _columns(rows):
            return _table(("", *columns), [(name, *(counted(c, row[c]) for c in columns)) for name, row in value.items()])
    elif isinstance(value, list) and (columns := _columns(value)):
        return _table(columns, [tuple(counted(c, row[c]) for c in columns) for row in value])
    return None


def _columns(rows: list[Any]) -> tuple[str, ...]:
    """The keys that all rows have, if all have the same and only scalars under them."""
    if not rows or not all(isinstance(row, Mapping) and row and _scalars(row.values()) for row in rows):
        return ()
    return tuple(rows[0]) if all(row.keys() == rows[0].keys() for row in rows) else ()


def _scalars(values: Any) -> bool:  # noqa: ANN401 - whatever JSON holds
    return all(not isinstance(each, (Mapping, list)) for each in values)


def _table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Table | None:
    return Table(head, tuple(rows)) if len(rows) <= MANY_ROWS else None
