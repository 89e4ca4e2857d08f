"""Runs the conformance kit over ganskit and the plugins beside it, and writes docs/plugins/entries.md: what passed.

    python docs/tools/entries_page.py          takes some minutes

Plugins that are not installed are left out. Nothing is written when something fails.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from ganskit.plugins import registry

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "plugins" / "entries.md"
REASON = re.compile(r"^- (\w+) (\S+), ([\w-]+): (.*)$", re.MULTILINE)
TEST = """
from ganskit.testing import Conformance

class TestConformance(Conformance):
    distribution = "{}"
"""
INTRODUCTION = """# What was checked

<!-- Made by docs/tools/entries_page.py from what the conformance kit found. -->

Every entry of ganskit and of the plugins in its repository, and what the [conformance kit](conformance.md#the-checks) found.
✓: passed; n/a: says nothing about this entry, for the reason below; empty: not for this kind. To make this page anew, run
`python docs/tools/entries_page.py`, which calls `pytest --ganskit-table`.
"""


def distributions() -> list[str]:
    """ganskit, and what in plugins/ is installed and registers something."""
    beside = {folder.name for folder in ROOT.glob("plugins/*")}
    return ["ganskit", *sorted(beside & {entry.distribution for entry in registry().entries()})]


def table(distribution: str) -> str:
    """What `pytest --ganskit-table` writes, the slow checks included. Raises SystemExit when something fails."""
    with tempfile.TemporaryDirectory() as out:
        file = Path(out) / "table.md"
        test = ROOT / "tests" / "test_conformance.py"
        if distribution != "ganskit":
            test = Path(out) / "test_conformance.py"
            test.write_text(TEST.format(distribution), encoding="utf-8")
        words = ["-m", "pytest", str(test), "-m", "", "-p", "ganskit.testing", "-n", "0", f"--ganskit-table={file}"]
        done = subprocess.run([sys.executable, *words], cwd=test.parent, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=False)
        if done.returncode:
            sys.exit(f"{distribution} does not pass: the page stays as it is.")
        return file.read_text(encoding="utf-8")


def section(text: str) -> str:
    """A table with the entries of one reason together."""
    rows, _, reasons = text.partition("\nNot applicable (n/a):\n")
    entries: dict[tuple[str, str], list[str]] = {}
    for kind, name, check, why in REASON.findall(reasons):
        entries.setdefault((check, why), []).append(f"{kind} `{name}`")
    lines = [f"- {check}: {why} ({', '.join(names)})" for (check, why), names in entries.items()]
    return rows.strip() + "\n" + ("\nNot applicable:\n\n" + "\n".join(lines) + "\n" if lines else "")


def page(tables: dict[str, str]) -> str:
    """The page for these tables by distribution."""
    return INTRODUCTION + "".join(f"\n## {name}\n\n{section(text)}" for name, text in tables.items())


if __name__ == "__main__":
    PAGE.write_text(page({name: table(name) for name in distributions()}), encoding="utf-8")
