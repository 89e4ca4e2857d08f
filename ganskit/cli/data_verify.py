"""`ganskit data verify`."""

from __future__ import annotations

import click


@click.command("verify")
@click.argument("what", metavar="STORE|NAME")
def command(what: str) -> None:
    """Read every file of a STORE again and compare its SHA-256: a folder, the store's name, or its dataset's."""
    from ganskit.cli.data_info import summary
    from ganskit.data.library import find
    from ganskit.data.store import Store

    for folder in find(what):
        store = Store.open(folder)
        store.verify()
        click.echo(f"{summary(store)}\n  verified   every file is as it was written")
