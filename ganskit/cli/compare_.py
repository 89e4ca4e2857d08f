"""`ganskit compare`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("compare")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN RUN...")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", default="compare.html", show_default=True, help="The page to write."
)
def command(runs: tuple[Path, ...], out: Path) -> None:
    """Make one HTML page with two RUNs or more side by side: samples, numbers, curves, and what differs in their recipes."""
    from ganskit.report import compare_runs

    click.echo(compare_runs(runs, out))
