"""`ganskit run`."""

from __future__ import annotations

from pathlib import Path

import click

from ganskit.cli.options import RecipeName, data_option, device_option, set_option


@click.command("run")
@click.argument("recipe", type=RecipeName())
@data_option
@set_option
@click.option("--out", type=click.Path(path_type=Path), help="The run directory.  [default: runs/RECIPE-001 and so on]")
@click.option("--resume", is_flag=True, help="Go on with the last run of this recipe, or with the one in --out.")
@click.option("--init-from", type=click.Path(path_type=Path), metavar="RUN", help="Begin with the weights of another run.")
@device_option
@click.option("--precision", type=click.Choice(["auto", "fp32", "bf16"]), help="auto: bf16 where the hardware is fast at it.")
@click.option("--workers", type=click.IntRange(1), help="Processes that prepare data.  [default: one per core]")
@click.option("--dry-run", is_flag=True, help="Print what would be trained, on what and for how long; train nothing.")
def command(
    recipe: str,
    data: str | None,
    settings: tuple[str, ...],
    out: Path | None,
    resume: bool,
    init_from: Path | None,
    device: str,
    precision: str | None,
    workers: int | None,
    dry_run: bool,
) -> None:
    """Train RECIPE: a name from `ganskit list recipe`, FILE.toml, or FILE.py:function.

    \b
    ganskit run dcgan-rooms
    ganskit run dcgan-lsun --data path/to/bedroom_train_lmdb
    ganskit run dcgan-faces --data my/pictures --set batch_size=64 --set nets.G.width=64
    ganskit run dcgan-rooms --resume
    """
    from ganskit.engine.distributed import World
    from ganskit.train import resolve, run

    if dry_run:
        from ganskit.cli.describe import describe

        click.echo(describe(resolve(recipe, data=data, settings=settings, precision=precision), device))
        return
    path = run(
        recipe, data=data, settings=settings, out=out, resume=resume, init_from=init_from, device=device,
        precision=precision, workers=workers,
    )  # fmt: skip
    if World.join().leads:
        more = f"Draw more with: ganskit sample {path}"
        if ".py" in recipe:  # whose classes are known to that file alone
            more = f'Draw more with: ganskit.load("{path}", recipe=...).sample(64)'
        usual = ("recipe.toml", "metrics.jsonl", "samples", "checkpoints", "evaluations", "evaluations.jsonl", "best")
        there = ", ".join(f"{name}/" if (path / name).is_dir() else name for name in usual if (path / name).exists())
        click.echo(f"{path}: {there}. {more}")
