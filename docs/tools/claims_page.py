"""docs/claims.md: what was found of each claim, from the claims.json files that `ganskit reproduce` wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "claims.md"
TEMPLATE = Path(__file__).with_name("claims.template.md")
FOUND = Path(__file__).parents[1] / "claims"


def page() -> str:
    """The template with a section for each recipe of docs/claims/RECIPE.json."""
    sections = [_section(json.loads(file.read_text(encoding="utf-8"))) for file in sorted(FOUND.glob("*.json"))]
    return TEMPLATE.read_text(encoding="utf-8").replace("<!-- found -->", "\n\n".join(sections))


def _section(found: dict[str, Any]) -> str:
    each = (", ".join(f"{key} {value}" for key, value in told["made_with"].items()) for told in found["claims"])
    made_with = "; ".join(dict.fromkeys(filter(None, each)))
    head = [f"## {found['recipe']}\n", f"{found['paper']}. Made with {made_with}: `ganskit reproduce {found['recipe']}`.\n"]
    table = ["| claim | the paper | tried here | ours | baseline | verdict | minutes |", "|---|---|---|---|---|---|---|"]
    return "\n".join([*head, *table, *map(_row, found["claims"])])


def _row(told: dict[str, Any]) -> str:
    claim = told["claim"]
    states = f"{claim['where']}: {claim['states']}" if claim["where"] else claim["states"]
    minutes = f"{told['time_s'] / 60:.1f}" if told["ours"] else "-"
    found = [_values(told["ours"]), _values(told["baseline"]), told["verdict"], minutes]
    cells = [states, claim["figure"] or "-", _tried(told), *found]
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _tried(told: dict[str, Any]) -> str:
    return ": ".join(_both_sides(told["claim"], told["expects"])) if told["claim"]["ours"] else told["expects"]


def _both_sides(claim: dict[str, Any], expects: str) -> Iterator[str]:
    yield f"{expects}, by `{' '.join([claim['ours']['evaluator'], *claim['ours']['options']])}`"
    yield f"`{' '.join(claim['ours']['settings']) or 'the recipe as it is'}`"
    if claim["baseline"]:
        against = claim["baseline"]
        words = [against["recipe"], *against["settings"], against["evaluator"], *against["options"]]
        yield f"baseline `{' '.join(word for word in words if word) or 'the same'}`"


def _values(values: list[float | str]) -> str:
    return ", ".join(f"{float(value):.4g}" for value in values) or "-"
