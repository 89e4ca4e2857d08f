"""Making one shard of a store: decode a part of a source and write it whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import attrs
import numpy as np
from attrs import frozen

from ganskit.data import pool
from ganskit.data.dataset import Field, Readable, Skip
from ganskit.data.files import write_whole
from ganskit.data.manifest import Shard, shard_from, sums_of
from ganskit.errors import BadData, GanskitError, RunFailed


@frozen
class Task:
    """One shard to make: the part of the source that goes into `file`."""

    file: Path
    part: Readable
    fields: dict[str, Field]


def file_of(folder: Path, index: int) -> Path:
    """Where shard number `index` of the store in `folder` is."""
    return folder / f"shard-{index:05d}.safetensors"


def note_of(file: Path) -> Path:
    """The file that says a shard is finished, until the manifest does; written after the shard."""
    return file.with_suffix(".json")


def finished(file: Path) -> Shard | None:
    """A shard made by an earlier, interrupted preparation, or None."""
    try:
        shard = shard_from(json.loads(note_of(file).read_bytes()))
        return shard if not shard.rows or file.stat().st_size == shard.bytes else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def make(task: Task, tick: Callable[[], object] = lambda: None) -> Shard:
    """Decode the part and write the shard; `tick` is called after each example.

    A shard of which every example was skipped has no file. Raises BadData when the source does not give what its
    dataset provides, RunFailed when it fails in another way or the disk is full, Stopped when asked to stop.
    """
    from safetensors.numpy import save

    num = len(task.part)
    out = {name: np.empty((num, *each.shape), dtype=each.dtype) for name, each in task.fields.items()}
    rows, skipped = 0, []
    for index in range(num):
        if pool.stopping():
            raise pool.Stopped
        try:
            example = task.part.read(index)
        except Skip as reason:
            skipped.append((task.part.name(index), str(reason)))
        except GanskitError:
            raise
        except Exception as error:
            name = task.part.name(index)
            raise RunFailed(f"{name}: the dataset's own code failed with {type(error).__name__}: {error}") from error
        else:
            _check(example, task.fields, task.part.name(index))
            for name, array in example.items():
                out[name][rows] = array
            rows += 1
        tick()
    out = {name: array[:rows] for name, array in out.items()}
    data = save(out) if rows else b""
    sums = sums_of(out, task.fields) if rows else {}
    shard = Shard(task.file.name, rows, len(data), hashlib.sha256(data).hexdigest(), tuple(skipped), sums)
    if rows:
        write_whole(task.file, data)
    write_whole(note_of(task.file), json.dumps(attrs.asdict(shard)).encode())
    return shard


def _check(example: dict[str, np.ndarray], fields: dict[str, Field], name: str) -> None:
    if example.keys() == fields.keys() and all(
        np.shape(example[key]) == each.shape and np.asarray(example[key]).dtype == each.dtype for key, each in fields.items()
    ):
        return
    given = {key: (np.shape(array), str(np.asarray(array).dtype)) for key, array in example.items()}
    expected = {key: (each.shape, each.dtype) for key, each in fields.items()}
    raise BadData(f"{name}: the dataset gives {given} and says that it provides {expected}.")
