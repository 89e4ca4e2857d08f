"""Evaluating a run, and keeping what was found in its directory."""

from __future__ import annotations

import json
import math
import numbers
import shutil
import time
from pathlib import Path

from attrs import evolve

from ganskit.config import unstructure, use
from ganskit.data.files import write_whole
from ganskit.engine.device import forked_rng
from ganskit.engine.rundir import RunDir
from ganskit.errors import UserError
from ganskit.evaluate.evaluator import Evaluator, Result
from ganskit.evaluate.model import Model, load
from ganskit.pictures import is_pictures, save_grid
from ganskit.recipe import versions


def evaluate_run(
    run: str | Path,
    evaluator: Evaluator | str,
    *,
    checkpoint: str | Path | int | None = None,
    ema: bool = True,
    device: str = "auto",
    name: str | None = None,
) -> Result:
    """Evaluate a run and write RUN/evaluations/NAME/result.json, and a PNG for each picture. Raises UserError.

    `name` is the evaluator's, if nothing else is given; an earlier result of that name is replaced as a whole.
    """
    chosen: Evaluator = use(evaluator, "evaluator") if isinstance(evaluator, str) else evaluator
    options = unstructure(chosen)
    folder = RunDir(Path(run)).evaluation(name or options["use"].rpartition(":")[2])
    model = load(run, checkpoint=checkpoint, ema=ema, device=device)
    started = time.monotonic()
    result = measured(chosen, model)
    record = {
        "evaluator": options,
        "samples": model.samples,
        "ema": ema and model.recipe.ema is not None,
        "device": str(model.device),
        "precision": model.precision,
        "time_s": round(time.monotonic() - started, 3),
        "plugins": versions(chosen) | versions(model.recipe),
        "numbers": {key: value if math.isfinite(value) else str(value) for key, value in result.numbers.items()},
        "protocol": dict(result.protocol),
    }
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_whole(folder / "result.json", (json.dumps(record, indent=2) + "\n").encode())
    for picture, x in result.pictures.items():
        save_grid(x, folder / f"{picture}.png")
    return result


def measured(evaluator: Evaluator, model: Model) -> Result:
    """What the evaluator says of the model; random numbers go on as before. Raises UserError for what cannot be kept."""
    with forked_rng(model.device):
        result = evaluator.evaluate(model)
    what = type(evaluator).__name__
    if not isinstance(result, Result):
        raise UserError(f"{what}.evaluate returned {type(result).__name__}, and not a ganskit.Result.")
    if not result.numbers and not result.pictures:
        raise UserError(f"{what}.evaluate returned neither numbers nor pictures.")
    for name, value in result.numbers.items():
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise UserError(f'{what}.evaluate returned {value!r} as the number "{name}": expected a float.')
    try:
        json.dumps(dict(result.protocol), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UserError(f"The protocol of {what}.evaluate cannot be written as JSON: {error}.") from error
    for name, x in result.pictures.items():
        if not name.replace("-", "").replace("_", "").isalnum() or not len(x) or not is_pictures(x):
            raise UserError(
                f'{what}.evaluate returned the picture "{name}" of shape {tuple(x.shape)}: expected (N, 1 or 3, H, W), under a '
                "name of letters, digits, - and _."
            )
    return evolve(result, numbers={name: float(value) for name, value in result.numbers.items()})
