"""A search for faces in many photographs: in parallel, to be continued after an interruption."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import multiprocessing
import re
import sys
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
from attrs import field, frozen
from tqdm import tqdm

from ganskit.data import pool
from ganskit.data.boxes import Box, read_table, write_table
from ganskit.data.faces import looking
from ganskit.data.faces.looking import Seen, Task, Wanted
from ganskit.data.faces.sheet import draw
from ganskit.data.files import printable, remove_left_overs, write_whole
from ganskit.data.guards import disk_errors, locked, num_cores
from ganskit.data.home import data_home, expanded
from ganskit.data.pictures import Files, sorted_names
from ganskit.data.places import contents
from ganskit.errors import BadData, DataNotFound

PHOTOS_PER_TASK = 100
TABLE, SHEET, REPORT = "faces.csv", "faces.png", "report.json"
FORMAT = 1
"""Changes whenever the same photographs give other boxes, so that they are looked at anew."""


@frozen
class Counts:
    """What was found, in photographs and in faces."""

    photographs: int
    without: int
    with_one: int
    with_several: int
    unreadable: int
    faces: int
    too_small: int

    @classmethod
    def of(cls, seen: Sequence[Seen]) -> Counts:
        """Count. A photograph with only small faces is one without."""
        readable = [len(each.faces) for each in seen if not each.reason]
        return cls(
            photographs=len(seen),
            without=readable.count(0),
            with_one=readable.count(1),
            with_several=sum(num > 1 for num in readable),
            unreadable=len(seen) - len(readable),
            faces=sum(readable),
            too_small=sum(each.num_small for each in seen),
        )


@frozen
class Found:
    """A finished search. Its `folder` holds faces.csv, faces.png and report.json."""

    folder: Path
    counts: Counts
    unreadable: Mapping[str, str]
    """File and reason."""

    @property
    def table(self) -> Path:
        """The boxes."""
        return self.folder / TABLE

    @property
    def sheet(self) -> Path:
        """Photographs with their boxes drawn."""
        return self.folder / SHEET

    def boxes(self) -> list[Box]:
        """What is in the table."""
        return read_table(self.table)


def find(place: Path, wanted: Wanted, *, workers: int | None = None, progress: bool = True) -> Found:
    """Look for faces in every photograph of a folder, or a .zip file; what was found before is opened.

    The result lies in ganskit's data folder, under a name made of the photographs' fingerprint and everything in
    `wanted`. `workers` processes (None: one per core) look at 100 photographs at a time; an interrupted search goes on
    where it was.

    Raises DataNotFound, BadData (no photograph can be read, or none has a face), UserError (the detector cannot be
    used) or RunFailed (the disk is full, a worker process died).
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        sys.exit(1)  # a worker, importing a script without `if __name__ == "__main__":`; the parent says so
    place = expanded(place)
    if not place.exists():
        raise DataNotFound(f"{place}: there is no such folder of photographs.")
    files, pictures, _ = contents(place)
    names, fingerprint = sorted_names(str(place), pictures)
    identity = {"format": FORMAT, "least": wanted.least, "margin": wanted.margin, "fingerprint": fingerprint}
    search = _Search(place, files, names, wanted, identity | wanted.detector.identity())
    if not (search.folder / REPORT).is_file():
        with locked(search.folder, progress):
            if not (search.folder / REPORT).is_file():
                search.run(workers or num_cores(), progress)
    return _opened(search.folder)


def _opened(folder: Path) -> Found:
    file = folder / REPORT
    try:
        report = json.loads(file.read_bytes())
        return Found(folder, Counts(**report["counts"]), report["unreadable"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadData(f"{file} is damaged ({error}). Delete {folder} and search again.") from error


@frozen
class _Search:
    """One search, by whoever holds its lock."""

    place: Path
    files: Files
    names: Sequence[str]
    wanted: Wanted
    identity: Mapping[str, object]
    done: dict[int, tuple[Seen, ...]] = field(factory=dict)

    @property
    def folder(self) -> Path:
        """Where all that it finds lies."""
        title = re.sub("[^a-z0-9]+", "-", self.place.absolute().stem.lower()).strip("-") or "photographs"
        digest = hashlib.sha256(json.dumps(self.identity, sort_keys=True).encode()).hexdigest()
        return data_home() / "faces" / f"{title[:60]}-{digest[:12]}"

    def run(self, workers: int, progress: bool) -> None:
        """Look at the photographs that were not looked at yet; then write table, sheet and report."""
        with disk_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            remove_left_overs(self.folder)
            num_tasks = -(-len(self.names) // PHOTOS_PER_TASK)
            todo = pool.left_over(num_tasks, lambda index: looking.noted(self._task(index)), self.done)
            with self._bar(progress) as bar, contextlib.closing(self._looked(todo, workers, bar)) as results:
                for index, seen in results:
                    self.done[index] = seen
            self._finish([each for _, seen in sorted(self.done.items()) for each in seen])

    def _note(self, index: int) -> Path:
        return self.folder / f"seen-{index:06d}.json"

    def _task(self, index: int) -> Task:
        names = self.names[index * PHOTOS_PER_TASK : (index + 1) * PHOTOS_PER_TASK]
        return Task(self._note(index), self.files.take(names), names, self.wanted)

    def _bar(self, progress: bool) -> tqdm[Any]:
        hidden = None if progress else True  # None: shown on a terminal only
        initial = sum(map(len, self.done.values()))
        return tqdm(total=len(self.names), initial=initial, unit=" photographs", desc="Looking for faces", disable=hidden)

    def _looked(self, todo: list[int], workers: int, bar: tqdm[Any]) -> Generator[tuple[int, tuple[Seen, ...]], None, None]:
        return pool.results_here_or_there(todo, self._task, looking.run, workers, "looking for faces", len, bar.update)

    def _finish(self, seen: Sequence[Seen]) -> None:
        counts, unreadable = Counts.of(seen), {each.file: each.reason for each in seen if each.reason}
        if counts.unreadable == counts.photographs:
            first = "".join(f"\n  {printable(file)}: {printable(why)}" for file, why in itertools.islice(unreadable.items(), 5))
            raise BadData(f"{self.place}: none of the {counts.photographs:,} photographs can be read. First:{first}")
        if not counts.faces:
            small = f", and {counts.too_small:,} that are smaller" if counts.too_small else ""
            raise BadData(
                f"{self.place}: no face of {self.wanted.least} pixels or more in {counts.photographs:,} photographs{small}. "
                "Look at them: are there faces, seen from the front and upright? Smaller ones: --min-face."
            )
        write_table((box for each in seen for box in each.faces), self.folder / TABLE)
        draw(seen, self.files, self.folder / SHEET)
        report = {**self.identity, "counts": attrs.asdict(counts), "unreadable": unreadable}
        write_whole(self.folder / REPORT, json.dumps(report, indent=1).encode())
        for index in self.done:
            self._note(index).unlink(missing_ok=True)
