"""`ganskit report`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("report")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="The page to write.  [default: RUN/report.html]")
def command(run: Path, out: Path | None) -> None:
    """Make one HTML page about RUN: samples, losses, evaluations with their protocols, and how to repeat it."""
    from ganskit.report import report_run

    click.echo(report_run(run, out))
