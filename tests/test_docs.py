"""The documentation says what is: generated pages are up to date, links lead somewhere, commands and names exist."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import click
import pytest
from attrs import evolve

import ganskit
from ganskit.cli.main import group
from ganskit.errors import UserError
from ganskit.plugins import registry
from ganskit.train import resolve

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS / "tools"))

import generate  # noqa: E402 - found by the line above
import recipe_pages  # noqa: E402
from sentences import NoSentence, Sentences, leaves  # noqa: E402

PAGES = [
    page
    for page in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted(DOCS.rglob("*.md")),
        *sorted(ROOT.glob("plugins/*/README.md")),
    )
    if page.is_file() and DOCS / "tools" not in page.parents
]
ELSEWHERE = {
    name
    for page in (*PAGES, *ROOT.glob("plugins/*/src/*/plugin.py"))
    for name in re.findall(r'^    (?:registry\.recipe\(|\w+ = )"([a-z0-9-]+)"', page.read_text(encoding="utf-8"), re.MULTILINE)
}
"""Recipes of plugins that may not be installed: those in the repository, and those that pages tell how to write."""
FENCE = re.compile(r"^( *)(`{3,})(\S*)[^\n]*\n(.*?)^\1\2 *$", re.MULTILINE | re.DOTALL)


# generated pages


def test_generated_pages_are_up_to_date() -> None:
    changed = generate.drifted(generate.pages(generate.constants_files()))
    assert not changed, f"run python docs/tools/generate.py: {', '.join(str(page.relative_to(ROOT)) for page in changed)}"


def test_every_recipe_has_a_page_with_every_constant() -> None:
    recipes = recipe_pages.recipes(Sentences.read([generate.OURS]), "ganskit")
    assert len(recipes) >= 7
    for recipe in recipes:
        text = (DOCS / "recipes" / f"{recipe.name}.md").read_text(encoding="utf-8")
        for path, _ in leaves(recipe_pages.to_table(recipe)):
            assert path.partition(".")[0] in recipe_pages.WORDS or f"`{path}`" in text, f"{recipe.name}: {path}"


def test_a_changed_constant_without_a_sentence_is_refused() -> None:
    changed = evolve(ganskit.named("dcgan-rooms"), batch_size=33)
    with pytest.raises(NoSentence, match="dcgan-rooms: no sentence says what fixes batch_size = 33"):
        recipe_pages.page(changed, Sentences.read([generate.OURS]))


def test_a_sentence_about_nothing_is_refused(tmp_path: Path) -> None:
    more = tmp_path / "constants.toml"
    more.write_text('distribution = "other"\n[[constants]]\npath = "batch_size"\nvalue = 33\nchoice = "why not"\n')
    sentences = Sentences.read([generate.OURS, more])
    for recipe in recipe_pages.recipes(sentences, "ganskit"):
        recipe_pages.page(recipe, sentences)
    assert list(sentences.unused()) == ["batch_size = 33, for every recipe"]


def test_a_plugins_recipe_takes_sentences_of_the_recipe_it_is_based_on(tmp_path: Path) -> None:
    theirs = tmp_path / "constants.toml"
    theirs.write_text(
        'distribution = "other"\n[recipes.mine]\nbase = "dcgan-rooms"\nabout = "Mine."\n'
        '[[constants]]\npath = "batch_size"\nvalue = 64\nrecipes = ["mine"]\npaper = "section 9"\nsays = "We use 64."\n'
    )
    sentences = Sentences.read([generate.OURS, theirs])
    assert str(sentences.find("mine", "batch_size", 64)) == "“We use 64.” (section 9)"
    assert sentences.find("mine", "ema", 0.99) is sentences.find("dcgan-rooms", "ema", 0.99)
    assert sentences.find("mine", "game.D_opt.lr", 2e-4) is sentences.find("dcgan-lsun", "game.D_opt.lr", 2e-4)
    with pytest.raises(NoSentence, match=r"mine: no sentence says what fixes samples = 5"):
        sentences.find("mine", "samples", 5)


@pytest.mark.parametrize("row", ['choice = "x"\nsays = "y"', 'paper = "section 1"', 'paper = "1"\ncode = "a.py"\nsays = "y"', ""])
def test_a_sentence_has_one_source_and_a_quote(tmp_path: Path, row: str) -> None:
    file = tmp_path / "constants.toml"
    file.write_text(f'distribution = "other"\n[[constants]]\npath = "seed"\nvalue = 0\n{row}\n')
    with pytest.raises(NoSentence, match="seed = 0"):
        Sentences.read([file])


def test_equations_become_mathml_or_are_refused() -> None:
    pytest.importorskip("latex2mathml")
    mkdocs = pytest.importorskip("mkdocs.exceptions")
    from site_hooks import equation

    for found in Sentences.read([generate.OURS]).equations.values():
        for latex in (text for key, text in found.items() if key not in ("words", "paper")):
            assert "<math" in equation(latex, "math", "math", None, None)
    for wrong in (r"\unheardof{x}", r"\begin{aligned} a &= b \end{aligned}"):
        with pytest.raises(mkdocs.PluginError):
            equation(wrong, "math", "math", None, None)


# the API


def test_every_public_name_is_on_an_api_page() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in sorted((DOCS / "api").glob("*.md")))
    described = set(re.findall(r"^::: [\w.]+\.(\w+)$", text, re.MULTILINE)) | set(re.findall(r"^## (\w+)$", text, re.MULTILINE))
    assert set(ganskit.__all__) - described == set()


# links


def without_code(text: str) -> str:
    return re.sub(r"`[^`\n]+`", "", FENCE.sub("", text))


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings, and those of the names on an API page."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r"^::: ([\w.]+)$", text, re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
    text = without_code(page.read_text(encoding="utf-8"))
    targets = re.findall(r"\]\(\s*<?([^)\s>]+)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)
    for target in targets:
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), f"{page.name} links to {target}: there is no such file"
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file), f"{page.name} links to {target}: there is no such heading"


# commands


def commands(text: str) -> Iterator[list[str]]:
    """The words after `ganskit` of every command in a page's shell fences and inline code."""
    lines = [
        line for _, _, language, body in FENCE.findall(text) if language == "sh" for line in body.replace("\\\n", " ").split("\n")
    ]
    lines += re.findall(r"`(ganskit [^`\n]+)`", FENCE.sub("", text))
    for line in lines:
        if "ganskit " not in line:
            continue
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if word[0] in "|&;":
                if "ganskit" in words:
                    yield words[words.index("ganskit") + 1 :]
                words = []
            else:
                words.append(word)


def check(words: list[str]) -> None:
    """That a command and its options exist, its recipe is registered, and its settings fit. NAME stands for any."""
    command: click.Command = group
    given = list(words)
    while isinstance(command, click.Group) and given and not given[0].startswith("-") and not given[0].isupper():
        inner = command.get_command(click.Context(command), given[0])
        assert inner is not None, f'there is no command "{given[0]}"'
        command, given = inner, given[1:]
    known = {"--help", "-h", "--version"} | {name for option in command.params for name in option.opts}
    for option in given:
        assert not re.match(r"--?[a-z]", option) or option.partition("=")[0] in known, f"there is no option {option}"
    if command.name in ("run", "show") and given and re.fullmatch(r"[a-z][a-z0-9-]+", given[0]) and given[0] not in ELSEWHERE:
        assert given[0] in {entry.name for entry in registry().entries("recipe")}, f"there is no recipe {given[0]}"
        settings = [value for option, value in pairwise(given) if option == "--set" and "=" in value]
        wrong = ""
        try:
            resolve(given[0], settings=settings)
        except UserError as error:
            wrong = str(error)
        assert not wrong or "There is no" in wrong, wrong  # a name of the plugin that a page tells how to write is no mistake


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_and_options_exist(page: Path) -> None:
    for words in commands(page.read_text(encoding="utf-8")):
        try:
            check(words)
        except AssertionError as error:
            raise AssertionError(f"{page.name}: ganskit {' '.join(words)}: {error}") from None


def test_commands_are_found_and_checked() -> None:
    fence = "```sh\npip install . && ganskit run dcgan-rooms \\\n  --set seed=1  # comment\n```\n"
    text = fence + "and `ganskit data info --verify`, `ganskit`"
    assert list(commands(text)) == [["run", "dcgan-rooms", "--set", "seed=1"], ["data", "info", "--verify"]]
    for wrong in ("trian", "run --sed 1", "data look", "run dcgan-lsum", "run dcgan-rooms --set sed=1", "--verbose"):
        with pytest.raises(AssertionError):
            check(wrong.split())
