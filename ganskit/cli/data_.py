"""`ganskit data prepare` and `ganskit data info`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganskit.cli.options import set_option

if TYPE_CHECKING:
    from ganskit.data.dataset import Dataset, Field
    from ganskit.data.store import Store


@click.group("data")
def command() -> None:
    """Prepare datasets once for training, and look at what is prepared."""


@command.command()
@click.argument("what", metavar="NAME|PATH")
@click.option("--size", type=click.IntRange(1), help="Pixels on a side.  [default: the dataset's; 64 for a path]")
@click.option("--channels", type=click.IntRange(1), help="3 or 1 (grey).  [default: the dataset's; 3 for a path]")
@click.option("--workers", type=click.IntRange(1), help="Processes that decode.  [default: one per core]")
@click.option("--max-skipped", default=0.1, show_default=True, type=click.FloatRange(0, 1), help="Share left out at most.")
@set_option
def prepare(
    what: str,
    size: int | None,
    channels: int | None,
    workers: int | None,
    max_skipped: float,
    settings: tuple[str, ...],
) -> None:
    """Decode a dataset into a store: a registered NAME, or a PATH to pictures, a .zip, an LMDB, ..."""
    from ganskit.data.prepare import prepare
    from ganskit.recipe import override

    dataset = override(_dataset(what, size, channels), settings)
    click.echo(summary(prepare(dataset, workers=workers, max_skipped=max_skipped)))


@command.command()
@click.argument("what", metavar="[STORE|NAME]", required=False)
@click.option("--verify", is_flag=True, help="Read every file again and compare its SHA-256.")
@click.option("--all", "everything", is_flag=True, help="Name every file that was skipped, not only ten.")
def info(what: str | None, verify: bool, everything: bool) -> None:
    """Say what is in a STORE (a folder, or its name), in those of a dataset's NAME, or list all stores."""
    from ganskit.data.home import stores
    from ganskit.data.store import Store

    folders = _stores(what)
    if not folders:
        click.echo(f"There is no store in {stores()}. Make one: ganskit data prepare NAME|PATH")
    for folder in folders:
        store = Store.open(folder)
        if verify:
            store.verify()
        click.echo(summary(store))
        if what is not None:
            details = _details(store, None if everything else 10)
            click.echo("\n".join(f"  {key:<10} {text}" for key, text in details))
        if verify:
            click.echo("  verified   every file is as it was written")


def _dataset(what: str, size: int | None, channels: int | None) -> Dataset:
    from ganskit.data.detect import detect
    from ganskit.plugins import registry
    from ganskit.recipe import use

    names = {entry.name for entry in registry().entries("dataset")}
    if what in names:
        shape = {"size": size, "channels": channels}
        made: Dataset = use(what, "dataset", **{key: value for key, value in shape.items() if value is not None})
        return made
    if "/" not in what and not Path(what).exists():
        registry().find("dataset", what)  # says which name is the nearest
    return detect(what, size or 64, channels or 3)


def _stores(what: str | None) -> list[Path]:
    """The folder that is meant, or the complete stores of that name. Raises UserError when there is none."""
    from ganskit.data.home import stores
    from ganskit.data.store import MANIFEST, Manifest
    from ganskit.errors import UserError
    from ganskit.plugins import registry

    folders = sorted(file.parent for file in stores().glob(f"*/{MANIFEST}"))
    if what is None:
        return folders
    if "/" in what or (Path(what) / MANIFEST).is_file():
        return [Path(what)]
    targets = [entry.target for entry in registry().entries("dataset") if entry.name == what]
    named = [folder for folder in folders if folder.name == what or folder.name.rpartition("-")[0] == what]
    chosen = named or [folder for folder in folders if Manifest.load(folder).dataset.get("class") in targets]
    if not chosen:
        registry().find("dataset", what)
        raise UserError(f'"{what}" is not prepared yet. Run: ganskit data prepare {what}')
    return chosen


def summary(store: Store) -> str:
    """One line: where, how many, what was left out."""
    manifest = store.manifest
    left_out = f", {manifest.num_skipped:,} skipped" if manifest.num_skipped else ""
    ignored = f", {manifest.num_ignored:,} other files" if manifest.num_ignored else ""
    return f"{store.path}: {len(store):,} examples{left_out}{ignored}"


def _details(store: Store, num_skipped: int | None) -> Iterable[tuple[str, str]]:
    from ganskit.data.files import printable

    manifest = store.manifest
    options = ", ".join(f"{key}={value!r}" for key, value in manifest.dataset["options"].items())
    yield "made from", f"{manifest.dataset['class']}({options}), by ganskit {manifest.ganskit}"
    for name, each in store.fields.items():
        yield name, _field(each)
    yield "transform", manifest.transform or "none"
    yield "shards", f"{len(manifest.shards):,} files, {sum(shard.bytes for shard in manifest.shards) / 1e6:,.1f} MB"
    for name, reason in manifest.skipped[:num_skipped]:
        yield "skipped", f"{printable(name)}: {printable(reason)}"
    more = manifest.num_skipped - len(manifest.skipped[:num_skipped])
    if more:
        yield "", f"and {more:,} more: --all names them"


def _field(each: Field) -> str:
    from ganskit.data.files import printable

    shown = ", ".join(map(printable, each.classes[:10])) + (", ..." if len(each.classes) > 10 else "")
    classes = f", {len(each.classes)} classes: {shown}" if each.classes else ""
    return f"{each.dtype} {each.shape}{classes}"
