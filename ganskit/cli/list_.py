"""`ganskit list`."""

from __future__ import annotations

import click


@click.command("list")
@click.argument("kind", required=False)
def command(kind: str | None) -> None:
    """List what is registered, or only one KIND: recipe, dataset, architecture, loss, ..."""
    from ganskit.errors import UserError, nearest
    from ganskit.plugins import registry
    from ganskit.registry import KINDS

    kind = ({f"{each}s": each for each in KINDS} | {"losses": "loss", "penalties": "penalty"}).get(kind or "", kind)
    if kind is not None and kind not in KINDS:
        raise UserError(f'There is no kind "{kind}". {nearest(kind, KINDS)}')
    entries = sorted(registry().entries(kind), key=lambda e: e.kind != "recipe")
    if not entries:
        click.echo(f"No {kind} is registered.")
        return
    width = max(len(entry.name) for entry in entries)
    shown = None
    for entry in entries:
        if entry.kind != shown:
            click.echo(f"{'' if shown is None else chr(10)}{click.style(entry.kind, bold=True)}")
            shown = entry.kind
        origin = "" if entry.distribution == "ganskit" else f"  [{entry.distribution} {entry.version}]"
        click.echo(f"  {entry.name:<{width}}  {entry.summary}{origin}")
