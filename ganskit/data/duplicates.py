"""Leaving near-duplicates out of a store: what to keep, the report, the sheet to look at, the new manifest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen

from ganskit.data import hamming, sheet
from ganskit.data.files import TEMPORARY, write_whole
from ganskit.data.guards import disk_errors
from ganskit.data.manifest import MANIFEST
from ganskit.data.store import Store
from ganskit.data.subset import leave_out
from ganskit.errors import BadData, UserError

RADIUS, MAX_RADIUS = 8, 32
"""In bits of 128. The default is what the planted test supports (`benchmarks/dedup.py`); the paper's is 0."""
REPORT, SHEET = "report.json", "collisions.png"
GROUPS_SHOWN, GROUP_SHOWN, COLUMNS = 48, 8, 12


@frozen
class Duplicates:
    """What was found, and where it was written."""

    folder: Path
    """A store without them, and report.json and collisions.png."""
    num_examples: int
    num_removed: int
    num_groups: int
    by_distance: tuple[int, ...]
    """How many were left out at a distance of 0, 1, ... bits to the one that is kept."""
    by_chance: float | None
    """How many pairs of unlike pictures may be within the radius, at most; None where there are too few to tell."""
    table: Mapping[str, Any]
    """All of report.json, with the groups."""

    @classmethod
    def load(cls, folder: Path) -> Duplicates:
        """Read report.json. Raises BadData."""
        try:
            table = json.loads((folder / REPORT).read_bytes())
            return cls(
                folder,
                table["num_examples"],
                table["num_removed"],
                table["num_groups"],
                tuple(table["removed_by_distance"]),
                table["pairs_by_chance"],
                table,
            )
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise BadData(f"{folder / REPORT} cannot be read ({error}). Move {folder} away to make it again.") from error

    @classmethod
    def earlier(cls, folder: Path, parameters: Mapping[str, Any]) -> Duplicates | None:
        """What is in `folder` already, if it was made with these parameters; None if nothing is, or nothing whole.

        Raises UserError if it was made with others, or if something else is there.
        """
        if not folder.exists():
            return None
        if folder.is_dir() and all(file.name.endswith(TEMPORARY) for file in folder.iterdir()):
            return None
        if not (folder / REPORT).is_file():
            raise UserError(f"{folder} is there already and was not made by `ganskit data dedup`: give another place with --out.")
        found = cls.load(folder)
        before = found.table.get("parameters", {})
        if different := [name for name in parameters if before.get(name) != parameters[name]]:
            lines = "".join(f"\n  {name}: {before.get(name)} there, {parameters[name]} now" for name in different)
            raise UserError(f"{folder} holds a result of other parameters. Give another place with --out.{lines}")
        return found if (folder / MANIFEST).is_file() else None  # which is written last

    @classmethod
    def leave_out(
        cls,
        store: Store,
        codes: np.ndarray,
        radius: int,
        folder: Path,
        parameters: Mapping[str, Any],
        progress: bool = False,
    ) -> Duplicates:
        """Find pictures whose codes (N, 2) are near and write `folder`: report.json, collisions.png, a store without them.

        An example is left out if its code is within `radius` bits of that of an earlier one that is kept. `parameters` are
        what the codes follow from, for the report.
        """
        leader = hamming.leaders(codes, radius, progress)
        groups = hamming.groups(leader)
        removed = np.flatnonzero(leader != np.arange(len(leader)))
        apart = hamming.distance(codes[removed], codes[leader[removed]])
        far = dict(zip(removed.tolist(), apart.tolist(), strict=True))
        table = {
            "parameters": dict(parameters),
            "store": str(store.path),
            "num_examples": len(store),
            "num_removed": len(removed),
            "num_groups": len(groups),
            "removed_by_distance": np.bincount(apart, minlength=radius + 1).tolist(),
            "pairs_by_chance": by_chance(codes, radius),
            "groups": [
                {"kept": kept, "removed": out, "distances": [far[i] for i in out]}
                for kept, *out in (group.tolist() for group in groups)
            ],
        }
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(folder / REPORT, json.dumps(table).encode())
            if groups:
                pictures(store, groups, far, folder / SHEET)
        leave_out(store, removed, folder, f"near-duplicates, within {radius} of {hamming.BITS} bits")
        return cls.load(folder)


def pictures(store: Store, groups: list[np.ndarray], far: Mapping[int, int], file: Path) -> Path:
    """A contact sheet: groups, the kept picture first, parted by a gap. From the top on, ever less alike by their codes.

    Of many groups some are shown, evenly spaced in that order; of a large group the pictures farthest from the kept one.
    """
    groups = sorted(groups, key=lambda group: max(far[int(i)] for i in group[1:]))
    num = min(len(groups), GROUPS_SHOWN)
    shown = [groups[round(row * (len(groups) - 1) / max(1, num - 1))] for row in range(num)]
    width = min(GROUP_SHOWN, max(len(group) for group in shown)) + 1
    blank = np.full(store.fields["x"].shape, 255, dtype=np.uint8)
    cells = []
    for kept, *out in shown:
        out = sorted(out, key=lambda i: -far[int(i)])[: width - 2]
        cells += [store.arrays(int(i))["x"] for i in (kept, *out)] + [blank] * (width - 1 - len(out))
    return sheet.save(cells, file, width * max(1, COLUMNS // width))


_PAIRS, _FEW, _MORE = 2**25, 1e-4, 1e-3


def by_chance(codes: np.ndarray, radius: int) -> float | None:
    """How many pairs of unlike pictures to expect within `radius`, rather too many than too few; None for few codes.

    The distances of unlike pictures have a tail that falls faster than exponentially. So their number is drawn on from where
    1 in 1,000 and 1 in 10,000 of a sample of pairs are found, as a straight line on a logarithmic scale. What is within the
    radius in the sample is taken for copies.
    """
    num = len(codes)
    counts = np.zeros(hamming.BITS + 1, dtype=np.int64)
    for shift in np.unique(np.linspace(1, num // 2, 1 + _PAIRS // num).astype(np.int64)):
        counts += np.bincount(hamming.distance(codes, np.roll(codes, shift, 0)), minlength=len(counts))
    sampled = counts.sum()
    if sampled * _FEW < 100:
        return None
    within = np.cumsum(counts)
    unlike = within - within[radius]
    few, more = (int(np.searchsorted(unlike, share * sampled)) for share in (_FEW, _MORE))
    slope = np.log(unlike[more] / unlike[few]) / max(1, more - few)
    expected = unlike[few] * np.exp(slope * (radius - few))
    return float(expected * num * (num - 1) / 2 / sampled)
