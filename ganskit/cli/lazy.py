"""A group of commands, each in a file of its own that is imported when the command is used."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click


class Lazy(click.Group):
    """Knows its commands by name and summary; NAME is `command` in the module that `module` makes of it, "cli.data_{}"."""

    def __init__(self, *args: Any, summaries: Mapping[str, str], module: str, **options: Any) -> None:  # noqa: ANN401 - click's
        super().__init__(*args, **options)
        self._summaries, self._module = summaries, module

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._summaries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._summaries:
            return None
        command: click.Command = importlib.import_module(self._module.format(cmd_name)).command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self._summaries and not args[0].startswith("-"):
            from ganskit.errors import nearest

            ctx.fail(f'There is no command "{args[0]}". {nearest(args[0], self._summaries)}')
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self._summaries.items()))
