"""`ganskit data prepare`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ganskit.cli.options import data_set_option
from ganskit.errors import UserError

if TYPE_CHECKING:
    from ganskit.data.dataset import Dataset


@click.command("prepare")
@click.argument("what", metavar="NAME|PATH")
@click.option("--size", type=click.IntRange(1), help="Pixels on a side.  [default: the dataset's own]")
@click.option("--channels", type=click.IntRange(1), help="3 or 1 (grey).  [default: the dataset's own]")
@click.option("--reduced", is_flag=True, help="Decode large JPEGs at a fraction of their size: faster, other pixels.")
@click.option("--workers", type=click.IntRange(1), help="Processes that decode.  [default: one per core]")
@click.option("--max-skipped", default=0.1, show_default=True, type=click.FloatRange(0, 1), help="Share left out at most.")
@click.option("--dry-run", is_flag=True, help="Only say how many there are, how large the store will be, and where.")
@data_set_option
def command(
    what: str,
    size: int | None,
    channels: int | None,
    reduced: bool,
    workers: int | None,
    max_skipped: float,
    dry_run: bool,
    settings: tuple[str, ...],
) -> None:
    """Decode a dataset into a store: a registered NAME, or a PATH to pictures, a .zip, an LMDB, ...

    May be interrupted at any time; the same command goes on where it was.
    """
    from ganskit.cli.data_info import summary
    from ganskit.data.plan import plan
    from ganskit.data.prepare import prepare
    from ganskit.data.prepared import Prepared
    from ganskit.recipe import override

    dataset = _dataset(what, size, channels)
    if isinstance(dataset, Prepared):
        raise UserError(f"{what} is a store already: `ganskit data info {what}` shows it, `--data {what}` trains on it.")
    dataset = override(dataset, (*settings, *(("reduced=true",) if reduced else ())))
    click.echo(f"Read as    {_words(dataset)}")
    if dry_run:
        click.echo(plan(dataset))
        return
    try:
        store = prepare(dataset, workers=workers, max_skipped=max_skipped)
        click.echo(summary(store))
        if store.manifest.num_skipped:
            click.echo(f"`ganskit data info {store.path.name}` says what was skipped, and why.")
    except KeyboardInterrupt:
        click.echo("\nWhat is finished is kept: the same command goes on from there.", err=True)
        raise


def _dataset(what: str, size: int | None, channels: int | None) -> Dataset:
    from pathlib import Path

    from ganskit.config import field_types
    from ganskit.data.detect import detect
    from ganskit.plugins import registry
    from ganskit.recipe import use

    if what in {entry.name for entry in registry().entries("dataset")}:
        asked = {key: value for key, value in {"size": size, "channels": channels}.items() if value is not None}
        known = field_types(registry().find("dataset", what).load())
        for key in asked:
            if key not in known:
                raise UserError(f'The dataset "{what}" has no option "{key}": leave --{key} out.')
        made: Dataset = use(what, "dataset", **asked)
        return made
    if "/" not in what and not Path(what).exists():
        registry().find("dataset", what)  # says which name is the nearest
    return detect(what, size, channels)


def _words(dataset: Dataset) -> str:
    """What it is, by its entry in the registry."""
    from ganskit.plugins import registry

    target = f"{type(dataset).__module__}:{type(dataset).__qualname__}"
    found = [entry for entry in registry().entries("dataset") if entry.target == target]
    return f'the dataset "{found[0].name}": {found[0].summary}' if found else type(dataset).__name__
