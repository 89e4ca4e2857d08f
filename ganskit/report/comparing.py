"""`ganskit compare`: several runs on one page, side by side."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from ganskit.errors import UserError
from ganskit.report import curves
from ganskit.report.found import Found
from ganskit.report.gather import Run, gather
from ganskit.report.images import Inline, Unreadable, embedded, read_picture, sheet, tiles
from ganskit.report.page import key_figures
from ganskit.report.reading import finite, table
from ganskit.report.rendering import check_out, render, write_page
from ganskit.report.words import MISSING, counted, leaves, number, short

SIDE = 8
KEY_FIGURES = ("samples seen", "samples", "training time", "images/s", "samples/s")
LOWER = ("fid", "fd", "kid", "kd", "swd", "ppl", "error", "validation_error", "reverse_kl", "reverse_kl_high_quality", "mmd2")
HIGHER = ("inception_score", "precision", "recall", "f_score", "accuracy", "modes", "high_quality")
"""Numbers that are better when they are lower, or higher, wherever they come from; of others, the recipe must tell."""

OF_THE_MODEL = ("weights_sha256", "samples", "ema")
"""What a protocol may say of the model itself."""


@frozen
class Row:
    """A number of an evaluation in all runs: its texts, which one is better (None: not known), and why it may not be compared."""

    name: str
    values: tuple[str, ...]
    better: int | None
    warning: str = ""


def compare_runs(runs: Sequence[str | Path], out: str | Path = "compare.html") -> Path:
    """Write a page with several runs side by side to `out` and return its path.

    Raises UserError for fewer than two runs, for one given twice, and for what `report_run` refuses.
    """
    if len(runs) < 2:
        raise UserError("There is nothing to compare with one run alone: give two or more, or use ganskit report.")
    folders = [Path(run).resolve() for run in runs]
    for i, folder in enumerate(folders):
        if folder in folders[:i]:
            raise UserError(f"{runs[i]} is given twice: give runs that are not the same.")
    check_out(Path(out))
    found = [gather(run, label) for run, label in zip(runs, labels(folders), strict=True)]
    html = render(
        "compare.html.jinja",
        runs=found, grids=[_grid(run) for run in found], figures=_figures(found), differences=differences(found),
        charts=_charts(found), evaluations=[(name, numbers(name, found)) for name in _evaluations(found)],
        colours=len(curves.COLOURS),
    )  # fmt: skip
    return write_page(Path(out), html)


def labels(folders: Sequence[Path]) -> list[str]:
    """The folders' names, with as many of those above them as tell them apart."""
    for depth in range(1, max(len(folder.parts) for folder in folders) + 1):
        names = ["/".join(folder.parts[-depth:]) for folder in folders]
        if len(set(names)) == len(names):
            return names
    return [str(folder) for folder in folders]


def differences(runs: Sequence[Run]) -> list[tuple[str, list[str]]]:
    """Every key of the recipes whose value is not the same in all, with its values; a dash where it is not there."""
    tables = [dict(leaves(run.recipe)) for run in runs]
    keys = list(dict.fromkeys(key for each in tables for key in each))
    texts = [{key: json.dumps(value, default=str) for key, value in each.items()} for each in tables]
    return [
        (key, [short(counted(key.rpartition(".")[2], each[key])) if key in each else MISSING for each in tables])
        for key in keys
        if len({each.get(key) for each in texts}) > 1
    ]


def numbers(evaluation: str, runs: Sequence[Run]) -> list[Row]:
    """The evaluation's newest numbers, run by run."""
    found = [_found(run, evaluation) for run in runs]
    names = dict.fromkeys(name for each in found for name in each.numbers)
    warning = protocol_warning([(run.label, each) for run, each in zip(runs, found, strict=True) if each.record])
    rows = []
    for name in names:
        values = [each.numbers.get(name) for each in found]
        lower = next((told for each in found if (told := each.is_lower_better(name)) is not None), lower_is_better(name))
        shown = tuple(MISSING if value is None else number(value) for value in values)
        rows.append(Row(name, shown, None if warning or lower is None else _better(values, lower), warning))
    return rows


def lower_is_better(name: str) -> bool | None:
    """Whether a number is better when it is lower, by its name: "fid", "fd[conv-mnist]", "recall"; None: it is not known."""
    plain = re.sub(r"_\d+$", "", name.partition("[")[0].strip().lower().replace("-", "_"))  # swd_32 is swd at one size
    return True if plain in LOWER else False if plain in HIGHER else None


def _better(values: Sequence[object], lower: bool) -> int | None:
    """The place of the best one; None when there is nothing to compare, or no single best."""
    known = {i: float(value) for i, value in enumerate(values) if finite(value) and isinstance(value, (int, float))}
    if len(known) < 2:
        return None
    best = min(known.values()) if lower else max(known.values())
    places = [i for i, value in known.items() if math.isclose(value, best, rel_tol=1e-12)]
    return places[0] if len(places) == 1 else None


def protocol_warning(found: Sequence[tuple[str, Found]]) -> str:
    """What differs between the ways in which runs were measured; "" if nothing does."""
    tables = [_protocol(each.record) for _, each in found]
    keys = dict.fromkeys(key for each in tables for key in each)
    differing = []
    for key in keys:
        texts = [json.dumps(each[key], sort_keys=True) if key in each else "not given" for each in tables]
        if len(set(texts)) > 1:
            differing.append(
                f"{key} is " + ", ".join(f"{text} in {label}" for text, (label, _) in zip(texts, found, strict=True))
            )
    return "; ".join(differing)


def _protocol(record: Mapping[str, Any]) -> dict[str, Any]:
    """How it was measured: the evaluator, its options, its protocol. That the models differ is no difference of these."""
    both = dict(leaves(table(record, "evaluator"))) | dict(leaves(table(record, "protocol")))
    return {key: value for key, value in both.items() if not _of_the_model(key.rpartition(".")[2], value, record)}


def _of_the_model(key: str, value: object, record: Mapping[str, Any]) -> bool:
    return key in OF_THE_MODEL and value == record.get(key)


def _found(run: Run, evaluation: str) -> Found:
    return next((each for each in run.evaluations if each.name == evaluation), Found(name=evaluation))


def _evaluations(runs: Sequence[Run]) -> list[str]:
    return sorted({each.name for run in runs for each in run.evaluations})


def _figures(runs: Sequence[Run]) -> list[tuple[str, list[str]]]:
    """Samples, time and rate, the nets' parameters, and the environment, run by run."""
    by_run = [{each.label: each.value for each in key_figures(run)} for run in runs]
    names = [name for name in KEY_FIGURES if any(name in figures for figures in by_run)]
    rows = [(name, [figures.get(name, MISSING) for figures in by_run]) for name in names]
    nets = dict.fromkeys(name for run in runs for name in run.parameters)
    rows += [(f"parameters of {net}", [number(run.parameters.get(net)) for run in runs]) for net in nets]
    environment = dict.fromkeys(key for run in runs for key in run.environment)
    return rows + [(key, [number(run.environment.get(key)) for run in runs]) for key in environment]


def _grid(run: Run) -> tuple[int, Inline] | None:
    """The newest grid that can be read, with its clock."""
    for samples, file in reversed(run.grids):
        try:
            image = read_picture(file)
        except Unreadable as error:
            run.troubles.append(f"samples/{file.name}: {error}")
            continue
        rows = tiles(image)
        return samples, embedded(sheet([row[:SIDE] for row in rows[:SIDE]]) if rows else image)
    return None


def _charts(runs: Sequence[Run]) -> list[tuple[str, Inline]]:
    """A plot for each loss, one of the rates, and one for each number that was noted over time."""
    made: list[tuple[str, Inline | None]] = []
    for name in dict.fromkeys(name for run in runs for name in run.losses):
        made.append((name, curves.chart([curves.losses(run.metrics, name, run.label, i) for i, run in enumerate(runs)])))
    rates = [curves.rate(run.metrics, run.label, i) for i, run in enumerate(runs)]
    made.append(("samples per second", curves.chart(rates, from_zero=True)))
    for evaluation in _evaluations(runs):
        noted = [_found(run, evaluation).noted for run in runs]
        for name in dict.fromkeys(name for each in noted for _, values in each for name in values):
            points = [[(samples, values.get(name)) for samples, values in each] for each in noted]
            lines = [curves.series(run.label, each, i, dots=True) for i, (run, each) in enumerate(zip(runs, points, strict=True))]
            title = name if name == evaluation else f"{evaluation}: {name}"
            made.append((title, curves.chart(lines) if any(len(line.x) > 1 for line in lines) else None))
    return [(title, plot) for title, plot in made if plot]
