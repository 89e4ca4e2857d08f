"""`ganskit sample`."""

from __future__ import annotations

from pathlib import Path

import click

from ganskit.cli.options import device_option


@click.command("sample")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--num", default=64, show_default=True, type=click.IntRange(1, 10_000), help="How many.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Sample i follows from the seed and i.")
@click.option("--label", type=click.IntRange(0), help="The class to draw, for games with labels.")
@click.option("--checkpoint", help="A checkpoint file, its number, or best.  [default: the newest]")
@click.option("--no-ema", is_flag=True, help="Take the nets themselves where the run also has moving averages.")
@click.option("--batch-stats", is_flag=True, help="Normalise by the batch drawn, as the DCGAN authors did.")
@click.option("--out", type=click.Path(path_type=Path), help="The PNG to write.  [default: RUN/samples/seed-SEED.png]")
@device_option
def command(
    run: Path,
    num: int,
    seed: int,
    label: int | None,
    checkpoint: str | None,
    no_ema: bool,
    batch_stats: bool,
    out: Path | None,
    device: str,
) -> None:
    """Draw samples from RUN into one PNG grid."""
    from ganskit.errors import UserError
    from ganskit.evaluate.model import load
    from ganskit.pictures import is_pictures, save_grid

    file = out or run / "samples" / f"seed-{seed}.png"
    file = file if file.suffix else file.with_suffix(".png")
    if file.suffix.lower() != ".png":
        raise UserError(f"{file}: the grid is written as PNG, so --out should end in .png.")
    model = load(run, checkpoint=checkpoint, ema=not no_ema, device=device)
    x = model.sample(num, seed, label, batch_stats)
    if not is_pictures(x):
        raise UserError(f"The samples of {run} have shape {tuple(x.shape[1:])}, which is no picture: use ganskit.load in Python.")
    click.echo(save_grid(x, file))
