"""`ganskit data ...`: each command is in a file of its own."""

from __future__ import annotations

import click

from ganskit.cli.lazy import Lazy

COMMANDS = {
    "fetch": "Download a dataset from its publisher.",
    "prepare": "Decode a dataset into a store, once, for training.",
    "info": "Say what is in a store, and show some of it.",
    "verify": "Read a store again and compare every SHA-256.",
    "dedup": "Leave near-duplicates out of a store.",
    "faces": "Cut the faces out of a folder of photographs.",
}


@click.group("data", cls=Lazy, summaries=COMMANDS, module="ganskit.cli.data_{}")
def command() -> None:
    """Get datasets, prepare them for training, and look at what is prepared."""
