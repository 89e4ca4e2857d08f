"""Evaluations in the course of a training: when they are due, what they found, and the best checkpoint by one of them."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from ganskit.data.files import write_whole
from ganskit.engine.checkpoint import checksum_file
from ganskit.engine.rundir import RunDir
from ganskit.engine.training import Interrupted
from ganskit.errors import UserError, one_line
from ganskit.evaluate.evaluation import evaluate_run, finite
from ganskit.evaluator import Evaluation, Result, find_number
from ganskit.recipe import Recipe


class Evaluations:
    """The evaluations of a recipe, on the checkpoints of its run: what training does is not touched."""

    def __init__(self, recipe: Recipe, directory: RunDir, device: torch.device) -> None:
        self._recipe, self._directory, self._device = recipe, directory, device
        self._last = {line["name"]: line["samples"] for line in directory.evaluations_noted()}

    def due(self, samples: int) -> list[str]:
        """Those to make after `samples` real samples: at the end, or when an interval has passed since the last time."""
        return [name for name, each in self._recipe.evaluations.items() if self._is_due(each, self._last.get(name, 0), samples)]

    def _is_due(self, wanted: Evaluation, last: int, samples: int) -> bool:
        if samples >= self._recipe.samples:
            return last < samples
        return wanted.every is not None and samples // wanted.every > last // wanted.every

    def passed(self, name: str, samples: int) -> None:
        """It was made, or could not be: it is not due again before the next interval."""
        self._last[name] = samples

    def make(self, name: str, checkpoint: Path, say: Callable[[str], None]) -> Result | None:
        """Evaluate a checkpoint, note what was found, and keep the checkpoint if it is the best so far.

        An evaluation that cannot be made costs a warning and not the training; None is returned, and resuming tries again.
        """
        wanted, samples = self._recipe.evaluations[name], int(checkpoint.stem)
        how: dict[str, Any] = {"ema": wanted.ema, "device": str(self._device), "recipe": self._recipe}
        try:
            result = evaluate_run(self._directory.path, wanted.evaluator, checkpoint=checkpoint, name=name, **how)
        except Interrupted:
            raise
        except Exception as error:  # an evaluator may be anybody's; the training must not pay for it
            say(f"Warning: the evaluation {name} was not made at {samples:,} samples: {one_line(error)}")
            return None
        self._directory.note_evaluation({"name": name, "samples": samples, "numbers": finite(result.numbers)})
        best = False
        if wanted.best:
            try:
                number = find_number(result.numbers, wanted.best, f'the evaluation "{name}"')
                best = self._keep_best(name, number, wanted.higher, result.numbers[number], checkpoint)
            except UserError as error:
                say(f"Warning: no best checkpoint is kept: {error}")
        said = ", ".join(f"{key} {value:.5g}" for key, value in result.numbers.items())
        say(f"{name} at {samples:,} samples: {said}{' (the best so far)' if best else ''}")
        return result

    def _keep_best(self, name: str, number: str, higher: bool, value: float, checkpoint: Path) -> bool:
        """Put the checkpoint beside those that training replaces, if it is the best so far."""
        if math.isnan(value):
            return False
        folder, note = self._directory.best, self._directory.best / f"{name}.json"
        with suppress(OSError, ValueError, KeyError, TypeError):
            before = json.loads(note.read_bytes())
            same = (before["number"], before["higher"]) == (number, higher)  # else the recipe asks for another best by now
            if same and not (value > before["value"] if higher else value < before["value"]):
                return False
        folder.mkdir(exist_ok=True)
        for file in (checkpoint, checksum_file(checkpoint)):
            _link(file, folder / file.name)
        about = {"number": number, "higher": higher, "value": value, "samples": int(checkpoint.stem), "file": checkpoint.name}
        write_whole(note, (json.dumps(about, indent=2) + "\n").encode())
        with suppress(OSError, ValueError, KeyError, TypeError):  # with a damaged note one cannot say what is not used
            used = {json.loads(each.read_bytes())["file"] for each in folder.glob("*.json")}
            for file in folder.glob("*.safetensors"):
                if file.name not in used:
                    file.unlink()
                    checksum_file(file).unlink(missing_ok=True)
        return True


def check(recipe: Recipe) -> None:
    """Raise UserError for an evaluation that cannot succeed, before the training and not hours later."""
    for name, each in recipe.evaluations.items():
        try:
            each.evaluator.check(recipe)
        except UserError as error:
            raise UserError(f"The evaluation {name} of {recipe.name}: {error}") from error
        except Exception:  # a mistake in somebody's evaluator: the training must not pay for it, and `make` tells of it
            continue


def check_count(recipe: Recipe, num_examples: int) -> None:
    """Raise UserError for an evaluation that needs more examples than the recipe's data have."""
    for name, each in recipe.evaluations.items():
        try:
            needed = each.evaluator.real_examples()
            too_few = needed > num_examples
        except Exception:  # as above
            continue
        if too_few:
            raise UserError(
                f"The evaluation {name} of {recipe.name} looks at {needed:,} different real examples, and there are "
                f"{num_examples:,}: set num_real of evaluations.{name}.evaluator, or num if it has none, to at most that."
            )


def _link(file: Path, to: Path) -> None:
    """One file under two names where the disk can, else a copy."""
    to.unlink(missing_ok=True)
    try:
        os.link(file, to)
    except OSError:
        shutil.copyfile(file, to)
