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

from ganskit.data.dataset import Source
from ganskit.engine import checkpoint as checkpoints
from ganskit.engine.checkpoint import Checkpoint
from ganskit.engine.engine import Engine
from ganskit.engine.state import load_state, save_state
from ganskit.recipe import Recipe
from ganskit.testing.watching import Failed, engine_of, play

Tensors = dict[str, Any]


def in_fresh_process(function: Callable[..., None], *arguments: Any) -> None:  # noqa: ANN401 - anything that can be sent
    """Call the function in a process that has never seen a plugin. Raises Failed when it dies there."""
    if sys.platform == "win32":
        process: multiprocessing.process.BaseProcess = multiprocessing.get_context("spawn").Process(
            target=function, args=arguments
        )
    else:  # a server that has imported torch already saves two seconds for each process
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["ganskit.testing.elsewhere"])
        process = context.Process(target=function, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        raise Failed(f"It failed in a fresh process (exit code {process.exitcode}); the reason is on stderr.")


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
    engine = engine_of(recipe)
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
        for key, array in sorted(source.read(index).items()):
            total.update(f"{key} {array.dtype} {array.shape}".encode())
            total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()
