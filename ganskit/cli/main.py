"""The `ganskit` command: finds its subcommands by name and turns what goes wrong into one clear message."""

from __future__ import annotations

import errno
import sys

import click

from ganskit.cli.lazy import Lazy

COMMANDS = {
    "run": "Train a recipe.",
    "list": "List what is registered: recipes, datasets, architectures, losses, ...",
    "show": "Print a recipe as TOML, ready to be edited and run.",
    "sample": "Draw samples from a run.",
    "eval": "Evaluate a run.",
    "reproduce": "Try what a recipe's paper claims, in a small form.",
    "report": "Make a page about a run.",
    "compare": "Make a page with several runs side by side.",
    "data": "Prepare datasets and look at prepared ones.",
    "import": "Make a run of weights that others have published.",
    "plugins": "Look at installed plugins.",
}


@click.group(
    cls=Lazy,
    summaries=COMMANDS,
    module="ganskit.cli.{}_",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(package_name="ganskit")
def group() -> None:
    """Train and study generative adversarial networks.

    Begin with `ganskit run dcgan-rooms`: it draws its own pictures and trains in minutes on two CPU cores.
    """


def main() -> None:
    """The console script. Exit codes: 0 done, 2 the user's mistake, 130 interrupted, 1 the run failed."""
    from ganskit.errors import GanskitError

    try:
        sys.exit(group(standalone_mode=False))
    except click.exceptions.Abort:
        _fail("Interrupted.", 130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except GanskitError as error:
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("Interrupted.", 130)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone, `ganskit list | head`
        sys.exit(0)
    except OSError as error:
        if not error.strerror:
            raise
        kept = " What was finished before is still there." if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        _fail(f"{error.strerror}: {error.filename or 'the disk'}.{kept}", 1)


def _fail(message: str, code: int) -> None:
    click.echo(f"{'Error: ' if code != 130 else ''}{message}", err=True)
    sys.exit(code)
