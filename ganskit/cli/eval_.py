"""`ganskit eval`."""

from __future__ import annotations

from pathlib import Path

import click

from ganskit.cli.options import device_option


@click.command("eval")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("evaluator")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change an option of the evaluator.")
@click.option("--checkpoint", metavar="C", help="A checkpoint file, the number in its name, or best.  [default: the newest]")
@click.option("--no-ema", is_flag=True, help="Evaluate the nets themselves, where the run also has moving averages of them.")
@device_option
def command(run: Path, evaluator: str, settings: tuple[str, ...], checkpoint: str | None, no_ema: bool, device: str) -> None:
    """Evaluate RUN with EVALUATOR, a name from `ganskit list evaluator`; keep the result in RUN/evaluations."""
    from ganskit.engine.rundir import RunDir
    from ganskit.evaluate.evaluation import evaluate_run
    from ganskit.recipe import override, use

    chosen = override(use(evaluator, "evaluator"), settings)
    result = evaluate_run(run, chosen, checkpoint=checkpoint, ema=not no_ema, device=device)
    for name, value in result.numbers.items():
        click.echo(f"{name:<24} {value:.6g}")
    files = ["result.json", *(f"{name}.png" for name in result.pictures), *(f"{name}.svg" for name in result.plots)]
    click.echo(f"{RunDir(run).evaluation(evaluator)}: {', '.join(files)}")
