"""Writing files so that a reader sees the old one or the whole new one, never a part."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

TEMPORARY = ".tmp"


def write_whole(file: Path, data: bytes) -> None:
    """Write to a temporary file beside it, flush that to the disk, rename. On any failure the temporary one goes."""
    temporary = file.with_name(f"{file.name}.{os.getpid()}{TEMPORARY}")
    try:
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, file)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def remove_left_overs(folder: Path) -> None:
    """Remove the temporary files that a killed process has left."""
    for file in folder.glob(f"*{TEMPORARY}"):
        file.unlink(missing_ok=True)


def sha256(file: Path) -> str:
    """The SHA-256 of a file's contents, as hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def printable(text: str) -> str:
    """A file's name or an error's text for a terminal: control characters and undecodable bytes are escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
