"""Evaluating a run, and keeping what was found in its directory."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

from ganskit.config import unstructure, use
from ganskit.data.files import write_whole
from ganskit.engine.device import forked_rng
from ganskit.engine.rundir import RunDir
from ganskit.errors import UserError
from ganskit.evaluate.evaluator import Evaluator, Result
from ganskit.evaluate.model import Model, load
from ganskit.pictures import save_grid


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

    `name` is the evaluator's, if nothing else is given; an earlier result of that name is replaced.
    """
    chosen: Evaluator = use(evaluator, "evaluator") if isinstance(evaluator, str) else evaluator
    options = unstructure(chosen)
    model = load(run, checkpoint=checkpoint, ema=ema, device=device)
    started = time.monotonic()
    result = measured(chosen, model)
    folder = RunDir(Path(run)).evaluation(name or options["use"])
    for picture, x in result.pictures.items():
        save_grid(x, folder / f"{picture}.png")
    record = {
        "evaluator": options,
        "samples": model.samples,
        "ema": ema,
        "device": str(model.device),
        "precision": model.precision,
        "time_s": round(time.monotonic() - started, 3),
        "numbers": {key: _json_number(value) for key, value in result.numbers.items()},
        "protocol": dict(result.protocol),
    }
    write_whole(folder / "result.json", (json.dumps(record, indent=2) + "\n").encode())
    return result


def measured(evaluator: Evaluator, model: Model) -> Result:
    """What the evaluator says of the model; random numbers go on as before. Raises UserError when it returns something else."""
    with forked_rng(model.device):
        result = evaluator.evaluate(model)
    if not isinstance(result, Result):
        raise UserError(f"{type(evaluator).__name__}.evaluate returned {type(result).__name__}, and not a ganskit.Result.")
    return result


def _json_number(value: Any) -> float | str:  # noqa: ANN401 - whatever a plugin calls a number
    """JSON has no infinity and no NaN."""
    number = float(value)
    return number if math.isfinite(number) else str(number)
