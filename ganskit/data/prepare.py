"""From original files to a store: once, in parallel, to be continued after an interruption."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import multiprocessing
import re
import sys
from collections.abc import Generator
from importlib.metadata import version
from operator import attrgetter
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from attrs import evolve, field, frozen
from tqdm import tqdm

from ganskit.data import pool, shards
from ganskit.data.dataset import Dataset, Notes, Source, notes_of, part_of
from ganskit.data.files import printable, remove_left_overs
from ganskit.data.guards import disk_errors, locked, num_cores
from ganskit.data.home import stores
from ganskit.data.manifest import FORMAT, MANIFEST, Manifest, Shard
from ganskit.data.prepared import Prepared
from ganskit.data.room import check_room
from ganskit.data.store import Store
from ganskit.errors import BadData, DataNotFound, RunFailed

ROWS_PER_SHARD, LEAST_PER_SHARD, USUAL_SHARDS, SHARD_BYTES = 2048, 64, 32, 64 * 2**20
"""A small dataset is cut into as many pieces as keep all processes busy to the end. A worker holds a shard a few times."""
IN_PROCESS_BELOW = 500
_SIZES = (ROWS_PER_SHARD, LEAST_PER_SHARD, USUAL_SHARDS, SHARD_BYTES)
MAX_SKIPPED = 0.1
Results = Generator[tuple[int, Shard], None, None]


def prepare(dataset: Dataset, *, workers: int | None = None, progress: bool = True, max_skipped: float = MAX_SKIPPED) -> Store:
    """The store of a dataset: opened when it is there, made when it is not.

    It lies in ganskit's data folder, under a name made of the dataset's class, options and the fingerprint of its
    files; originals that were there without a `path` and have been deleted since are not missed. `workers` processes
    (None: one per core) decode up to 2048 originals at a time; an interrupted preparation goes on where it was. A script
    that calls this for a large dataset needs `if __name__ == "__main__":`, because workers import it anew.

    Raises DataNotFound, BadData (more than `max_skipped` of the originals cannot be used, or none can) or RunFailed
    (the disk is full, a worker process died).
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        sys.exit(1)  # a worker, importing a script without that line: the parent notices and says so
    if isinstance(dataset, Prepared):
        return dataset.store()
    try:
        source = dataset.open()
    except DataNotFound:
        earlier = _without_originals(dataset)
        if earlier is None:
            raise
        return Store.open(earlier)
    folder = place_of(dataset, source)
    if not (folder / MANIFEST).is_file():
        with locked(folder, progress):
            if not (folder / MANIFEST).is_file():
                _Preparation(dataset, source, notes_of(source), folder, max_skipped).run(workers or num_cores(), progress)
    return Store.open(folder)


def place_of(dataset: Dataset, source: Source) -> Path:
    """The folder of a dataset's store, whether it is there or not."""
    return stores() / store_name(dataset, source.fingerprint, notes_of(source).transform)


def rows_per_shard(dataset: Dataset, num_originals: int) -> int:
    """How many originals go into one file."""
    rows = min(ROWS_PER_SHARD, max(LEAST_PER_SHARD, -(-num_originals // USUAL_SHARDS)))
    return max(1, min(rows, SHARD_BYTES // max(1, bytes_each(dataset))))


def num_shards(dataset: Dataset, num_originals: int) -> int:
    """How many files they are spread over."""
    return -(-num_originals // rows_per_shard(dataset, num_originals))


def bytes_each(dataset: Dataset) -> int:
    """What one example takes in a store."""
    return sum(int(np.prod(f.shape, dtype=np.int64)) * np.dtype(f.dtype).itemsize for f in dataset.provides().values())


def store_name(dataset: Dataset, fingerprint: str, transform: str = "") -> str:
    """The name of a dataset's store, such as "lsun-0f3c5a9be124"; `path` is no part of it."""
    described = _described(dataset)
    for place in dataset.places:
        described["options"].pop(place, None)
    identity = json.dumps([FORMAT, _SIZES, transform, described, fingerprint], sort_keys=True)
    return f"{_title(dataset)}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"


def _title(dataset: Dataset) -> str:
    name = getattr(dataset, "name", "") or type(dataset).__name__
    return re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "data"


def _without_originals(dataset: Dataset) -> Path | None:
    """The store of a dataset whose originals have been deleted since, when there is just one."""
    if getattr(dataset, "path", None) is not None:
        return None
    folders = [file.parent for file in stores().glob(f"{_title(dataset)}-*/{MANIFEST}")]
    described = json.loads(json.dumps(_described(dataset)))
    found = [folder for folder in folders if _is_whole_store_of(folder, described)]
    return found[0] if len(found) == 1 else None


def _is_whole_store_of(folder: Path, described: dict[str, Any]) -> bool:
    try:
        manifest = Manifest.load(folder)
    except BadData:
        return False
    return manifest.subset is None and manifest.dataset == described


def _described(dataset: Dataset) -> dict[str, Any]:
    cls = type(dataset)
    return {"class": f"{cls.__module__}:{cls.__qualname__}", "options": attrs.asdict(dataset)}


@frozen
class _Preparation:
    """One making of one store, by whoever holds its lock."""

    dataset: Dataset
    source: Source
    notes: Notes
    folder: Path
    max_skipped: float
    done: dict[int, Shard] = field(factory=dict)

    def run(self, workers: int, progress: bool) -> None:
        """Make the shards that are not there yet, then the manifest."""
        total = len(self.source)
        if not total:
            raise BadData(f"{type(self.dataset).__name__}: there is no example in it.")
        with disk_errors(self.folder, self._still_needed):
            self.folder.mkdir(parents=True, exist_ok=True)
            remove_left_overs(self.folder)
            todo = pool.left_over(num_shards(self.dataset, total), self._finished, self.done)
            check_room(self.folder, self._still_needed(), "The store")
            workers = 1 if total < IN_PROCESS_BELOW else workers
            with self._bar(progress, total) as bar, contextlib.closing(self._made(todo, workers, bar)) as results:
                for index, shard in results:
                    self.done[index] = shard
                    self._check_skipped()
            self._check_skipped()
            self._finish()

    def _finished(self, index: int) -> Shard | None:
        return shards.finished(shards.file_of(self.folder, index))

    def _task(self, index: int) -> shards.Task:
        rows = rows_per_shard(self.dataset, len(self.source))
        try:
            part = part_of(self.source, index * rows, min((index + 1) * rows, len(self.source)))
        except OSError as error:
            raise RunFailed(f"The originals cannot be read: {error}. What is finished is kept.") from error
        return shards.Task(shards.file_of(self.folder, index), part, self.dataset.provides())

    def _bar(self, progress: bool, total: int) -> tqdm[Any]:
        initial = self._num_made()
        hidden = None if progress else True  # None: shown on a terminal only
        title = f"Preparing {self.folder.name}"
        return tqdm(total=total, initial=initial, unit=" examples", desc=title, disable=hidden)

    def _made(self, todo: list[int], workers: int, bar: tqdm[Any]) -> Results:
        size = attrgetter("num_originals")
        return pool.results_here_or_there(todo, self._task, shards.make, workers, "preparing data", size, bar.update)

    def _num_made(self) -> int:
        return sum(shard.num_originals for shard in self.done.values())

    def _still_needed(self) -> int:
        """Bytes on the disk, if no original is skipped."""
        return (len(self.source) - self._num_made()) * bytes_each(self.dataset)

    def _check_skipped(self) -> None:
        num, total = sum(len(shard.skipped) for shard in self.done.values()), len(self.source)
        if num <= self.max_skipped * total and num < total:
            return
        skipped = itertools.chain.from_iterable(shard.skipped for _, shard in sorted(self.done.items()))
        first = "".join(f"\n  {printable(name)}: {printable(reason)}" for name, reason in itertools.islice(skipped, 5))
        if num == total:
            raise BadData(f"None of the {total:,} originals can be used. First:{first}")
        so_far = "At least " if len(self.done) < num_shards(self.dataset, total) else ""
        raise BadData(
            f"{so_far}{num:,} of {total:,} originals cannot be used, more than {self.max_skipped:.0%}. First:{first}\n"
            "Repair them or take them away; or allow a larger share of them: ganskit data prepare ... --max-skipped 0.5"
        )

    def _finish(self) -> None:
        made = tuple(shard for _, shard in sorted(self.done.items()))
        num_examples, num_skipped = sum(shard.rows for shard in made), sum(len(shard.skipped) for shard in made)
        fields = {
            name: evolve(each, classes=tuple(self.notes.classes.get(name, each.classes)))
            for name, each in self.dataset.provides().items()
        }
        Manifest(
            ganskit=version("ganskit"),
            dataset=_described(self.dataset),
            fingerprint=self.source.fingerprint,
            transform=self.notes.transform,
            num_examples=num_examples,
            num_skipped=num_skipped,
            num_ignored=self.notes.num_ignored,
            fields=fields,
            shards=made,
        ).save(self.folder)
        for shard in made:
            shards.note_of(self.folder / shard.file).unlink(missing_ok=True)
