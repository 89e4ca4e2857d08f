"""Makes the pages that follow from the code: the command line, the datasets, the claims, the recipes, the plugin directory.

    python docs/tools/generate.py              writes them
    python docs/tools/generate.py --check      says which ones would change, and exits with 1

Recipes: those of the distributions whose constants.toml are given, or else those of ganskit and of what in plugins/ is installed.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import claims_page
import cli_page
import dataset_page
import directory
import recipe_pages
from sentences import NoSentence, Sentences

from ganskit.plugins import plugins

DOCS = Path(__file__).parents[1]
OURS = Path(__file__).with_name("constants.toml")
OVERVIEW = DOCS / "recipes.md"


def constants_files(root: Path = DOCS.parent) -> list[Path]:
    """Ours, and those of the distributions in plugins/ that are installed here."""
    return [OURS, *(file for file in sorted(root.glob("plugins/*/constants.toml")) if _loaded(file))]


def pages(files: Sequence[Path]) -> dict[Path, str]:
    """The text of every page. Raises NoSentence for a constant without a sentence, and for a sentence without a constant."""
    sentences = Sentences.read(files)
    made = {DOCS / "cli.md": cli_page.page(), dataset_page.PAGE: dataset_page.page(), claims_page.PAGE: claims_page.page()}
    for distribution in sentences.distributions:
        for recipe in recipe_pages.recipes(sentences, distribution):
            made[DOCS / "recipes" / f"{recipe.name}.md"] = recipe_pages.page(recipe, sentences)
    if unused := list(sentences.unused()):
        raise NoSentence("These sentences are about no constant of any recipe:\n  " + "\n  ".join(unused))
    return made | {OVERVIEW: _overview(sentences), directory.PAGE: directory.page()}


def _overview(sentences: Sentences) -> str:
    """docs/recipes.md with the table of each distribution between its two marks."""
    text = OVERVIEW.read_text(encoding="utf-8")
    for distribution in sentences.distributions:
        start, end = f"<!-- recipes of {distribution}, made by docs/tools/generate.py -->", "<!-- end -->"
        before, mark, rest = text.partition(start)
        if not mark or end not in rest:
            raise NoSentence(f"docs/recipes.md has no place for the recipes of {distribution}: write {start} and {end} there.")
        text = f"{before}{start}\n\n{recipe_pages.overview(sentences, distribution)}\n\n{end}{rest.partition(end)[2]}"
    return text


def drifted(made: dict[Path, str]) -> list[Path]:
    """The pages whose file says something else."""
    return [file for file, text in made.items() if not file.is_file() or file.read_text(encoding="utf-8") != text]


def _loaded(file: Path) -> bool:
    name = tomllib.loads(file.read_text(encoding="utf-8"))["distribution"]
    there = any(plugin.distribution == name and not plugin.broken for plugin in plugins())
    if not there:
        print(f"{name} is not installed, or left out by GANSKIT_PLUGINS, so its pages are left as they are.", file=sys.stderr)
    return there


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("constants", nargs="*", type=Path, help="constants.toml of distributions")
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args()
    try:
        made = pages(options.constants or constants_files())
    except NoSentence as error:
        sys.exit(str(error))
    changed = drifted(made)
    for file in changed:
        print(file.relative_to(DOCS.parent))
        if not options.check:
            file.parent.mkdir(exist_ok=True)
            file.write_text(made[file], encoding="utf-8")
    if options.check and changed:
        sys.exit("These pages are out of date: run python docs/tools/generate.py")


if __name__ == "__main__":
    main()
