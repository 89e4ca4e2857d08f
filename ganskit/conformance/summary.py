"""What pytest says of the conformance kit: how many entries were checked, and a table of what came out."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from attrs import field, frozen

from ganskit.registry import KINDS, Entry

CHECKS = {
    "options": "options", "three_rounds": "plays", "resume": "resumes", "micro_batches": "micro-batches", "bf16": "bf16",
    "compiled": "compiles", "compiled_by_inductor": "inductor", "sampling": "sampling", "evaluation": "evaluates",
    "examples": "examples",
}  # fmt: skip
MARKS = {"passed": "✓", "skipped": "n/a", "failed": "✗"}


@frozen
class Outcomes:
    """What came out: (entry, check) -> passed, skipped or failed; and why it was skipped."""

    by_entry: dict[tuple[str, str, str], dict[str, str]] = field(factory=dict)
    reasons: dict[str, None] = field(factory=dict)


OUTCOMES = pytest.StashKey[Outcomes]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """--ganskit-table."""
    parser.addoption("--ganskit-table", type=Path, metavar="FILE", help="write what the conformance kit found as Markdown")


def pytest_configure(config: pytest.Config) -> None:
    """Room for what comes out."""
    config.stash[OUTCOMES] = Outcomes()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note what came out of a test of the kit."""
    report = yield
    entry = getattr(item, "callspec", None) and item.callspec.params.get("entry")  # type: ignore[attr-defined]  # a Function's
    if isinstance(entry, Entry) and (report.when == "call" or report.outcome != "passed"):
        outcomes = item.config.stash[OUTCOMES]
        check = item.originalname.removeprefix("test_")  # type: ignore[attr-defined]  # as above
        outcomes.by_entry.setdefault((entry.distribution, entry.kind, entry.name), {})[check] = report.outcome
        if report.outcome == "skipped" and isinstance(report.longrepr, tuple):
            outcomes.reasons[
                f"{entry.kind} {entry.name}, {CHECKS.get(check, check)}: {report.longrepr[2].removeprefix('Skipped: ')}"
            ] = None
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how many entries were checked, of which distributions and kinds."""
    outcomes = config.stash[OUTCOMES]
    for distribution in dict.fromkeys(key[0] for key in outcomes.by_entry):
        kinds = [key[1] for key in outcomes.by_entry if key[0] == distribution]
        counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in KINDS if kind in kinds)
        terminalreporter.write_line(f"ganskit: {len(kinds)} entries of {distribution} were checked ({counts})")
    if file := config.getoption("--ganskit-table"):
        file.write_text(table(outcomes), encoding="utf-8")


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
