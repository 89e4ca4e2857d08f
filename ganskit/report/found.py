"""The evaluations of a run: what was found last, what was found on the way, and which was best."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from ganskit.engine.rundir import RunDir, is_note
from ganskit.errors import one_line
from ganskit.evaluate.evaluation import RESULT
from ganskit.report.images import Inline, Unreadable, embedded, read_picture, read_plot, shown
from ganskit.report.reading import Troubles, finite, json_file, json_lines, table, text

NUMBER = (int, float)
RECORD = {
    **dict.fromkeys(("evaluator", "numbers", "protocol", "details", "pictures", "plots", "plugins"), dict),
    **{"samples": int, "ema": bool, "time_s": NUMBER},
    **dict.fromkeys(("device", "precision", "weights_sha256"), str),
}
"""What is under the keys of result.json."""
BEST = {"number": str, "value": NUMBER, "samples": int, "file": str}


@frozen
class Shown:
    """A picture or a plot."""

    name: str
    image: Inline
    caption: str = ""


@frozen(kw_only=True)
class Found:
    """One evaluation by name: its newest record, and what was noted of it in training."""

    name: str
    record: Mapping[str, Any] = field(factory=dict)
    """result.json; empty if there is none."""
    pictures: tuple[Shown, ...] = ()
    plots: tuple[Shown, ...] = ()
    noted: tuple[tuple[int, Mapping[str, Any]], ...] = ()
    """Samples, and the numbers that were found then."""
    best: Mapping[str, Any] = field(factory=dict)
    """Of the best checkpoint: number, value, samples; empty if none is kept."""
    lower_is_better: Mapping[str, bool] = field(factory=dict)
    """Numbers whose better direction the recipe tells."""

    def is_lower_better(self, number: str) -> bool | None:
        """What the recipe tells of a number, where "fd" stands for "fd[NET]", too; None: nothing."""
        return self.lower_is_better.get(number, self.lower_is_better.get(number.partition("[")[0]))

    @property
    def numbers(self) -> Mapping[str, Any]:
        """The newest."""
        return table(self.record, "numbers") or (self.noted[-1][1] if self.noted else {})

    @property
    def samples(self) -> int | None:
        """The clock of the newest numbers."""
        newest = self.record.get("samples", self.noted[-1][0] if self.noted else None)
        return newest if isinstance(newest, int) else None


def evaluations(directory: RunDir, wanted: Mapping[str, Any], troubles: Troubles) -> list[Found]:
    """All of a run, by name. `wanted` is the recipe's table of evaluations."""
    by_name: dict[str, Found] = {}

    def update(name: str, **changes: Any) -> None:  # noqa: ANN401 - fields of Found
        by_name[name] = evolve(by_name.get(name, Found(name=name)), **changes)

    for folder in sorted((directory.path / "evaluations").glob("*")):
        if folder.is_dir() and not folder.name.startswith("."):  # one that begins with a point was never finished
            update(folder.name, **_kept(folder, troubles))
    for line in json_lines(directory.evaluations_file, troubles, is_note):
        before = by_name.get(line["name"], Found(name=line["name"])).noted
        update(line["name"], noted=(*before, (line["samples"], line["numbers"])))
    for file in sorted(directory.best.glob("*.json")):
        note = _read(file, f"best/{file.name}", BEST, troubles)
        if note.keys() >= BEST.keys() and not (directory.best / _inside(note["file"])).is_file():
            troubles.append(f"best/{file.name}: the checkpoint that it names, {_inside(note['file'])}, is not there")
        elif note.keys() >= BEST.keys():
            update(file.stem, best=note)
    for name, asked in wanted.items():
        if name in by_name and isinstance(asked, Mapping) and text(asked, "best"):
            update(name, lower_is_better={asked["best"]: not asked.get("higher", False)})
    return [by_name[name] for name in sorted(by_name)]


def _kept(folder: Path, troubles: Troubles) -> dict[str, Any]:
    """The record of an evaluation, with its pictures and plots."""
    where = f"evaluations/{folder.name}/{RESULT}"
    record = dict(_read(folder / RESULT, where, RECORD, troubles))
    numbers = table(record, "numbers")
    if wrong := [key for key, value in numbers.items() if not (finite(value) or value in ("nan", "inf", "-inf"))]:
        troubles.append(f"{where}: no number under {', '.join(wrong)}")
        record["numbers"] = {key: value for key, value in numbers.items() if key not in wrong}
    pictures, plots = [], []
    for name, about in table(record, "pictures").items():
        told: Mapping[str, Any] = about if isinstance(about, Mapping) else {"file": f"{name}.png"}
        file = folder / _inside(text(told, "file"))
        try:
            pictures.append(Shown(name, embedded(shown(read_picture(file))), text(told, "caption")))
        except Unreadable as error:
            troubles.append(f"evaluations/{folder.name}/{file.name}: {error}")
    for name, given in table(record, "plots").items():
        file = folder / _inside(given)
        try:
            plots.append(Shown(name, read_plot(file)))
        except Unreadable as error:
            troubles.append(f"evaluations/{folder.name}/{file.name}: {error}")
    return {"record": record, "pictures": tuple(pictures), "plots": tuple(plots)}


def _inside(file: object) -> str:
    """The name of a file in the evaluation's own folder: a record that names one elsewhere gets none of it."""
    return Path(str(file).replace("\0", "")).name or "unnamed"


def _read(file: Path, name: str, kinds: Mapping[str, Any], troubles: Troubles) -> Mapping[str, Any]:
    """A JSON file without what is of another kind than under these keys; empty if there is none."""
    try:
        found = json_file(file)
    except FileNotFoundError:
        troubles.append(f"{name}: there is no such file")
        return {}
    except (OSError, ValueError) as error:
        troubles.append(f"{name}: {one_line(error)}")
        return {}
    wrong = [
        key
        for key, kind in kinds.items()
        if key in found and not (isinstance(found[key], kind) and (kind is not NUMBER or finite(found[key])))
    ]
    troubles += [f"{name}: {key} is not what it should be" for key in wrong]
    return {key: value for key, value in found.items() if key not in wrong}


def value_of(best: Mapping[str, Any]) -> tuple[int, float] | None:
    """Where the best checkpoint was, and its number; None if there is no best."""
    return (best["samples"], float(best["value"])) if best and finite(best["value"]) else None
