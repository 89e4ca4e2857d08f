"""`ganskit plugins`."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.group("plugins")
def command() -> None:
    """Look at installed plugins, check them, and begin a new one."""


@command.command("list")
def list_() -> None:
    """List plugins with what each registers and which hooks it implements, and the broken ones with the reason."""
    from ganskit.plugins import plugins, registry

    for plugin in plugins():
        click.echo(f"{plugin.name}  {plugin.distribution} {plugin.version}")
        if plugin.broken:
            click.echo(f"  broken: {plugin.broken}")
            continue
        kinds: dict[str, list[str]] = {}
        for entry in registry().entries():
            if plugin.registers(entry):
                kinds.setdefault(entry.kind, []).append(entry.name)
        for kind, names in kinds.items():
            click.echo(f"  {kind}: {', '.join(names)}")
        click.echo(f"  hooks: {', '.join(plugin.hooks)}")


@command.command("check")
@click.argument("name", required=False)
def check(name: str | None) -> None:
    """Check every entry of the plugin or distribution NAME, or of all: its import string, its options, three rounds.

    Exit code 1 if something fails. The whole conformance kit is for the plugin's own tests: see `ganskit plugins new`.
    """
    from ganskit.conformance.report import check_plugins

    failures = check_plugins(name, click.echo)
    if failures:
        click.echo(f"{failures} failed.", err=True)
        sys.exit(1)


@command.command("new")
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), help="The folder to write.  [default: NAME]")
def new(name: str, out: Path | None) -> None:
    """Write a plugin project called NAME that works as it is: a loss, an architecture, a recipe and tests."""
    from ganskit.cli.new_plugin import write_project

    folder = write_project(name, out or Path(name))
    click.echo(f"{folder}: a plugin that works as it is. Go on with:\n")
    click.echo(f'  cd {folder}\n  pip install -e ".[test]"\n  pytest\n  ganskit run {name}-rooms')
