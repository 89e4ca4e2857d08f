"""Plugins as small distributions on the path."""

from __future__ import annotations

from pathlib import Path

HOOK = """
from ganskit import hookimpl

@hookimpl
def ganskit_register(registry):
"""


def install(folder: Path, name: str, code: str, target: str = "", metadata: bool = True) -> None:
    """A distribution with one module and one entry point, both of that name."""
    (folder / f"{name}.py").write_text(code)
    info = folder / f"{name}-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "entry_points.txt").write_text(f"[ganskit]\n{name} = {target or name}\n")
    if metadata:
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
