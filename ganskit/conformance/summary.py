"""What pytest says of the conformance kit: how many entries were checked, and a table of what came out."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import pytest
from attrs import field, frozen

from ganskit.registry import KINDS, Entry

CHECKS = {
    "options": "options", "three_rounds": "plays", "resume": "resumes", "micro_batches": "micro-batches", "bf16": "bf16",
    "compiled": "compiles", "compiled_by_inductor": "inductor", "sampling": "sampling", "evaluation": "evaluates",
    "examples": "examples",
}  # fmt: skip
MARKS = {"passed": "✓", "skipped": "n/a", "failed": "✗"}


PROPERTY = "ganskit"


@frozen
class Outcomes:
    """What came out: (distribution, kind, name) -> check -> passed, skipped or failed; and why it was skipped."""

    by_entry: dict[tuple[str, str, str], dict[str, str]] = field(factory=dict)
    reasons: set[str] = field(factory=set)


def pytest_addoption(parser: pytest.Parser) -> None:
    """--ganskit-table."""
    parser.addoption("--ganskit-table", type=Path, metavar="FILE", help="write what the conformance kit found as Markdown")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note which entry a test of the kit is about: in its report, which may come from another process (pytest-xdist)."""
    report = yield
    entry = getattr(item, "callspec", None) and item.callspec.params.get("entry")  # type: ignore[attr-defined]  # a Function's
    if isinstance(entry, Entry):
        check = item.originalname.removeprefix("test_")  # type: ignore[attr-defined]  # as above
        report.user_properties.append((PROPERTY, (entry.distribution, entry.kind, entry.name, check)))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how many entries were checked, of which distributions and kinds."""
    outcomes = _outcomes(report for reports in terminalreporter.stats.values() for report in reports)
    for distribution in dict.fromkeys(key[0] for key in outcomes.by_entry):
        kinds = [key[1] for key in outcomes.by_entry if key[0] == distribution]
        counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in KINDS if kind in kinds)
        terminalreporter.write_line(f"ganskit: {len(kinds)} entries of {distribution} were checked ({counts})")
    if file := config.getoption("--ganskit-table"):
        file.write_text(table(outcomes), encoding="utf-8")


def _outcomes(reports: Iterable[object]) -> Outcomes:
    outcomes = Outcomes()
    for report in reports:
        if not isinstance(report, pytest.TestReport) or (report.when != "call" and report.outcome == "passed"):
            continue
        about: Any = dict(report.user_properties).get(PROPERTY)
        if about is None:
            continue
        distribution, kind, name, check = about
        outcomes.by_entry.setdefault((distribution, kind, name), {})[check] = report.outcome
        if report.outcome == "skipped" and isinstance(report.longrepr, tuple):
            reason = report.longrepr[2].removeprefix("Skipped: ")
            outcomes.reasons.add(f"{kind} {name}, {CHECKS.get(check, check)}: {reason}")
    return outcomes


def table(outcomes: Outcomes) -> str:
    """Markdown: a row for each entry, a column for each check, and the reasons of what was skipped."""
    used = [check for check in CHECKS if any(check in row for row in outcomes.by_entry.values())]
    lines = [f"| entry | {' | '.join(CHECKS[check] for check in used)} |", f"|---|{':-:|' * len(used)}"]
    for (_, kind, name), row in sorted(outcomes.by_entry.items()):
        cells = (MARKS[row[check]] if check in row else "" for check in used)
        lines.append(f"| {kind} `{name}` | {' | '.join(cells)} |")
    if outcomes.reasons:
        lines += ["", "Not applicable (n/a):", "", *(f"- {reason}" for reason in sorted(outcomes.reasons))]
    return "\n".join(lines) + "\n"
