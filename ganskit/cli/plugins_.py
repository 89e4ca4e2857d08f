"""`ganskit plugins`."""

from __future__ import annotations

import click


@click.group("plugins")
def command() -> None:
    """Look at installed plugins."""


@command.command("list")
def list_() -> None:
    """List plugins with what each registers, and the broken ones with the reason."""
    from ganskit.plugins import plugins, registry

    for plugin in plugins():
        click.echo(f"{plugin.name}  {plugin.distribution} {plugin.version}")
        if plugin.broken:
            click.echo(f"  broken: {plugin.broken}")
            continue
        kinds: dict[str, list[str]] = {}
        for entry in registry().entries():
            if entry.distribution == plugin.distribution:
                kinds.setdefault(entry.kind, []).append(entry.name)
        for kind, names in kinds.items():
            click.echo(f"  {kind}: {', '.join(names)}")
