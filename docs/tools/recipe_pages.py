"""docs/recipes/NAME.md for every recipe of the distributions whose constants.toml is given, and the tables of docs/recipes.md."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from layers import Layer, layers, parameters
from sentences import NoSentence, Sentence, Sentences, leaves

from ganskit import Recipe
from ganskit.config import field_types
from ganskit.data.catalog import CATALOG
from ganskit.plugins import registry
from ganskit.recipe import to_table

MADE_BY = "<!-- Made by docs/tools/generate.py from the recipe and its constants.toml. Edit those. -->"
WORDS = ("name", "paper", "claims")
"""Fields of a recipe that are words and no constants."""

INTRODUCTION = """\
Sentences are the paper's, with their place in it. Where the paper is silent its authors' code decides: lines of code come with
their file. The rest is ganskit's choice, and says so. Anything can be changed with `--set`, by the name in the first column.
"""

Equations = Mapping[str, Mapping[str, Any]]


def recipes(sentences: Sentences, distribution: str) -> list[Recipe]:
    """A distribution's recipes, in the order of its constants.toml. Raises NoSentence for one that is not there."""
    entries = {entry.name: entry for entry in registry().entries("recipe") if entry.distribution == distribution}
    if forgotten := entries.keys() - sentences.recipes.keys():
        raise NoSentence(f'{min(forgotten)} has no table [recipes."{min(forgotten)}"] with `about`.')
    return [entries[name].load()() for name in sentences.recipes if name in entries]


def overview(sentences: Sentences, distribution: str) -> str:
    """A table of all recipes of a distribution."""
    rows = [
        "| recipe | data | z | learning rate | batch | budget | parameters in millions |",
        "|---|---|---|---|---:|---:|---|",
    ]
    for recipe in recipes(sentences, distribution):
        data = to_table(recipe)["data"]
        noise = ", ".join(f"{each.dim}, {each.prior}" for each in recipe.game.noises().values())
        rates = {player: _value(each.opt.lr) for player, each in recipe.game.players().items()}
        lr = _pairs(rates) if len(set(rates.values())) > 1 else next(iter(rates.values()))
        sizes = _pairs({net: f"{count / 1e6:.{1 if count >= 1e5 else 3}f}" for net, count in parameters(recipe).items()})
        cells = (
            f"[`{recipe.name}`](recipes/{recipe.name}.md)",
            data.get("name") or data["use"],
            noise,
            lr,
            recipe.batch_size,
            f"{recipe.samples:,}",
        )
        rows.append(f"| {' | '.join(map(str, cells))} | {sizes} |")
    return "\n".join(rows)


def page(recipe: Recipe, sentences: Sentences) -> str:
    """A recipe as markdown. Raises NoSentence when a constant has none."""
    about, table = sentences.recipes[recipe.name], to_table(recipe)
    parts = [
        f"# {recipe.name}\n",
        f"{MADE_BY}\n",
        about["about"].strip() + "\n",
        _cited(recipe.paper, about.get("paper", "")),
        "## Run\n",
        *_run(recipe),
        "## Data\n",
        *_data(recipe, table),
        "## Nets\n",
        *_nets(recipe),
        "## What each player minimises\n",
        *_equations(table["game"], sentences.equations, recipe.name),
        "## Every constant\n",
        INTRODUCTION,
        *_constants(recipe.name, table, sentences),
        *_in_code(table, sentences),
        "## What the paper claims\n",
        *([f"- {claim}" for claim in recipe.claims] or ["This is no experiment of the paper, so there is no claim to check."]),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _cited(paper: str, url: str) -> str:
    return f"{re.sub(r'arXiv [0-9.]+[0-9]', lambda found: f'[{found[0]}]({url})', paper) if url else paper}.\n"


def _run(recipe: Recipe) -> Iterator[str]:
    path = " --data PATH" if "path" in field_types(type(recipe.data)) else ""
    yield f"```sh\nganskit run {recipe.name}{path}\n```\n"
    yield f"`ganskit show {recipe.name}` prints the recipe as TOML, to be edited.\n"


def _data(recipe: Recipe, table: Mapping[str, Any]) -> Iterator[str]:
    data = table["data"]
    known = CATALOG.get(data["use"])
    if known:
        yield f"{known.title}.\n"
        yield f"- **Get:** {known.what(**data)}"
        yield f"- **Terms:** {known.licence}\n"
        yield f"```text\n{known.how(**data)}\n```\n"
    if "path" in field_types(type(recipe.data)):
        yield "`--data PATH` says where it is. [Data](../data.md) says what else may be there, and how it is prepared.\n"
    else:
        yield "Nothing has to be downloaded. [Data](../data.md) says how it is prepared.\n"


def _nets(recipe: Recipe) -> Iterator[str]:
    counts = parameters(recipe)
    shapes = recipe.game.shapes(recipe.data.provides())
    for name, rows in layers(recipe).items():
        yield f"### {name}: {counts[name]:,} parameters\n"
        yield f"From {_shape(shapes[name].input)} to {_shape(shapes[name].output)}, for one sample.\n"
        yield "| layer | what | output | parameters |\n|---|---|---|---:|"
        yield "\n".join(map(_row, rows)) + "\n"


def _row(layer: Layer) -> str:
    count = f"{layer.num_parameters:,}" if layer.num_parameters else "none"
    return f"| `{layer.name}` | {layer.kind} | {_shape(layer.output)} | {count} |"


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _equations(game: Mapping[str, Any], equations: Equations, recipe: str) -> Iterator[str]:
    """The game's, its loss's and its penalties' equations; those of one player are added up."""
    names = [value for path, value in leaves(game) if path.split(".")[-1] == "use" and not path.endswith("opt.use")]
    players: dict[str, str] = {}
    words = []
    for name in names:
        if name not in equations:
            raise NoSentence(f'{recipe}: there is no [equations."{name}"].')
        found = equations[name]
        words += [found[key].strip() for key in ("words", "paper") if key in found]
        for player, latex in found.items():
            if player not in ("words", "paper"):
                players[player] = f"{players[player]} + {latex}" if player in players else latex
    for latex in players.values():
        yield f"```math\n{latex}\n```\n"
    yield "\n\n".join(words) + "\n"


def _constants(recipe: str, table: Mapping[str, Any], sentences: Sentences) -> Iterator[str]:
    rows: dict[tuple[int, str], tuple[list[str], str, Sentence]] = {}
    for path, value in leaves({key: value for key, value in table.items() if key not in WORDS}):
        sentence = sentences.find(recipe, path, value)
        rows.setdefault((id(sentence), repr(value)), ([], _value(value), sentence))[0].append(path)
    for title, prefix in (("Game", "game."), ("Nets", "nets."), ("Data", "data."), ("Training", "")):
        yield f"### {title}\n\n| constant | what fixes it |\n|---|---|"
        for key, (paths, value, sentence) in list(rows.items()):
            if paths[0].startswith(prefix):
                yield _cells(" = ".join(f"`{each}`" for each in [*paths, value]), str(sentence))
                del rows[key]
        yield ""


def _in_code(table: Mapping[str, Any], sentences: Sentences) -> Iterator[str]:
    found = sentences.within({str(value) for path, value in leaves(table) if path.split(".")[-1] == "use"})
    if found:
        yield "### Fixed in the code\n\nThese are no options.\n\n| what | what fixes it |\n|---|---|"
        yield "\n".join(_cells(each.what, str(each)) for each in found) + "\n"


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _value(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, float):
        return re.sub(r"e([-+])0", r"e\1", repr(value))
    return json.dumps(value)


def _pairs(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
