"""The pages on plugins say what is: their examples pass the kit and train, and their messages are those of the code."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
import pytest

from ganskit import RunView, hookspecs
from ganskit.cli.new_plugin import write_project
from ganskit.conformance.summary import CHECKS, MARKS
from ganskit.plugins import HOOKS
from ganskit.registry import KINDS
from ganskit.testing import Conformance

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "plugins"
sys.path.insert(0, str(ROOT / "docs" / "tools"))

import blocks  # noqa: E402 - found by the line above
import messages  # noqa: E402

TUTORIAL, DIRECTORY = PAGES / "tutorial.md", PAGES / "directory.md"
EXAMPLES = [PAGES / f"{name}.md" for name in ("kinds", *KINDS, "hooks")]
POINTS = re.compile(r"^\[project.entry-points.ganskit\]\n(?:\S.*\n)+", re.MULTILINE)
SMALL = "samples=64 batch_size=4 data.num_images=16 data.size=16 nets.G.width=4 nets.D.width=4 log_every=4"
SESSION = """
import sys
from ganskit.cli.main import main
for words in {commands}:
    sys.argv = words
    try:
        main()
    except SystemExit as end:
        assert not end.code, end.code
"""


def installed(project: Path, files: Mapping[str, str]) -> Path:
    """The project with these files, and its metadata beside its sources, as pip would write them. Returns its sources."""
    for path, text in files.items():
        file = project / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if path == "pyproject.toml" and file.exists():  # a page that shows only the entry points
            text = POINTS.sub(text, file.read_text(encoding="utf-8"))
        file.write_text(text, encoding="utf-8")
    points = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]["ganskit"]
    info = project / "src" / f"{project.name.replace('-', '_')}-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project.name}\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[ganskit]\n" + "".join(f"{name} = {target}\n" for name, target in points.items()))
    return project / "src"


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the tutorial's project and that of the examples; processes see both installed."""
    folder = tmp_path_factory.mktemp("projects")
    write_project("my-gan", folder / "my-gan")
    sources = [installed(folder / "pair-gan", blocks.files([TUTORIAL])), installed(folder / "my-gan", blocks.files(EXAMPLES))]
    with pytest.MonkeyPatch.context() as patch:
        for each in sources:
            patch.setenv("PYTHONPATH", str(each), prepend=os.pathsep)
        yield folder


def said_by(*words: str, plugins: str, cwd: Path) -> str:
    """What a Python process with these plugins says, standard error included."""
    done = subprocess.run(
        [sys.executable, *words], cwd=cwd, env=os.environ | {"GANSKIT_PLUGINS": plugins}, check=False, timeout=300,
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


# the examples


@pytest.mark.parametrize("part", ["not compiled", pytest.param("compiled", marks=pytest.mark.slow)])
def test_the_projects_pass_the_kit(projects: Path, part: str) -> None:
    """Both in one process, with the tutorial's settings for pytest."""
    words = ["-m", "pytest", "-c", "pair-gan/pyproject.toml", "--rootdir=.", "--import-mode=importlib", "-W", "error"]
    tests = ["-k", part, "pair-gan/tests", "my-gan/tests"]
    said = said_by(*words, *tests, plugins="pair-gan,my-gan,my-gan-diary", cwd=projects)
    if part == "not compiled":
        assert not blocks.missing(blocks.answers(TUTORIAL)["pytest"], said)
        assert f"ganskit: {len(KINDS)} entries of my-gan were checked (1 architecture, 1 loss, 1 penalty, 1 view, " in said


def test_the_tutorials_loss_is_listed_as_shown(projects: Path) -> None:
    listed = said_by("-m", "ganskit", "list", "loss", plugins="pair-gan", cwd=projects)
    assert listed.splitlines() == blocks.answers(TUTORIAL)["ganskit list loss"]


def test_the_tutorials_recipe_trains_and_the_diary_and_the_evaluator_see_it(projects: Path) -> None:
    train = ["ganskit", "run", "pair-gan-rooms", "--out", "run", *(word for each in SMALL.split() for word in ("--set", each))]
    commands = [train, ["ganskit", "eval", "run", "my-gan.mmd", "--set", "num=8"]]
    said_by("-c", SESSION.format(commands=commands), plugins="pair-gan,my-gan,my-gan-diary", cwd=projects)
    run = projects / "run"
    assert set(json.loads((run / "metrics.jsonl").read_text().splitlines()[0])) >= {"D.pair", "G.pair"}
    assert tomllib.loads((run / "recipe.toml").read_text())["plugins"]["pair-gan"] == "0.1.0"
    assert json.loads((run / "evaluations/my-gan.mmd/result.json").read_text())["protocol"]["num"] == 8
    first, *diary, last = (run / "diary.txt").read_text().splitlines()
    assert first == "        0  pair-gan-rooms begins"
    assert any("D.pair" in line for line in diary)
    assert "       64  saved 000000000064.safetensors" in diary
    assert re.fullmatch(r" {7}64  finished after \d+ s", last)


def test_the_tutorial_has_40_lines() -> None:
    lines = [line for text in blocks.files([TUTORIAL]).values() for line in text.splitlines()]
    prose = re.compile(r'\s*(#.*|""".*""")?')
    assert 36 <= sum(not prose.fullmatch(line) for line in lines) <= 40


@pytest.mark.parametrize("kind", KINDS)
def test_a_kinds_page_shows_its_line_of_the_examples(kind: str) -> None:
    text = (PAGES / f"{kind}.md").read_text(encoding="utf-8")
    (line,) = re.findall(rf"^registry\.{kind}\(.*\)$", text, re.MULTILINE)
    assert f"    {line}\n" in blocks.files(EXAMPLES)["src/my_gan/plugin.py"]


# hooks and messages


def test_every_hook_has_a_heading_with_its_signature() -> None:
    headings = re.findall(r"^## `(ganskit_.*)`$", (PAGES / "hooks.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == [f"{hook}({', '.join(inspect.signature(getattr(hookspecs, hook)).parameters)})" for hook in HOOKS]


def test_what_an_observer_sees_is_complete() -> None:
    described = set(re.findall(r"`run\.(\w+)`", (PAGES / "hooks.md").read_text(encoding="utf-8")))
    assert described == {field.name for field in attrs.fields(RunView)}


def test_messages_are_what_the_code_says() -> None:
    known = messages.patterns((ROOT / "ganskit").rglob("*.py"))
    quoted = [(page.name, text) for page in sorted(PAGES.glob("*.md")) for text in messages.quoted(page)]
    assert len(quoted) > 40
    for page, text in quoted:
        _, left_out, reason = text.partition(" is left out: ")
        for part in (text, reason) if left_out else (text,):
            assert any(pattern.fullmatch(part) for pattern in known), f"{page}: nothing in ganskit says: {part}"


# what is registered


LISTED = """
import json
from ganskit.plugins import registry
print(json.dumps([[entry.distribution, entry.kind, entry.name] for entry in registry().entries()]))
"""


@pytest.fixture(scope="module")
def entries() -> dict[str, set[tuple[str, str]]]:
    """(kind, name) of everything that is installed, by distribution."""
    environment = {name: value for name, value in os.environ.items() if name != "GANSKIT_PLUGINS"}
    done = subprocess.run([sys.executable, "-c", LISTED], env=environment, check=True, capture_output=True, text=True)
    found: dict[str, set[tuple[str, str]]] = {}
    for distribution, kind, name in json.loads(done.stdout):
        found.setdefault(distribution, set()).add((kind, name))
    return found


def shown() -> dict[str, dict[tuple[str, str], dict[str, str]]]:
    """The tables of entries.md: distribution -> (kind, name) -> check -> mark."""
    tables: dict[str, dict[tuple[str, str], dict[str, str]]] = {}
    for part in (PAGES / "entries.md").read_text(encoding="utf-8").split("\n## ")[1:]:
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line.startswith("|")]
        (_, *checks), _, *entries = rows
        tables[part.split()[0]] = {
            (entry.split()[0], entry.split("`")[1]): dict(zip(checks, marks, strict=True)) for entry, *marks in entries
        }
    return tables


def applicable(kind: str) -> set[str]:
    """The columns of the checks that the kit makes for a kind."""
    tests = {title: getattr(Conformance, f"test_{check}") for check, title in CHECKS.items()}
    return {title for title, test in tests.items() if kind in getattr(test, "kinds", KINDS)}


@pytest.mark.parametrize("distribution", ["ganskit", "ganskit-stabilizers"])
def test_the_table_of_entries_is_up_to_date(distribution: str, entries: dict[str, set[tuple[str, str]]]) -> None:
    if distribution not in entries:
        pytest.skip(f"{distribution} is not installed")
    table = shown()[distribution]
    assert set(table) == entries[distribution], "run python docs/tools/entries_page.py"
    for (kind, name), row in table.items():
        marked = {check for check, mark in row.items() if mark}
        assert marked == applicable(kind), f"{kind} {name}"
        assert MARKS["failed"] not in row.values(), f"{kind} {name}"


@pytest.mark.parametrize("distribution", [folder.name for folder in sorted(ROOT.glob("plugins/*"))])
def test_the_directory_lists_what_a_plugin_adds(distribution: str, entries: dict[str, set[tuple[str, str]]]) -> None:
    part = DIRECTORY.read_text(encoding="utf-8").partition(f"\n## {distribution}\n")[2].partition("\n<!-- end -->\n")[0]
    assert part, f"docs/plugins/directory.md has no section on {distribution}"
    if distribution not in entries:
        pytest.skip(f"{distribution} is not installed, or registers nothing")
    rows = re.findall(r"^\| (\w+) \| (`.*`) \|$", part, re.MULTILINE)
    listed = {(kind, name) for kind, names in rows for name in re.findall("`([^`]+)`", names)}
    assert listed == entries[distribution], "run python docs/tools/generate.py"
