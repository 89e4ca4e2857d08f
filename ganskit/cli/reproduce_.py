"""`ganskit reproduce`."""

from __future__ import annotations

from pathlib import Path

import click

from ganskit.cli.options import RecipeName, device_option


@click.command("reproduce")
@click.argument("recipe", type=RecipeName())
@click.option("--claim", "only", type=click.IntRange(1), metavar="N", help="Try this claim alone.")
@click.option("--seeds", type=click.IntRange(1), help="How many times, instead of as often as each claim says.")
@click.option("--out", type=click.Path(path_type=Path), help="Where runs and claims.json go.  [default: runs/claims-RECIPE]")
@click.option("--list", "only_list", is_flag=True, help="Say what would be tried; train nothing.")
@device_option
def command(recipe: str, only: int | None, seeds: int | None, out: Path | None, only_list: bool, device: str) -> None:
    """Try what the paper of RECIPE claims, in a small form that two CPU cores can do.

    Prints for each claim the paper's figure, ours, that of the baseline it is compared with, and whether it holds in every
    seed. The same command goes on after an interruption.
    """
    import textwrap

    from ganskit.reproduce import CLAIMS, reproduce, rows, usual_folder
    from ganskit.train import resolve

    chosen = resolve(recipe)
    if only_list:
        for number, claim in enumerate(chosen.claims, 1):
            click.echo(f"{number}. {claim}\n   the paper: {claim.figure or 'no figure'}; here: {claim.expects()}")
            for name, arm in (("ours", claim.ours), ("baseline", claim.baseline)):
                if arm:
                    click.echo(f"   {name}, with {seeds or claim.seeds} seeds: {arm}")
        if chosen.claims:
            return
    outcomes = reproduce(chosen, out=out, seeds=seeds, only=only, device=device, say=click.echo)
    click.echo()
    for number, (states, paper, ours, baseline, verdict) in enumerate(rows(outcomes), 1):
        click.echo(textwrap.fill(f"{number}. {states}", 100, subsequent_indent="   "))
        click.echo(f"   paper {paper}; ours {ours}; baseline {baseline}: {verdict}")
    click.echo(f"{(out or usual_folder(chosen)) / CLAIMS}")
