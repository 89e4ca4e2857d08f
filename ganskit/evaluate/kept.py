"""Small networks that ganskit trains itself to measure with: each a run in its data folder, trained once."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ganskit.data.files import write_whole
from ganskit.engine.distributed import World
from ganskit.engine.run import run
from ganskit.engine.training import Interrupted
from ganskit.errors import UserError
from ganskit.evaluate.model import Model, load
from ganskit.recipe import Recipe


def kept(recipe: Recipe, folder: Path, whole: bool, device: str, progress: bool) -> Model:
    """The model of the run in `folder`, which is trained, or gone on with, unless it is `whole`.

    Raises UserError for several processes, and for a damaged run; RunFailed; Interrupted.
    """
    if not whole:
        _train(recipe, folder, device, progress)
    try:
        return load(folder, device=device, recipe=recipe)
    except UserError as error:
        raise UserError(f"{error} It is a small network of ganskit's own: delete {folder}, and it is trained again.") from error


def noted(file: Path, model: Model, keys: set[str], measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What is noted of a kept network, under `keys` and "protocol".

    It is measured again if the note is damaged, or its protocol is not of these weights.
    """
    with suppress(OSError, ValueError, TypeError, KeyError):
        note: dict[str, Any] = json.loads(file.read_bytes())
        if note["protocol"]["sha256"] == model.identity["weights_sha256"] and note.keys() >= keys:
            return note
    note = measure()
    write_whole(file, (json.dumps(note, indent=2) + "\n").encode())
    return note


def _train(recipe: Recipe, folder: Path, device: str, progress: bool) -> None:
    if World.join().size > 1:
        raise UserError(
            f"{recipe.name} is not trained yet, and several processes cannot train it: evaluate once with one before."
        )
    try:
        run(recipe, out=folder, resume=True, device=device, progress=progress)
    except Interrupted as error:
        raise Interrupted(f"Interrupted while {recipe.name} was being trained. The same command goes on from there.") from error
