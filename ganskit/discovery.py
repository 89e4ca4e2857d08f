"""Which plugins are installed: entry points of the group `ganskit`, in spite of whatever else is on the path."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, EntryPoint, distributions, entry_points

from ganskit.errors import UserError, nearest

GROUP = "ganskit"


def chosen() -> tuple[list[EntryPoint], list[str]]:
    """Entry points by name, each once, limited by GANSKIT_PLUGINS=a,b when that is set (empty: none); and warnings.

    GANSKIT_PLUGINS takes names of entry points or of distributions.

    Raises UserError when GANSKIT_PLUGINS names one that is not there.
    """
    limit = os.environ.get("GANSKIT_PLUGINS")
    wanted = None if limit is None else [name.strip() for name in limit.split(",") if name.strip()]
    if wanted == []:
        return [], []
    found, warnings = _installed()
    points = sorted({(point.name, point.value): point for point in found}.values(), key=lambda point: (point.name, point.value))
    if wanted is not None:
        names = {point: {point.name, _called(point.dist) if point.dist else ""} for point in points}
        known = {point.name for point in points}
        for name in wanted:
            if not any(name in each for each in names.values()):
                raise UserError(f'GANSKIT_PLUGINS names "{name}", which is not installed. {nearest(name, known)}')
        points = [point for point in points if names[point] & set(wanted)]
    return points, [*warnings, *_doubles(points)]


def _installed() -> tuple[list[EntryPoint], list[str]]:
    """All entry points of our group. One distribution's unreadable file, of any group, must not hide the others."""
    try:
        return list(entry_points(group=GROUP)), []
    except Exception:  # Python reads all files at once and gives up at the first bad one; so read them one by one
        found: list[EntryPoint] = []
        warnings = []
        for distribution in _once(distributions()):
            try:
                found += distribution.entry_points.select(group=GROUP)
            except Exception as error:  # whatever its parser makes of the file
                reason = f"{type(error).__name__}: {error}"
                warnings.append(f"{_called(distribution)} is left out: its entry_points.txt cannot be read ({reason}).")
        return found, warnings


def _doubles(points: list[EntryPoint]) -> Iterator[str]:
    """Distributions of which two versions are on the path: Python takes the first, and nobody may have meant that."""
    for name in dict.fromkeys(_called(point.dist) for point in points if point.dist):
        # one whose name cannot be read has no double that could be found
        places: dict[str, str] = {}
        for each in distributions(name=name):
            places.setdefault(_version(each), str(each.locate_file("")))
        if len(places) > 1:
            used, *others = places
            rest = " and ".join(f"{version} in {places[version]}" for version in others)
            yield f"{name} {used} in {places[used]} is used, but there is also {rest} on the path. Uninstall one of them."


def _once(found: Iterable[Distribution]) -> Iterator[Distribution]:
    """The first distribution of each name, as Python would import it."""
    seen = set()
    for distribution in found:
        name = _called(distribution)
        if name not in seen:
            seen.add(name)
            yield distribution


def _called(distribution: Distribution) -> str:
    """The name in its normal form, or the place of one whose metadata are gone or unreadable."""
    try:
        return re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower()
    except Exception:  # what a parser makes of a damaged file
        return str(distribution.locate_file(""))


def _version(distribution: Distribution) -> str:
    try:
        return distribution.version or "a version without metadata"
    except Exception:  # as above
        return "a version with unreadable metadata"
