"""Whose fault is it when a file cannot be read: its own, for ever, or that of the moment."""

from __future__ import annotations

import contextlib
import errno
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

from ganskit.data.files import printable
from ganskit.errors import BadData, GanskitError, RunFailed

OF_THE_FILE = frozenset((errno.ENOENT, errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR))
"""What the system says of a file that will be no better tomorrow."""


def momentary(error: BaseException) -> bool:
    """Whether it says nothing about the file: no memory, too many open files, a disk or a network that failed.

    zipfile seeks wherever a damaged archive says, even before its beginning, which is EINVAL; decoders raise OSError
    without a number.
    """
    if isinstance(error, OSError):
        return error.errno not in (None, errno.EINVAL, *OF_THE_FILE)
    return isinstance(error, MemoryError)


def unreadable(name: str, error: BaseException) -> RunFailed:
    """The error to raise for trouble of the moment, so that nothing is left out of a store because of it."""
    words = getattr(error, "strerror", None) or words_of(error)
    return RunFailed(f"{printable(name)} cannot be read now: {words}. Run it again when that is over.")


def words_of(error: BaseException) -> str:
    """An error's text in one line, for a terminal."""
    return printable(" ".join(str(error).split())) or type(error).__name__


@contextlib.contextmanager
def damage(archive: Path, expected: str = "readable .zip file") -> Iterator[None]:
    """Reading an archive: whatever is raised in here becomes BadData, trouble of the moment RunFailed."""
    try:
        yield
    except GanskitError:
        raise
    except Exception as error:  # strangers' archives make zipfile, tarfile and struct raise nearly anything
        shown = printable(str(archive))
        if momentary(error):
            raise unreadable(str(archive), error) from error
        if isinstance(error, OSError) and error.errno in OF_THE_FILE:
            raise BadData(f"{shown} cannot be read: {error.strerror}.") from error
        size = os.path.getsize(archive)
        raise BadData(f"{shown} ({size:,} bytes) is no {expected}: {words_of(error)}. Was it downloaded whole?") from error


def members_of(archive: Path) -> list[zipfile.ZipInfo]:
    """What is in a .zip. Raises BadData when it is none, or is damaged."""
    with damage(archive), zipfile.ZipFile(archive) as opened:
        return opened.infolist()
