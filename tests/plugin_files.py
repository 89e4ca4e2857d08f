"""Plugins as small distributions on the path."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HOOK = """
from ganskit import hookimpl

@hookimpl
def ganskit_register(registry):
"""
GOOD = f'{HOOK}    registry.loss("good-loss", "nowhere:Loss", "Somebody 2020, eq. 1")\n'
LEFT = '    registry.loss("left-behind", "nowhere:Loss")\n'

BROKEN = {
    "raises": ("raise RuntimeError('first line\\nsecond line')", "RuntimeError: first line second line"),
    "raises without a text": ("raise RuntimeError", "RuntimeError"),
    "exits": ("import sys; sys.exit('goodbye')", "SystemExit: goodbye"),
    "asks to stop": ("raise BaseException('stop')", "BaseException: stop"),
    "lacks a package": (
        "import package_that_is_not_there",
        "it needs the module package_that_is_not_there, which is not installed",
    ),
    "is no Python": ("def", "SyntaxError"),
    "fails in its hook": (f"{HOOK}{LEFT}    1 / 0\n", "ZeroDivisionError"),
    "takes a plugin's name": (
        f'{HOOK}{LEFT}    registry.loss("good-loss", "a:B")',
        'loss "good-loss" is registered by both good and whole',
    ),
    "takes a built-in name": (
        f'{HOOK}{LEFT}    registry.recipe("dcgan-lsun", "a:B")',
        '"dcgan-lsun" is registered by both ganskit and whole',
    ),
    "takes its own name": (
        f'{HOOK}{LEFT}    registry.loss("left-behind", "a:B")',
        'whole registers loss "left-behind" twice',
    ),
    "asks for too much": (GOOD.replace("(registry)", "(registry, trainer)"), "trainer"),
    "implements an unknown hook": (GOOD.replace("_register", "_registr"), "ganskit_registr"),
    "has no hook": ("", "implements no hook"),
    "forgets the marker": (GOOD.replace("@hookimpl", ""), "implements no hook"),
    "gives a class": (f'{HOOK}{LEFT}    registry.loss("l", Registry)\n', "NameError"),
    "gives half a target": (f'{HOOK}{LEFT}    registry.loss("l", "module.Loss")\n', 'not as "package.module:attribute"'),
    "has a name of two words": (f'{HOOK}{LEFT}    registry.loss("my loss", "a:B")\n', "a name is one word"),
    "registers an unknown kind": (
        f'{HOOK}{LEFT}    registry.trainer("t", "a:B")\n',
        'There is no kind "trainer" to register. Known: ',
    ),
}


def install(folder: Path, name: str, code: str, target: str = "", metadata: bool = True) -> None:
    """A distribution with one module and one entry point, both of that name."""
    (folder / f"{name}.py").write_text(code)
    info = folder / f"{name}-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "entry_points.txt").write_text(f"[ganskit]\n{name} = {target or name}\n")
    if metadata:
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for distributions that started processes see; a good one is there."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.delenv("GANSKIT_PLUGINS")
    install(tmp_path, "good", GOOD)
    return tmp_path


def ganskit(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "ganskit", *words], capture_output=True, text=True, timeout=60, check=False)
