"""docs/plugins/directory.md: what each listed distribution adds, from the registry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ganskit.plugins import plugins, registry
from ganskit.registry import KINDS

PAGE = Path(__file__).parents[1] / "plugins" / "directory.md"
PLACE = re.compile(r"(<!-- entries of (\S+), made by docs/tools/generate.py -->\n).*?(<!-- end -->)", re.DOTALL)


def page() -> str:
    """The page, with the entries of every distribution that is installed between its two marks."""
    installed = {plugin.distribution for plugin in plugins() if not plugin.broken}

    def filled(place: re.Match[str]) -> str:
        if place[2] not in installed:
            return place[0]
        return place[1] + "\n" + "".join(f"{line}\n" for line in _rows(place[2])) + "\n" + place[3]

    return PLACE.sub(filled, PAGE.read_text(encoding="utf-8"))


def _rows(distribution: str) -> Iterator[str]:
    yield "| kind | entries |"
    yield "|---|---|"
    for kind in KINDS:
        names = [entry.name for entry in registry().entries(kind) if entry.distribution == distribution]
        if names:
            yield f"| {kind} | {', '.join(f'`{name}`' for name in names)} |"
    hooks = [hook for plugin in plugins() if plugin.distribution == distribution for hook in plugin.hooks]
    observed = [hook for hook in hooks if hook != "ganskit_register"]
    if observed:
        yield f"| hooks | {', '.join(f'`{hook}`' for hook in observed)} |"
