"""`ganskit report`: one page about one run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen
from PIL import Image

from ganskit.report import curves
from ganskit.report.commands import eval_command, run_command
from ganskit.report.found import Found, Shown, value_of
from ganskit.report.gather import Run, gather
from ganskit.report.images import Inline, Unreadable, embedded, read_picture, sheet, tiles
from ganskit.report.reading import finite, table
from ganskit.report.rendering import check_out, render, write_page
from ganskit.report.words import counted, duration, number, short

STRIP = 8
"""So many grids over time, at most."""
STRIP_TILES = 4
TRAINED = ("batch_size", "ema", "seed")
HERO_TILES = 64
HERO_PIXELS = 160
"""A picture among many is made no larger than this: it is shown at half of it or less."""


@frozen
class Figure:
    """A key figure: what it is, and a few words more about it."""

    label: str
    value: str
    note: str = ""


def report_run(run: str | Path, out: str | Path | None = None) -> Path:
    """Write a page about a run, RUN/report.html or `out`, and return its path. The same run gives the same page.

    What is missing is left out, and what is damaged is named. Raises UserError for a folder that is no run, and for an `out`
    that is no .html or has something else in it.
    """
    found = gather(run)
    file = Path(out) if out is not None else found.path / "report.html"
    check_out(file)
    command, why_not = run_command(found)
    grids = readable(found)
    html = render(
        "report.html.jinja",
        run=found, figures=key_figures(found), hero=_hero(grids[-1:]), strip=_strip(grids), what=what_ran(found),
        claims=claims(found), nets=table(found.recipe, "nets"), charts=_charts(found), command=command, why_not=why_not,
        evaluations=[(each, eval_command(found, each), over_time(each)) for each in found.evaluations],
    )  # fmt: skip
    return write_page(file, html)


def readable(run: Run, most: int = STRIP) -> list[tuple[int, Image.Image]]:
    """Up to `most` of the grids, evenly chosen, the first and the last of those that can be read among them."""
    step = max(1.0, (len(run.grids) - 1) / max(1, most - 1))
    chosen = sorted({len(run.grids) - 1 - round(i * step) for i in range(min(most, len(run.grids)))})
    found = []
    for i in chosen:
        samples, file = run.grids[i]
        try:
            found.append((samples, read_picture(file)))
        except Unreadable as error:
            run.troubles.append(f"samples/{file.name}: {error}")
    return found


def key_figures(run: Run) -> list[Figure]:
    """The few that one asks for first."""
    figures = []
    if run.samples and not run.time_s:
        figures.append(Figure("samples", number(run.samples), "trained elsewhere"))
    elif run.samples:
        done = run.samples >= run.budget
        share = "" if not run.budget else "finished" if done else f"{run.samples / run.budget:.0%} of {run.budget:,}"
        figures.append(Figure("samples seen", number(run.samples), share))
    if run.time_s:
        where = ", ".join(str(run.environment[key]) for key in ("device", "precision") if key in run.environment)
        figures.append(Figure("training time", duration(run.time_s), where))
        unit = "images/s" if run.grids else "samples/s"
        figures.append(Figure(unit, number(round(run.samples / run.time_s)), "mean"))
    return figures + list(_evaluation_figures(run.evaluations))[:3]


def _evaluation_figures(evaluations: Iterable[Found]) -> Iterable[Figure]:
    """The best of what has one, then the first number of the others."""
    for each in evaluations:
        best = value_of(each.best)
        if best:
            name = str(each.best.get("number", ""))
            last = f", {number(each.numbers[name])} last" if name in each.numbers and each.samples != best[0] else ""
            yield Figure(_titled(each.name, name), number(best[1]), f"best, at {best[0]:,} samples{last}")
    for each in evaluations:
        if not value_of(each.best):
            at = "" if each.samples is None else f"at {each.samples:,} samples"
            for name, value in list(each.numbers.items())[:1]:
                yield Figure(_titled(each.name, name), number(value), at)


def _titled(evaluation: str, name: str) -> str:
    return name if evaluation == name else f"{evaluation}: {name}"


def what_ran(run: Run) -> list[tuple[str, str]]:
    """The recipe in a few lines, and the digest of the data it was trained on."""
    game = table(run.recipe, "game")
    parts = {key: value for key, value in game.items() if isinstance(value, (Mapping, list))}
    rest = {key: value for key, value in game.items() if key not in parts}
    lines = {"game": rest, **parts, "data": run.recipe.get("data")}
    told = [(key.replace("_", " "), short(value)) for key, value in lines.items() if value]
    told += [(key.replace("_", " "), short(counted(key, run.recipe[key]))) for key in TRAINED if key in run.recipe]
    digest = run.meta.get("data")
    return told + ([("digest of the prepared data", str(digest))] if digest else [])


def claims(run: Run) -> list[Mapping[str, Any]]:
    """What the paper states, as the recipe carries it: what, where, and the figure."""
    given = run.recipe.get("claims")
    return [each for each in given if isinstance(each, Mapping) and "states" in each] if isinstance(given, list) else []


def _hero(newest: list[tuple[int, Image.Image]]) -> dict[str, Any] | None:
    """The newest samples, one by one, so that they find their places on a wide page and on a narrow one."""
    if not newest:
        return None
    samples, grid = newest[0]
    flat = [tile for row in tiles(grid) for tile in row][:HERO_TILES]
    if len(flat) < 2:
        return {"samples": samples, "tiles": [], "whole": embedded(grid)}
    for tile in flat:
        tile.thumbnail((HERO_PIXELS, HERO_PIXELS))
    return {"samples": samples, "tiles": [embedded(tile) for tile in flat], "whole": None, "wide": len(flat) % 16 == 0}


def _strip(grids: list[tuple[int, Image.Image]]) -> list[Shown]:
    """A corner of each grid: the same noise in each, large enough to be seen."""
    return [Shown(f"{samples:,} samples", _corner(grid)) for samples, grid in grids] if len(grids) > 1 else []


def _corner(grid: Image.Image) -> Inline:
    rows = tiles(grid)
    image = sheet([row[:STRIP_TILES] for row in rows[:STRIP_TILES]]) if rows else grid.copy()
    image.thumbnail((640, 640))
    return embedded(image)


def _charts(run: Run) -> list[tuple[str, Inline]]:
    """Losses, a plot for each player, and the rate."""
    made = []
    for head, names in curves.groups(run.losses):
        lines = [curves.losses(run.metrics, name, name, i) for i, name in enumerate(names)]
        made.append((f"Loss of {head}" if "." in names[0] else head, curves.chart(lines)))
    unit = "Images" if run.grids else "Samples"
    made.append((f"{unit} per second", curves.chart([curves.rate(run.metrics)], from_zero=True)))
    return [(title, plot) for title, plot in made if plot]


def over_time(found: Found) -> list[tuple[str, Inline]]:
    """Each number of an evaluation over the training, where it was made more than once; the best is marked."""
    names = dict.fromkeys(name for _, numbers in found.noted for name in numbers)
    made = []
    for name in names if len(found.noted) > 1 else ():
        points = [(samples, numbers.get(name)) for samples, numbers in found.noted if finite(numbers.get(name))]
        best = value_of(found.best) if found.best.get("number") == name else None
        made.append((name, curves.chart([curves.series(name, points, dots=True, marked=best)])))
    return [(name, plot) for name, plot in made if plot]
