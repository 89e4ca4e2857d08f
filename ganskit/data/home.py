"""Where data lives on this computer."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def expanded(path: str | Path) -> Path:
    """The path with ~ as the user's home; that of a user who does not exist stays as it is, and is no file's."""
    return Path(os.path.expanduser(path))


def data_home() -> Path:
    """The folder for originals and stores: `GANSKIT_DATA`, or else ganskit's folder in the platform's cache."""
    chosen = os.environ.get("GANSKIT_DATA")
    return expanded(chosen).absolute() if chosen else platformdirs.user_cache_path("ganskit")


def originals(name: str) -> Path:
    """Where a dataset's original files are looked for when no path is given."""
    return data_home() / "originals" / name


def stores() -> Path:
    """Where prepared stores live."""
    return data_home() / "stores"
