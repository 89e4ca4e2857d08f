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
@click.option("--name", metavar="NAME", help="Keep the result in RUN/evaluations/NAME.  [default: the evaluator's name]")
@device_option
def command(
    run: Path, evaluator: str, settings: tuple[str, ...], checkpoint: str | None, no_ema: bool, name: str | None, device: str
) -> None:
    """Evaluate RUN with EVALUATOR, a name from `ganskit list evaluator`; keep the result in RUN/evaluations."""
    from ganskit.engine.rundir import RunDir
    from ganskit.evaluate.evaluation import evaluate_run, usual_name
    from ganskit.recipe import override, use

    chosen = override(use(evaluator, "evaluator"), settings)
    folder = RunDir(run).evaluation(usual_name(chosen) if name is None else name)
    result = evaluate_run(run, chosen, checkpoint=checkpoint, ema=not no_ema, device=device, name=folder.name)
    for number, value in result.numbers.items():
        click.echo(f"{number:<24} {value:.6g}")
    files = ["result.json", *(f"{each}.png" for each in result.pictures), *(f"{each}.svg" for each in result.plots)]
    click.echo(f"{folder}: {', '.join(files)}")
