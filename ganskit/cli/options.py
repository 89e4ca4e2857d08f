"""What several commands share."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem


class RecipeName(click.ParamType):  # type: ignore[type-arg]  # older clicks have no argument there
    """A recipe's name, FILE.toml or FILE.py:function; the shell completes names and files."""

    name = "recipe"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from ganskit.plugins import registry

        names = [entry for entry in registry().entries("recipe") if entry.name.startswith(incomplete)]
        return [CompletionItem(e.name, help=e.summary) for e in names] or [CompletionItem(incomplete, type="file")]


set_option = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a field of the recipe; may be given many times."
)
data_set_option = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change an option of the dataset; may be given many times."
)
data_option = click.option("--data", metavar="PATH|NAME", help="A folder of pictures, a .zip, an LMDB, or a dataset's name.")
device_option = click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 or mps.")
