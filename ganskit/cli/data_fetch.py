"""`ganskit data fetch`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ganskit.cli.options import data_set_option
from ganskit.errors import UserError

if TYPE_CHECKING:
    from ganskit.data.fetch import Order


@click.command("fetch")
@click.argument("name", metavar="NAME")
@data_set_option
@click.option("--yes", is_flag=True, help="Agree to the publisher's terms without being asked.")
@click.option("--dry-run", is_flag=True, help="Only say what would be downloaded, from where, and under what terms.")
@click.option("--keep-archive", is_flag=True, help="Do not remove an archive once it is unpacked.")
@click.option("--mirror", metavar="URL", help="Another server with the same paths.  [default: GANSKIT_MIRROR]")
def command(name: str, settings: tuple[str, ...], yes: bool, dry_run: bool, keep_archive: bool, mirror: str | None) -> None:
    """Download the dataset NAME from its publisher, check it, and put it where ganskit looks for it.

    May be interrupted at any time; the same command carries on.
    """
    from ganskit.data.fetch import Order, fetch

    order = Order.of(name, mirror, **dict(map(_option, settings)))
    click.echo("\n".join(f"{key:<14} {text}" for key, text in order.lines()))
    if dry_run:
        return
    agreed = yes or not order.known.agreement or not order.absent() or bool(order.known.by_hand) or _asked(order)
    try:
        for got in fetch(order, agreed, keep_archive, progress=True):
            click.echo(f"{got.path}: {got.how}")
    except KeyboardInterrupt:
        click.echo("\nWhat came is kept: the same command carries on.", err=True)
        raise


def _asked(order: Order) -> bool:
    """Whether the user agrees; False where there is nobody to ask, which `fetch` refuses with an explanation."""
    if not sys.stdin.isatty():
        return False
    if not click.confirm(f"Its publisher wants this agreed to: {order.known.agreement}. Do you agree?"):
        raise UserError("Nothing was downloaded.")
    return True


def _option(setting: str) -> tuple[str, str]:
    key, equals, value = setting.partition("=")
    if not equals:
        raise UserError(f'--set {setting}: expected KEY=VALUE, such as "split=train".')
    return key, value
