"""The messages that pages quote (lines that begin with ">") and the texts in the code that make them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

QUOTED = re.compile(r"^ *> (.+)$", re.MULTILINE)
LEAST = 15
"""A text with fewer characters of its own, such as f"{a}: {b}", would match anything."""


def quoted(page: Path) -> list[str]:
    """The messages on a page."""
    return QUOTED.findall(page.read_text(encoding="utf-8"))


def patterns(files: Iterable[Path]) -> list[re.Pattern[str]]:
    """What each text in the sources can say: anything where it has a {value}; it may be cut off after a sentence."""
    return [_pattern(pieces) for file in files for pieces in _texts(file) if sum(map(len, pieces)) >= LEAST]


def _texts(file: Path) -> Iterator[list[str]]:
    """Every line of every string, as the pieces between its values."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        parts = node.values if isinstance(node, ast.JoinedStr) else [node] if isinstance(node, ast.Constant) else []
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in parts)
        yield from (line.split("\0") for line in text.splitlines())


def _pattern(pieces: list[str]) -> re.Pattern[str]:
    text = ".*".join(re.escape(piece) for piece in pieces)
    first, *more = re.split(r"(?<=\\\.)(?=\\ )", text)  # sentences
    return re.compile(first + "".join(f"(?:{sentence}" for sentence in more) + ")?" * len(more))
