"""`ganskit data info`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ganskit.data.dataset import Field
    from ganskit.data.store import Store

NUM_SKIPPED_SHOWN = 10


@click.command("info")
@click.argument("what", metavar="[STORE|NAME]", required=False)
@click.option("--all", "everything", is_flag=True, help="Name every file that was skipped, not only ten.")
@click.option("--sheet", type=click.Path(path_type=Path), help="Where to write the contact sheet.  [default: in the store]")
def command(what: str | None, everything: bool, sheet: Path | None) -> None:
    """Say what is in a STORE (a folder, or its name), in those of a dataset's NAME, or list all stores.

    One store is shown in detail, and 64 of its pictures are written as a contact sheet.
    """
    from ganskit.data.home import stores
    from ganskit.data.library import find
    from ganskit.data.store import Store
    from ganskit.errors import BadData

    folders = find(what)
    if not folders:
        click.echo(f"There is no store in {stores()}. Make one: ganskit data prepare NAME|PATH")
    for folder in folders:
        try:
            store = Store.open(folder)
        except BadData as error:
            if len(folders) == 1:
                raise
            click.echo(f"{folder}: cannot be read. {error}")
            continue
        click.echo(summary(store))
        if what is not None:
            details = _details(store, None if everything else NUM_SKIPPED_SHOWN)
            click.echo("\n".join(f"  {key:<10} {text}" for key, text in details))
            _show(store, sheet if len(folders) == 1 else None)


def summary(store: Store) -> str:
    """One line: where, how many, what was left out."""
    manifest = store.manifest
    left_out = f", {manifest.num_skipped:,} skipped" if manifest.num_skipped else ""
    ignored = f", {manifest.num_ignored:,} other files" if manifest.num_ignored else ""
    subset = f", {manifest.subset.num_left_out:,} left out" if manifest.subset else ""
    return f"{store.path}: {len(store):,} examples{left_out}{ignored}{subset}"


def _show(store: Store, file: Path | None) -> None:
    from ganskit.data import sheet

    pictures = sheet.examples(store)
    if not pictures:
        return
    try:
        where = sheet.save(pictures, file or store.path / "contact-sheet.png")
    except OSError as error:
        click.echo(f"  {'sheet':<10} cannot be written ({error.strerror}): give another place with --sheet FILE")
    else:
        click.echo(f"  {'sheet':<10} {where}")


def _details(store: Store, num_skipped: int | None) -> Iterable[tuple[str, str]]:
    from ganskit.data.files import printable

    manifest = store.manifest
    options = ", ".join(f"{key}={value!r}" for key, value in manifest.dataset["options"].items())
    yield "made from", printable(f"{manifest.dataset['class']}({options}), by ganskit {manifest.ganskit}")
    if manifest.subset:
        yield "subset of", printable(f"{store.base}: {manifest.subset.why}")
    for name, each in store.fields.items():
        yield name, _field(each)
    for name, found in manifest.statistics().items():
        yield name, f"mean {_row(found.mean)}, standard deviation {_row(found.std)} (0 to 255, by channel)"
    yield "transform", manifest.transform or "none"
    yield "shards", f"{len(manifest.shards):,} files, {sum(shard.bytes for shard in manifest.shards) / 1e6:,.1f} MB"
    for name, reason in manifest.skipped[:num_skipped]:
        yield "skipped", f"{printable(name)}: {printable(reason)}"
    more = manifest.num_skipped - len(manifest.skipped[:num_skipped])
    if more:
        yield "", f"and {more:,} more: --all names them"


def _row(values: Iterable[float]) -> str:
    return " ".join(f"{value:.2f}" for value in values)


def _field(each: Field) -> str:
    from ganskit.data.files import printable

    shown = ", ".join(map(printable, each.classes[:10])) + (", ..." if len(each.classes) > 10 else "")
    what = "classes" if not each.shape else "names"
    classes = f", {len(each.classes)} {what}: {shown}" if each.classes else ""
    return f"{each.dtype} {each.shape}{classes}"
