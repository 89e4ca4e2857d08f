"""Plots of what changed over a run, for one run or several: small, quiet, and legible on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from ganskit.evaluate.plots import svg
from ganskit.report.images import Inline, embedded_plot
from ganskit.report.reading import finite

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#2458c5", "#c9600f", "#0e8a6a", "#8a3fbf", "#c23048", "#5c6470", "#8a7000", "#0d7fa8")
"""Told apart by people who see colours differently, too, and with their lightness turned round."""
INK, LINES = "#333338", "#d8d8dd"
BINS = 240
"""A longer series is shown as the mean of so many parts, in a band from the least to the most of each."""


@frozen
class Series:
    """A line: its name, x and y (N,) in order, its place in the colours, and a point to mark."""

    name: str
    x: np.ndarray
    y: np.ndarray
    colour: int = 0
    marked: tuple[float, float] | None = None
    dots: bool = False


def series(name: str, points: Sequence[tuple[Any, Any]], colour: int = 0, **more: Any) -> Series:  # noqa: ANN401 - of Series
    """The points (x, y) that a plot can show, as a line."""
    shown = [(x, y) for x, y in points if finite(x) and finite(y)]
    x, y = np.array(shown, dtype=float).reshape(-1, 2).T
    return Series(name, x, y, colour, **more)


def losses(metrics: Sequence[Mapping[str, Any]], name: str, label: str, colour: int = 0) -> Series:
    """A logged value over samples."""
    return series(label, [(line["samples"], line[name]) for line in metrics if name in line], colour)


def rate(metrics: Sequence[Mapping[str, Any]], label: str = "images/s", colour: int = 0) -> Series:
    """Samples per second between one line of the log and the next; evaluations are not in the time that is logged."""
    clock = [(line["samples"], line["time_s"]) for line in metrics if finite(line.get("time_s"))]
    pairs = pairwise(clock)
    return series(label, [(x, (x - x0) / (t - t0)) for (x0, t0), (x, t) in pairs if t > t0 and x > x0], colour)


def chart(lines: Sequence[Series], *, from_zero: bool = False) -> Inline | None:
    """The lines in one plot over the samples seen; None if none of them has two points, or one to mark."""
    lines = [line for line in lines if len(line.x) > 1 or (line.dots and len(line.x))]
    if not lines:
        return None
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter, MaxNLocator, StrMethodFormatter

    with matplotlib.rc_context({"font.size": 8.5, "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": LINES}):
        figure = Figure(figsize=(4.3, 2.5))
        axes = figure.subplots()
        for line in lines:
            _draw(axes, line)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(length=0, labelcolor=INK)
        axes.grid(axis="y", color=LINES, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.6g}"))
        axes.set_xlabel("samples")
        if from_zero:
            axes.set_ylim(bottom=0)
        if len(lines) > 1:
            columns = 2 if max(len(line.name) for line in lines) > 14 else 4
            axes.legend(
                ncols=columns, frameon=False, loc="lower left", bbox_to_anchor=(-0.02, 1.0), handlelength=1.2,
                columnspacing=1.2, borderaxespad=0.2,
            )  # fmt: skip
        return embedded_plot(_with_system_font(figure))


def _draw(axes: Axes, line: Series) -> None:
    colour = COLOURS[line.colour % len(COLOURS)]
    x, y, low, high = _thinned(line.x, line.y)
    name = line.name.replace("_", "\u2009_", 1) if line.name.startswith("_") else line.name  # matplotlib leaves such names out
    axes.plot(x, y, color=colour, linewidth=1.4, label=_plain(name), marker="o" if line.dots else "", markersize=3.5)
    if low is not None:
        axes.fill_between(x, low, high, color=colour, alpha=0.16, linewidth=0)
    if line.marked:
        axes.plot(*line.marked, marker="o", markersize=9, markerfacecolor="none", markeredgecolor=colour, markeredgewidth=1.6)


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, Any, Any]:
    """At most BINS points: means, and the least and most of each part; None where nothing was left out."""
    if len(x) <= BINS:
        return x, y, None, None
    parts = [
        (a.mean(), b.mean(), b.min(), b.max()) for a, b in zip(np.array_split(x, BINS), np.array_split(y, BINS), strict=True)
    ]
    mean_x, mean_y, low, high = np.array(parts).T
    return mean_x, mean_y, low, high


def _plain(text: str) -> str:
    """Text without matplotlib's mathematics: a dollar sign is one."""
    return text.replace("$", r"\$")


def _with_system_font(figure: Figure) -> str:
    return re.sub(r"font-family: [^;\"]*", "font-family: system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif", svg(figure))


def groups(names: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Names such as D.real and D.fake, by what is before the point: one plot each."""
    heads = dict.fromkeys(name.partition(".")[0] for name in names)
    return ((head, [name for name in names if name.partition(".")[0] == head]) for head in heads)
