"""The code blocks of a page that are files (```python title="src/..."), and the commands whose output it shows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

TITLED = re.compile(r'^```\w+ title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)
ANSWERED = re.compile(r"^```sh\n([^`]+?)\n```\n+```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = re.compile(r"\b\d+\.\d+s\b")


def files(pages: Iterable[Path]) -> dict[str, str]:
    """The text of every file by its path; blocks of one path are parts of it, in this order."""
    parts: dict[str, list[str]] = {}
    for page in pages:
        for path, text in TITLED.findall(page.read_text(encoding="utf-8")):
            parts.setdefault(path, []).append(text)
    return {path: "\n\n".join(texts) for path, texts in parts.items()}


def answers(page: Path) -> dict[str, list[str]]:
    """The commands of a page that are followed by their output, and its lines; "..." stands for any others."""
    found = ANSWERED.findall(page.read_text(encoding="utf-8"))
    return {command: [line for line in text.splitlines() if line.strip() not in ("", "...")] for command, text in found}


def missing(expected: list[str], said: str) -> list[str]:
    """The expected lines that were not said; seconds may differ."""
    there = {SECONDS.sub("?", line.strip()) for line in said.splitlines()}
    return [line for line in expected if SECONDS.sub("?", line.strip()) not in there]
