"""`ganskit data dedup`."""

from __future__ import annotations

from pathlib import Path

import click

from ganskit.cli.options import device_option
from ganskit.data.duplicates import MAX_RADIUS, RADIUS, Duplicates

MANY = 0.2


@click.command("dedup")
@click.argument("store")
@click.option(
    "--radius",
    default=RADIUS,
    show_default=True,
    type=click.IntRange(0, MAX_RADIUS),
    help="Bits of 128 that may differ; the paper's is 0.",
)
@click.option("--samples", type=click.IntRange(1), help="Pictures to train on.  [default: 10 epochs, 400,000 to 1,000,000]")
@click.option("--out", type=click.Path(path_type=Path), help="The new store.  [default: STORE-dedupRADIUS, beside it]")
@click.option("--run", "run_path", type=click.Path(path_type=Path), help="The run directory.  [default: runs/dedup-STORE]")
@device_option
def command(store: str, radius: int, samples: int | None, out: Path | None, run_path: Path | None, device: str) -> None:
    """Leave near-duplicates out of a STORE (a folder, or its name), as section 4.1.1 of the DCGAN paper does.

    An autoencoder is trained, which gives every picture 128 bits; of pictures whose bits are nearly the same the first is kept.
    Nothing is deleted: the result is a new manifest over the same files. An interrupted training goes on with the same command.
    """
    from ganskit.data.library import open
    from ganskit.dedup import dedup
    from ganskit.engine.training import Interrupted

    try:
        report = dedup(open(store), radius, samples=samples, out=out, run_path=run_path, device=device)
    except Interrupted as error:
        raise Interrupted("Interrupted; what was trained is kept. Go on with the same command.") from error
    click.echo("\n".join(_summary(report)))


def _summary(report: Duplicates) -> list[str]:
    from ganskit.data.duplicates import REPORT, SHEET
    from ganskit.dedup import LEAST

    radius, folder = len(report.by_distance) - 1, report.folder
    lines = [
        f"{folder}: {report.num_examples - report.num_removed:,} of {report.num_examples:,} pictures; {report.num_removed:,} "
        f"near-duplicates of {report.num_groups:,} others are left out. Nothing was deleted."
    ]
    if report.num_removed:
        shares = ", ".join(f"{bits} bits: {num:,}" for bits, num in enumerate(report.by_distance) if num)
        lines += [f"  distance   {shares}", f"  look at    {folder / SHEET}: groups, the kept picture first, ever less alike"]
    lines.append(f"  groups     {folder / REPORT}")
    trained_on = report.table["parameters"]["samples"]
    if trained_on < LEAST:
        lines.append(
            f"  Warning    trained on {trained_on:,} pictures; {LEAST:,} are usual, and after few the codes of unlike "
            "pictures collide. Take more --samples, and another --out and --run."
        )
    if report.by_chance is not None and report.by_chance > 0.01 * report.num_removed and report.num_removed:
        lines.append(
            f"  Warning    among so many, up to {report.by_chance:,.0f} pairs of unlike pictures may be within {radius} bits: "
            "look at the lower rows, and choose a smaller --radius if they are unlike."
        )
    share = report.num_removed / report.num_examples
    if share > MANY:
        lines.append(f"  Warning    that is {share:.0%} of all: look at {SHEET} before you train on the rest.")
    return [*lines, f"  next       ganskit run RECIPE --data {folder}"]
