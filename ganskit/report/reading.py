"""Reading JSON that may be damaged, or other than expected."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Troubles = list[str]
"""What could not be read, one line each: the file, and why."""
LARGEST = 1e300
"""Beyond it the difference of two numbers may be none that a plot can show."""


def table(of: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """What is under the key, if that is a table, else an empty one."""
    value = of.get(key)
    return value if isinstance(value, Mapping) else {}


def text(of: Mapping[str, Any], key: str) -> str:
    """What is under the key, if that is a text, else an empty one."""
    value = of.get(key)
    return value if isinstance(value, str) else ""


def finite(value: object) -> bool:
    """Whether it is a number that a plot can show."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST


def json_file(file: Path) -> Mapping[str, Any]:
    """A JSON object. Raises ValueError or OSError."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    if not isinstance(found, dict):
        raise ValueError("expected a JSON object")
    return found


def json_lines(file: Path, troubles: Troubles, whole: Callable[[Mapping[str, Any]], bool]) -> list[Mapping[str, Any]]:
    """The objects of a .jsonl file; lines that are not `whole` are counted as trouble."""
    if not file.exists():
        return []
    found: list[Mapping[str, Any]] = []
    lines = [line for line in file.read_text(encoding="utf-8", errors="replace").split("\n") if line.strip()]
    for line in lines:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and whole(value):
            found.append(value)
    if len(found) < len(lines):
        troubles.append(f"{file.name}: {len(lines) - len(found):,} of its {len(lines):,} lines are damaged")
    return found
