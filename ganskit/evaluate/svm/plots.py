"""What an SVM's outcome looks like: error by C, and which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ganskit.evaluate.plots import svg
from ganskit.evaluate.svm.protocol import Outcome

MOST_NAMES = 24


def pictured(outcome: Outcome, names: Sequence[str]) -> dict[str, str]:
    """SVG texts by name; a choice among one C is no picture."""
    confusion = {"confusion": _confusion(outcome.confusion, names)}
    return {"error-by-C": _by_c(outcome), **confusion} if len(outcome.by_c) > 1 else confusion


def _by_c(outcome: Outcome) -> str:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5, 3))
    axes = figure.subplots()
    cs = list(outcome.by_c)
    errors = [100 * np.array(each) for each in outcome.by_c.values()]
    axes.errorbar(cs, [each.mean() for each in errors], [1.96 * each.std() for each in errors], marker="o", capsize=3)
    axes.axvline(outcome.c, linestyle=":", color="grey")
    axes.set(xscale="log", xlabel="C", ylabel="validation error, %")
    return svg(figure)


def _confusion(counts: np.ndarray, names: Sequence[str]) -> str:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5, 4.5))
    axes = figure.subplots()
    axes.imshow(counts / np.maximum(1, counts.sum(1, keepdims=True)), vmin=0, vmax=1, cmap="Blues")
    if len(names) <= MOST_NAMES:
        axes.set_xticks(range(len(names)), names, rotation=90)
        axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="predicted", ylabel="true")
    return svg(figure)
