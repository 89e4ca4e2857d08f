"""Pages about runs: `report_run` makes one of a run, `compare_runs` one of several side by side."""

from __future__ import annotations

from ganskit.report.comparing import compare_runs
from ganskit.report.page import report_run

__all__ = ["compare_runs", "report_run"]
