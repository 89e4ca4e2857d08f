"""docs/cli.md: the reference of every command, taken from the commands themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from inspect import cleandoc
from pathlib import Path

import click

from ganskit.cli.main import group

TEMPLATE = Path(__file__).with_name("cli.template.md")
_OPTION = re.compile(r"(?<![`\w-])(--[a-z][a-z-]*)(?!`)")
_DEFAULT = re.compile(r"\s*\[default: (.*)\]$")


def page() -> str:
    """The template, with the commands where it says so."""
    return TEMPLATE.read_text(encoding="utf-8").replace("<!-- commands -->\n", "\n".join(_commands()))


def leaves(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command below a group with the words that call it: (("data", "info"), the command)."""
    if not isinstance(command, click.Group):
        yield words, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        if found is not None and not found.hidden:
            yield from leaves(found, (*words, name))


def _commands() -> Iterator[str]:
    every = list(leaves(group))
    yield "| command | what it does |\n|---|---|"
    for words, command in every:
        name = " ".join(["ganskit", *words])
        yield f"| [`{name}`](#{name.replace(' ', '-')}) | {_cell(_first_sentence(command))} |"
    for words, command in every:
        yield f"\n## {' '.join(['ganskit', *words])}\n"
        yield from _section(words, command)


def _section(words: tuple[str, ...], command: click.Command) -> Iterator[str]:
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
    usage = [
        "ganskit",
        *words,
        *(["[OPTIONS]"] if options else []),
        *(_name(p) if p.required else _optional(p) for p in arguments),
    ]
    yield f"```text\n{' '.join(usage)}\n```\n"
    yield from _help(command.help or "")
    rows = [(_code(_name(p)), _argument(p)) for p in arguments] + [_option(p) for p in options]
    if not rows:
        return
    yield "| argument or option | meaning |\n|---|---|"
    for row in rows:
        yield f"| {' | '.join(map(_cell, row))} |"


def _help(text: str) -> Iterator[str]:
    """Paragraphs; one that click is told to leave alone (\\b) is an example."""
    for paragraph in cleandoc(text.partition("\f")[0]).split("\n\n"):
        if paragraph.startswith("\b\n"):
            lines = paragraph[2:]
            yield f"```{'sh' if lines.startswith('ganskit ') else 'text'}\n{lines}\n```\n"
        else:
            yield paragraph + "\n"


def _first_sentence(command: click.Command) -> str:
    text = " ".join((command.help or "").partition("\n\n")[0].split())
    return re.split(r"(?<=[^.]\.) ", text)[0]


def _name(argument: click.Argument) -> str:
    return (argument.metavar or argument.human_readable_name.upper()).strip("[]")


def _optional(argument: click.Argument) -> str:
    return f"[{_name(argument)}]"


def _argument(argument: click.Argument) -> str:
    choices = getattr(argument.type, "choices", ())
    meaning = f"one of {', '.join(f'`{each}`' for each in choices)}" if choices else "required"
    return meaning if argument.required else "may be left out"


def _option(option: click.Option) -> tuple[str, str]:
    names = ", ".join(option.opts + option.secondary_opts)
    help_, default = _OPTION.sub(r"`\1`", option.help or ""), ""
    if written := _DEFAULT.search(help_):  # a default that click does not know, such as "one per core"
        help_, default = help_[: written.start()], written[1]
    elif option.show_default and not option.is_flag:
        default = str(option.default)
    return _code(f"{names}{_value(option)}"), f"{help_} Default: {default}." if default else help_


def _value(option: click.Option) -> str:
    """What follows the option's name, with a space before it."""
    if option.is_flag or option.count:
        return ""
    if option.metavar:
        return f" {option.metavar}"
    if isinstance(option.type, click.Choice):
        return f" {'|'.join(map(str, option.type.choices))}"
    if isinstance(option.type, (click.IntRange, click.FloatRange, click.types.IntParamType, click.types.FloatParamType)):
        return " N"
    return " PATH" if isinstance(option.type, click.Path) else " TEXT"


def _code(text: str) -> str:
    """Code in a cell of a table. A bar in there is read differently on GitHub and by MkDocs, unless it is written so."""
    return f"<code>{escape(text).replace('|', '&#124;')}</code>" if "|" in text else f"`{text}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").strip()
