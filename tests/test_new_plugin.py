"""A project written by `ganskit plugins new`: it works as it is, under any name; and what names are refused."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

FILES = {
    ".github/workflows/test.yml", ".gitignore", "README.md", "pyproject.toml", "src/hal_gan/__init__.py", "src/hal_gan/losses.py",
    "src/hal_gan/nets.py", "src/hal_gan/plugin.py", "src/hal_gan/recipes.py", "tests/test_conformance.py", "tests/test_losses.py",
}  # fmt: skip


def test_the_project_works_as_it_is(ganskit, tmp_path: Path) -> None:
    """Its files, its own tests, its place in the list, and a run. (Installed by hand: pip would bring torch again.)"""
    project = tmp_path / "hal-gan"
    done = ganskit("plugins", "new", "hal-gan", "--out", project)
    assert done.code == 0
    assert 'pip install -e ".[test]"' in done.out
    assert {file.relative_to(project).as_posix() for file in project.rglob("*") if file.is_file()} == FILES
    assert not [file for file in project.rglob("*") if file.is_file() and ("my-gan" in (t := file.read_text()) or "my_gan" in t)]
    metadata = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    info = project / "src" / "hal_gan-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {metadata['name']}\nVersion: {metadata['version']}\n")
    points = "".join(f"{name} = {target}\n" for name, target in metadata["entry-points"]["ganskit"].items())
    (info / "entry_points.txt").write_text(f"[ganskit]\n{points}")
    path = os.pathsep.join([str(project / "src"), os.environ["PYTHONPATH"]])
    environment = os.environ | {"PYTHONPATH": path, "GANSKIT_PLUGINS": "hal-gan"}

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=project, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "ganskit: 3 entries of hal-gan were checked (1 architecture, 1 loss, 1 recipe)" in run("pytest", "-W", "error")
    assert "hal-gan.least-squares" in run("ganskit", "list", "loss")
    assert "FAILED" not in run("ganskit", "plugins", "check", "hal-gan")
    small = [word for setting in ("samples=64", "batch_size=4", "data.num_images=16") for word in ("--set", setting)]
    run("ganskit", "run", "hal-gan-rooms", *small)
    recipe = tomllib.loads((project / "runs/hal-gan-rooms-001/recipe.toml").read_text())
    assert recipe["plugins"]["hal-gan"] == "0.1.0"
    if ruff := shutil.which("ruff"):
        subprocess.run([ruff, "check", "--isolated", "--line-length=130", "--select=E,F,W,B,UP", str(project)], check=True)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("My_GAN", "is no name for a plugin: expected small letters, digits and single hyphens"),
        ("../up", "is no name for a plugin"),
        ("-x", ""),
        ("a--b", "is no name for a plugin"),
        ("import", "is a word of Python's own"),
        ("json", 'A Python module "json" exists already'),
        ("ganskit", '"ganskit" is taken: choose a name that no installed distribution has.'),
        ("pytest", '"pytest" is taken'),
        ("nul", '"nul" is taken'),
        ("dcgan", 'There are entries called "dcgan.something" already'),
    ],
)
def test_names_that_are_refused(ganskit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, says: str) -> None:
    monkeypatch.chdir(tmp_path)
    done = ganskit("plugins", "new", name)
    assert done.code == 2
    assert says in done.err
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(ganskit, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = ganskit("plugins", "new", "hal-gan", "--out", tmp_path)
    assert done.code == 2
    assert "exists and is not empty: give --out a new folder" in done.err
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_check_of_an_unknown_plugin(ganskit) -> None:
    done = ganskit("plugins", "check", "ganskitt")
    assert done.code == 2
    assert 'There is no plugin "ganskitt". Did you mean "ganskit"?' in done.err


def test_check_of_the_built_in_set(ganskit) -> None:
    done = ganskit("plugins", "check", "ganskit")
    assert done.code == 0
    assert "FAILED" not in done.out
    assert "  ok      recipe dcgan-lsun\n" in done.out
    assert "  ok      dataset lsun (not tried: it needs files that are not here)\n" in done.out


def test_check_needs_no_pytest() -> None:
    """Which is no dependency of ganskit."""
    code = "import sys; sys.modules['pytest'] = None\nfrom ganskit.conformance.report import check_plugins"
    subprocess.run([sys.executable, "-c", code], check=True)
