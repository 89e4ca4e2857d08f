"""Room on the disk, asked for before it is needed."""

from __future__ import annotations

import shutil
from pathlib import Path

from ganskit.errors import RunFailed

ELSEWHERE = "Make room, or set GANSKIT_DATA to a folder on another disk. What is finished is kept."


def in_words(num_bytes: int) -> str:
    """A number of bytes for people, in the decimal units that download pages use.

    >>> in_words(170_052_171), in_words(5148)
    ('170.1 MB', '5.1 kB')
    """
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if num_bytes >= size:
            return f"{num_bytes / size:,.1f} {unit}"
    return f"{num_bytes} bytes"


def free_bytes(folder: Path) -> int:
    """Room on the disk where `folder` is or is going to be."""
    return shutil.disk_usage(next(each for each in (folder, *folder.absolute().parents) if each.exists())).free


def check_room(folder: Path, num_bytes: int, what: str) -> None:
    """Raise RunFailed, saying how much is missing, when the disk of `folder` has no room for `num_bytes` more."""
    free = free_bytes(folder)
    if free < num_bytes:
        raise RunFailed(
            f"{what} needs {in_words(num_bytes)} in {folder}, and the disk has {in_words(free)} free: "
            f"{in_words(num_bytes - free)} are missing. {ELSEWHERE}"
        )
