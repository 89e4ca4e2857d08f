"""What can go wrong, said so that the user knows what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class GanskitError(Exception):
    """Something ganskit understands; the command line prints it without a traceback. Exit code 1: the run failed."""

    exit_code = 1


class UserError(GanskitError):
    """The user's mistake: names the thing, says what was expected and what to do. Exit code 2."""

    exit_code = 2


class UnknownName(UserError):
    """A name that is not in the registry, not a field, not an option."""


class UnknownKind(UserError, AttributeError):
    """A kind of entry that this ganskit does not have, such as a plugin for a later version may register."""


class DataNotFound(UserError):
    """A dataset's files are not on disk."""


class BadData(UserError):
    """A dataset's files are there and cannot be used."""


class RunFailed(GanskitError):
    """Training stopped by itself: a loss that is not finite, a full disk, a damaged checkpoint."""


def nearest(name: str, known: Iterable[str], show: int = 12) -> str:
    """The end of an error message about an unknown `name`: the nearest known name, or the list of all.

    >>> nearest("dcgan-lsum", ["dcgan-lsun", "dcgan-faces"])
    'Did you mean "dcgan-lsun"?'
    """
    names = sorted(known)
    close = difflib.get_close_matches(name.lower(), [each.lower() for each in names], n=1, cutoff=0.6)
    if close:
        return f'Did you mean "{next(each for each in names if each.lower() == close[0])}"?'
    if not names:
        return "There are none."
    more = f", and {len(names) - show} more" if len(names) > show else ""
    return f"Known: {', '.join(names[:show])}{more}."


def one_line(error: BaseException, most: int = 300) -> str:
    """What went wrong in one line: our own errors as they are, those of others with their type."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # even saying what is wrong may go wrong in somebody's plugin
        text = "(its text cannot be read)"
    text = text if len(text) <= most else f"{text[:most]} ..."
    if isinstance(error, (GanskitError, AssertionError)) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
