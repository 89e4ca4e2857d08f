"""The run directory: one place on disk for everything a run writes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from attrs import frozen
from filelock import FileLock, Timeout

from ganskit.config import Table
from ganskit.data.files import write_whole
from ganskit.errors import UserError
from ganskit.evaluator import is_name
from ganskit.recipe import Recipe, read_table, to_table, to_toml

FREE_TO_CHANGE = {
    "samples",
    "checkpoint_every",
    "sample_every",
    "log_every",
    "paper",
    "claims",
    "evaluations",
    "plugins",
    "data.path",
}
"""What may differ when a run is resumed, because training does not depend on it. (That the data at another path are
the same is checked by their digest.)"""


def folder_name(name: str) -> str:
    """A recipe's name as that of a folder, which lies where it is put."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "run"


@frozen
class RunDir:
    """RUN/recipe.toml metrics.jsonl evaluations.jsonl samples/ checkpoints/ best/ evaluations/."""

    path: Path

    @classmethod
    def choose(cls, name: str, out: Path | None, resume: bool) -> RunDir:
        """`out`, or runs/NAME-001 and so on: a new one, or on resume the last there is.

        Raises UserError when `out` holds a run already and is not to be resumed, or cannot be a run directory.
        """
        if out is not None:
            run = cls(out)
            if out.exists() and not out.is_dir():
                raise UserError(f"{out} is a file: --out takes the folder in which to put the run.")
            if out.is_dir() and not run.recipe_file.exists() and any(p.name != ".lock" for p in out.iterdir()):
                raise UserError(
                    f"{out} is not empty and holds no run: give --out a new folder, so that nothing in there is lost."
                )
            if run.recipe_file.exists() and not resume:
                raise UserError(f"{out} holds a run already. Go on with it with --resume, or give another --out.")
            return run
        stem = folder_name(name)
        taken = [int(p.name[len(stem) + 1 :]) for p in Path("runs").glob(f"{stem}-*") if p.name[len(stem) + 1 :].isdigit()]
        number = max(taken, default=0) + (0 if resume and taken else 1)
        return cls(Path("runs") / f"{stem}-{number:03}")

    @classmethod
    def there(cls, path: str | Path) -> RunDir:
        """The one at `path`. Raises UserError for a folder that is none."""
        run = cls(Path(path))
        if not run.recipe_file.exists():
            raise UserError(
                f"{path} is not a run directory: it has no recipe.toml. Give a folder that `ganskit run` made, "
                "such as runs/dcgan-rooms-001."
            )
        return run

    @property
    def recipe_file(self) -> Path:
        """The resolved recipe."""
        return self.path / "recipe.toml"

    @property
    def metrics_file(self) -> Path:
        """One JSON object per logged round."""
        return self.path / "metrics.jsonl"

    @property
    def checkpoints(self) -> Path:
        """Where checkpoints lie."""
        return self.path / "checkpoints"

    @property
    def best(self) -> Path:
        """Where the best checkpoints lie, for each evaluation that looks for one."""
        return self.path / "best"

    def best_checkpoint(self, evaluation: str = "") -> Path:
        """The checkpoint that an evaluation found best; "" for the only one that looks for it. Raises UserError."""
        there = sorted(file.stem for file in self.best.glob("*.json"))
        if not there:
            raise UserError(f"{self.path} has no best checkpoint: no evaluation in its recipe says by which number (best = ...).")
        if evaluation not in there and (evaluation or len(there) > 1):
            raise UserError(f"{self.path} has the best checkpoints by {', '.join(there)}: expected best:{there[0]}, for example.")
        note = self.best / f"{evaluation or there[0]}.json"
        try:
            return self.best / Path(json.loads(note.read_bytes())["file"]).name
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise UserError(f"{note} is damaged ({error}). Name a checkpoint by its number.") from error

    @property
    def evaluations_file(self) -> Path:
        """One JSON object per evaluation that was made in training."""
        return self.path / "evaluations.jsonl"

    def samples_file(self, samples: int) -> Path:
        """The sample grid made when so many real samples had been dealt."""
        return self.path / "samples" / f"{samples:012}.png"

    def evaluation(self, name: str) -> Path:
        """The folder of an evaluation's result and pictures. Raises UserError for a name that is no folder's."""
        if not is_name(name):
            raise UserError(
                f'An evaluation cannot be kept under the name "{name}": expected 1 to 100 letters, digits, ".", "-" and "_", '
                "beginning with a letter, a digit or _."
            )
        return self.path / "evaluations" / name

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory; one in which no run began is taken away again.

        Raises UserError when another process holds it, or it cannot be written.
        """
        ours = not self.path.exists()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.path / ".lock")
            lock.acquire(timeout=0)
        except Timeout:
            raise UserError(f"Another process is training in {self.path}: wait for it, or give another --out.") from None
        except OSError as error:
            raise UserError(f"{self.path} cannot be written: {error.strerror}. Give another --out.") from error
        try:
            yield
        finally:
            lock.release()  # first, because Windows removes no file that is locked
            if ours and not self.recipe_file.exists():
                with suppress(OSError):
                    Path(lock.lock_file).unlink()
                    self.path.rmdir()

    def check(self, recipe: Recipe) -> None:
        """Raise UserError when the directory holds a run of a recipe that trains differently, with the differences."""
        if self.recipe_file.exists():
            self.check_against(read_table(self.recipe_file), recipe)

    def check_against(self, started: Table, recipe: Recipe) -> None:
        """Raise UserError when the recipe trains differently from the one that the run was started with."""
        differences = list(compare(started, json.loads(json.dumps(to_table(recipe)))))
        if differences:
            lines = "\n".join(f"  {key}: {old} in the run, {new} now" for key, old, new in differences)
            raise UserError(
                f"{self.path} was started with another recipe, so it cannot be resumed with this one:\n{lines}\n"
                "Resume it as it was started, or start a new run with another --out "
                "(with --init-from, to begin with the weights of this one)."
            )

    def begin(self, recipe: Recipe) -> None:
        """Write the recipe."""
        write_whole(self.recipe_file, to_toml(recipe).encode())

    def log(self, line: Mapping[str, Any]) -> None:
        """Append a line to metrics.jsonl."""
        _append(self.metrics_file, line)

    def note_evaluation(self, line: Mapping[str, Any]) -> None:
        """Append a line to evaluations.jsonl."""
        _append(self.evaluations_file, line)

    def evaluations_noted(self) -> list[Mapping[str, Any]]:
        """What `note_evaluation` wrote, each with its name, samples and numbers; other lines are left out."""
        if not self.evaluations_file.exists():
            return []
        lines = self.evaluations_file.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line for line in map(json.loads, (each for each in lines if _samples_in(each) < float("inf"))) if is_note(line)]

    def cut_back(self, samples: int) -> None:
        """Drop the metrics, evaluations and sample grids of later rounds than the checkpoint's."""
        for file in (self.metrics_file, self.evaluations_file):
            if file.exists():
                lines = file.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
                write_whole(file, "".join(line for line in lines if _samples_in(line) <= samples).encode())
        for grid in (self.path / "samples").glob("[0-9]*.png"):
            if grid.stem.isdigit() and int(grid.stem) > samples:
                grid.unlink()


def _append(file: Path, line: Mapping[str, Any]) -> None:
    with file.open("a", encoding="utf-8") as opened:
        opened.write(json.dumps(line) + "\n")


def _samples_in(line: str) -> float:
    """The clock of a metrics line; a line that a kill cut off counts as later than everything."""
    try:
        return float(json.loads(line)["samples"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return float("inf")


def is_note(line: Mapping[str, Any]) -> bool:
    """Whether it is a line of evaluations.jsonl, and not only some JSON."""
    is_count = isinstance(line.get("samples"), int) and not isinstance(line["samples"], bool)
    return is_count and isinstance(line.get("name"), str) and isinstance(line.get("numbers"), dict)


def compare(old: Table, new: Table, where: str = "") -> Iterator[tuple[str, object, object]]:
    """(key, old, new) of every value that differs and matters, compared as values and not as text."""
    for key in sorted(old.keys() | new.keys()):
        path = f"{where}.{key}" if where else key
        before, after = old.get(key), new.get(key)
        if path in FREE_TO_CHANGE or before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            yield from compare(before, after, path)
        else:
            yield path, before, after
