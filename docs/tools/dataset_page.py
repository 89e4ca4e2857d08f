"""docs/datasets.md: a row for every dataset, from the registry, the catalogue, and datasets.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

from ganskit.config import field_types
from ganskit.data.catalog import CATALOG
from ganskit.data.known import Known
from ganskit.data.room import in_words
from ganskit.plugins import registry
from ganskit.registry import Entry

PAGE = Path(__file__).parents[1] / "datasets.md"
TEMPLATE = Path(__file__).with_name("datasets.template.md")
WORDS = Path(__file__).with_name("datasets.toml")


def page() -> str:
    """The template with its two tables. Raises KeyError for a dataset without words, ValueError for words without one."""
    words = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    entries = {entry.name: entry for entry in registry().entries("dataset") if entry.distribution == "ganskit"}
    if unused := words.keys() - entries.keys():
        raise ValueError(f"datasets.toml speaks of {', '.join(sorted(unused))}, which are no datasets.")
    published = [
        "| name | format | address | size | licence | options | how it was tested |",
        "|---|---|---|---|---|---|---|",
    ]
    own = ["| name | format | options | how it was tested |", "|---|---|---|---|"]
    for name, entry in entries.items():
        says = words[name]
        if name in CATALOG:
            known = CATALOG[name]
            cells = [f"`{name}`", says["format"], _address(known), _size(known), known.licence, _options(entry), says["tested"]]
            published.append(f"| {' | '.join(cells)} |")
        else:
            own.append(f"| {' | '.join([f'`{name}`', says['format'], _options(entry), says['tested']])} |")
    text = TEMPLATE.read_text(encoding="utf-8")
    return text.replace("<!-- published -->", "\n".join(published)).replace("<!-- own -->", "\n".join(own))


def _options(entry: Entry) -> str:
    return ", ".join(f"`{name}`" for name in field_types(entry.load()))


def _address(known: Known) -> str:
    """Where its files are; the folder of them when there are several."""
    if known.by_hand:
        return known.by_hand
    urls = [file.url for file in known.files]
    shared = urls[0] if len(urls) == 1 else urls[0].rpartition("/")[0] + "/"
    several = {url.rpartition("/")[0] + "/" for url in urls}
    return ", ".join(f"<{url}>" for url in sorted(several)) if len(several) > 1 else f"<{shared}>"


def _size(known: Known) -> str:
    return ", ".join(_sizes(known))


def _sizes(known: Known) -> Iterator[str]:
    if len(known.files) > 6:
        chosen = known.chosen(**known.defaults)
        yield f"{', '.join(f'{file.name} {in_words(file.size_bytes or 0)}' for file in chosen)}; {len(known.files)} files in all"
        return
    for file in known.files:
        yield f"{file.name} {in_words(file.size_bytes)}" if file.size_bytes else f"{file.name} (not published)"
