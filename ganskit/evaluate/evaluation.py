"""Evaluating a run, and keeping what was found in its directory."""

from __future__ import annotations

import json
import math
import numbers
import os
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from attrs import evolve

from ganskit.config import unstructure, use
from ganskit.data.files import write_whole
from ganskit.engine.device import exact_fp32, forked_rng, memory_errors
from ganskit.engine.rundir import RunDir
from ganskit.errors import UserError
from ganskit.evaluate.model import Model, load
from ganskit.evaluator import Evaluator, Picture, Result
from ganskit.pictures import is_pictures, save_grid
from ganskit.recipe import Recipe, versions

RESULT = "result.json"


def evaluate_run(
    run: str | Path,
    evaluator: Evaluator | str,
    *,
    checkpoint: str | Path | int | None = None,
    ema: bool = True,
    device: str = "auto",
    name: str | None = None,
    recipe: Recipe | None = None,
) -> Result:
    """Evaluate a run and write RUN/evaluations/NAME/result.json, a PNG for each picture and an SVG for each plot.

    `name` is the evaluator's, if nothing else is given; an earlier result of that name is replaced as a whole. `recipe` is
    needed only for a run whose recipe has classes that are not registered. Raises UserError.
    """
    chosen: Evaluator = use(evaluator, "evaluator") if isinstance(evaluator, str) else evaluator
    options = unstructure(chosen)
    folder = RunDir(Path(run)).evaluation(usual_name(chosen) if name is None else name)
    for place in (folder.parent, folder):
        if (place.exists() and not place.is_dir()) or (place == folder and place.is_symlink()):
            raise UserError(f"{place} is not a folder that ganskit made: move it away, for the result is to go there.")
    for place in (Path(run), folder.parent, folder):
        if place.exists() and not os.access(place, os.W_OK):
            raise UserError(f"{place} may not be written to, and the result is to go there: allow it, or evaluate a copy.")
    model = load(run, checkpoint=checkpoint, ema=ema, device=device, recipe=recipe)
    started = time.monotonic()
    result = measured(chosen, model)
    record = {
        "evaluator": options,
        **model.identity,
        "device": str(model.device),
        "precision": model.precision,
        "time_s": round(time.monotonic() - started, 3),
        "plugins": versions(chosen) | versions(model.recipe),
        "numbers": finite(result.numbers),
        "protocol": dict(result.protocol),
        "details": dict(result.details),
        "pictures": {key: {"file": f"{key}.png", "caption": each.caption} for key, each in _pictures(result).items()},
        "plots": {key: f"{key}.svg" for key in result.plots},
    }
    _keep(folder, record, result)
    return result


def usual_name(evaluator: Evaluator) -> str:
    """Under which a result is kept that is given no other: the evaluator's."""
    use: str = unstructure(evaluator)["use"]
    return use.rpartition(":")[2]


def _keep(folder: Path, record: Mapping[str, Any], result: Result) -> None:
    """Write everything beside the earlier result, then put it in its place: this is removed last of all."""
    folder.parent.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent, ignore_cleanup_errors=True) as beside:
        new = Path(beside) / "new"
        new.mkdir()
        for key, picture in _pictures(result).items():
            save_grid(picture.x, new / f"{key}.png", picture.columns)
        for key, text in result.plots.items():
            write_whole(new / f"{key}.svg", text.encode())
        write_whole(new / RESULT, (json.dumps(record, indent=2) + "\n").encode())
        if folder.exists():
            folder.rename(Path(beside) / "old")
        new.rename(folder)


def _pictures(result: Result) -> dict[str, Picture]:
    return {key: each if isinstance(each, Picture) else Picture(each) for key, each in result.pictures.items()}


def finite(values: Mapping[str, float]) -> dict[str, float | str]:
    """Numbers as JSON can hold them: "inf" and "nan" become texts."""
    return {key: value if math.isfinite(value) else str(value) for key, value in values.items()}


def measured(evaluator: Evaluator, model: Model) -> Result:
    """What the evaluator says of the model; random numbers go on as before. Raises UserError for what cannot be kept."""
    advice = "Measure fewer samples, or fewer at once, where the evaluator has options for these."
    with forked_rng(model.device), exact_fp32(), memory_errors(advice):
        evaluator.check(model.recipe)
        result = evaluator.evaluate(model)
    what = type(evaluator).__name__
    if not isinstance(result, Result):
        raise UserError(f"{what}.evaluate returned {type(result).__name__}, and not a ganskit.Result.")
    if not result.numbers and not result.pictures:
        raise UserError(f"{what}.evaluate returned neither numbers nor pictures.")
    for name, value in result.numbers.items():
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise UserError(f'{what}.evaluate returned {value!r} as the number "{name}": expected a float.')
    for kind, values in (("protocol", result.protocol), ("details", result.details)):
        try:
            json.dumps(dict(values), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise UserError(f"The {kind} of {what}.evaluate cannot be written as JSON: {error}.") from error
    for name in (*result.pictures, *result.plots):
        if not name.replace("-", "").replace("_", "").isalnum():
            raise UserError(f'{what}.evaluate returned a picture named "{name}": expected letters, digits, - and _.')
    for name, picture in _pictures(result).items():
        if not len(picture.x) or not is_pictures(picture.x):
            raise UserError(
                f'{what}.evaluate returned the picture "{name}" of shape {tuple(picture.x.shape)}: expected (N, 1 or 3, H, W).'
            )
    for name, text in result.plots.items():
        if not text.startswith("<svg"):
            raise UserError(f'{what}.evaluate returned the plot "{name}", which does not begin with <svg.')
    return evolve(result, numbers={name: float(value) for name, value in result.numbers.items()})
