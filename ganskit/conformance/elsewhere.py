"""What is done in a fresh process, to see that nothing of this one is needed."""

from __future__ import annotations

import hashlib
import multiprocessing
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganskit.conformance.watching import Failed, play, played
from ganskit.data.dataset import Skip, Source
from ganskit.engine import checkpoint as checkpoints
from ganskit.engine.checkpoint import Checkpoint
from ganskit.engine.engine import Engine
from ganskit.engine.state import load_state, save_state
from ganskit.errors import one_line
from ganskit.recipe import Recipe

Tensors = dict[str, Any]


def in_fresh_process(function: Callable[..., None], *arguments: Any) -> None:  # noqa: ANN401 - anything that can be sent
    """Call the function in a process that has never seen a plugin. Raises Failed with what went wrong there."""
    method = "spawn" if sys.platform == "win32" else "forkserver"
    context: Any = multiprocessing.get_context(method)  # whose types say nothing of Process
    if method == "forkserver":  # a server that has imported torch already saves two seconds for each process
        context.set_forkserver_preload(["ganskit.conformance.elsewhere"])
    with tempfile.TemporaryDirectory(prefix="ganskit-") as folder:
        trouble = Path(folder) / "trouble"
        process = context.Process(target=_begin, args=(trouble, torch.get_num_threads(), function, arguments))
        process.start()
        process.join()
        if process.exitcode:
            why = trouble.read_text(encoding="utf-8") if trouble.exists() else f"exit code {process.exitcode}; see stderr"
            raise Failed(f"In a fresh process it failed: {why}")


def _begin(trouble: Path, threads: int, function: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """In the fresh process: what the result depends on is as in the other one."""
    torch.set_num_threads(threads)
    try:
        function(*arguments)
    except BaseException as error:
        trouble.write_text(one_line(error), encoding="utf-8")
        sys.exit(1)


def go_on_elsewhere(recipe: Recipe, engine: Engine, rounds: int) -> Tensors:
    """The state after so many rounds more, played in a fresh process from a checkpoint of the engine."""
    with tempfile.TemporaryDirectory(prefix="ganskit-") as folder:
        file = written(engine, Path(folder) / "before")
        in_fresh_process(_go_on, recipe, file, rounds, Path(folder) / "after")
        (after,) = checkpoints.files(Path(folder) / "after")
        return dict(checkpoints.read(after).tensors)


def written(engine: Engine, folder: Path) -> Path:
    """A checkpoint of the engine."""
    tensors, meta = save_state(engine)
    return checkpoints.write(folder, Checkpoint(tensors, meta | {"recipe": {}, "environment": {}}))


def _go_on(recipe: Recipe, file: Path, rounds: int, folder: Path) -> None:
    engine = played(recipe, 0, Engine)
    state = checkpoints.read(file)
    load_state(engine, state.tensors, state.meta)
    play(engine, rounds)
    written(engine, folder)


def digest_elsewhere(source: Source, indices: list[int]) -> str:
    """The digest of these examples, read in a fresh process."""
    with tempfile.TemporaryDirectory(prefix="ganskit-") as folder:
        file = Path(folder) / "digest"
        in_fresh_process(_write_digest, source, indices, file)
        return file.read_text()


def _write_digest(source: Source, indices: list[int], file: Path) -> None:
    file.write_text(digest(source, indices))


def digest(source: Source, indices: list[int]) -> str:
    """SHA-256 over the examples, in this order."""
    total = hashlib.sha256()
    for index in indices:
        try:
            example = source.read(index)
        except Skip as reason:
            total.update(f"skipped: {reason}".encode())
            continue
        for key, array in sorted(example.items()):
            total.update(f"{key} {array.dtype} {array.shape}".encode())
            total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()
