"""Plots as SVG texts, for reports: they take their colours from the page, and their letters stay letters."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def svg(figure: Figure) -> str:
    """The figure as an <svg> element on a transparent ground; the same figure gives the same text.

    Make figures with `matplotlib.figure.Figure`, not with pyplot, which keeps every one it makes.
    """
    import matplotlib

    out = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "ganskit"}):
        figure.savefig(out, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
    return out.getvalue()[out.getvalue().index("<svg") :]
