"""`ganskit show`."""

from __future__ import annotations

import click

from ganskit.cli.options import RecipeName, data_option, set_option


@click.command("show")
@click.argument("recipe", type=RecipeName())
@data_option
@set_option
def command(recipe: str, data: str | None, settings: tuple[str, ...]) -> None:
    """Print RECIPE as TOML: `ganskit show dcgan-rooms > mine.toml`, edit, `ganskit run mine.toml`."""
    from ganskit.cli.describe import parameter_counts
    from ganskit.recipe import to_toml
    from ganskit.train import resolve

    chosen = resolve(recipe, data=data, settings=settings)
    for name, count in parameter_counts(chosen).items():
        click.echo(f"# {name}: {count:,} parameters")
    click.echo(to_toml(chosen), nl=False)
