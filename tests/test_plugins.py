"""Plugins as small distributions on the path: what they register, and that a broken one harms nobody."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ganskit import UserError
from ganskit.registry import Registry

from plugin_files import BROKEN, GOOD, HOOK, ganskit, install


def test_a_plugin_is_listed_without_being_imported(site: Path) -> None:
    listed = ganskit("list")
    assert listed.returncode == 0
    assert listed.stderr == ""
    (line,) = [line for line in listed.stdout.splitlines() if "good-loss" in line]
    assert "Somebody 2020, eq. 1" in line
    assert "[good 1.2]" in line
    assert "good  good 1.2\n  loss: good-loss\n" in ganskit("plugins", "list").stdout


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_plugin_is_one_line_and_leaves_nothing(site: Path, how: str) -> None:
    code, reason = BROKEN[how]
    install(site, "whole", code)
    listed = ganskit("list")
    assert listed.returncode == 0
    (warning,) = listed.stderr.splitlines()
    assert warning.startswith('Warning: plugin "whole" (whole 1.2) is left out: ')
    assert reason in warning
    assert "left-behind" not in listed.stdout
    assert "good-loss" in listed.stdout
    assert "dcgan-lsun" in listed.stdout


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("good:nothing", "has no attribute 'nothing'"),
        ("missing", "it needs the module missing"),
        ("good:ganskit_register:x", 'leads to "good:ganskit_register:x", which is no module'),
        ("a b", 'leads to "a b", which is no module'),
    ],
)
def test_an_entry_point_that_leads_nowhere(site: Path, target: str, says: str) -> None:
    install(site, "lost", "", target)
    listed = ganskit("list", "loss")
    assert listed.returncode == 0
    (warning,) = listed.stderr.splitlines()
    assert says in warning
    assert warning.startswith('Warning: plugin "lost" (lost 1.2)')
    assert "good-loss" in listed.stdout


def test_a_distribution_half_uninstalled(site: Path) -> None:
    install(site, "half", GOOD.replace("good", "half"), metadata=False)
    listed = ganskit("list", "loss")
    assert listed.returncode == 0
    assert len(listed.stderr.splitlines()) <= 1
    assert "good-loss" in listed.stdout
    assert "Traceback" not in ganskit("plugins", "list").stderr


def test_plugins_list_gives_the_reason(site: Path) -> None:
    install(site, "bad", "import nowhere")
    listed = ganskit("plugins", "list")
    assert listed.returncode == 0
    assert "bad  bad 1.2\n  broken: it needs the module nowhere, which is not installed.\n" in listed.stdout
    assert "\n  loss: good-loss" in listed.stdout
    assert "recipe: dcgan-cifar10" in listed.stdout


@pytest.mark.parametrize(
    ("limit", "there", "missing"),
    [("", "", "good other"), ("good", "good", "other"), (" other , ", "other", "good"), ("other,good", "good other", "")],
)
def test_plugins_can_be_limited(site: Path, monkeypatch: pytest.MonkeyPatch, limit: str, there: str, missing: str) -> None:
    install(site, "other", GOOD.replace("good", "other"))
    monkeypatch.setenv("GANSKIT_PLUGINS", limit)
    listed = ganskit("list", "loss")
    assert listed.returncode == 0
    assert "minimax" in listed.stdout
    assert all(f"{name}-loss" in listed.stdout for name in there.split())
    assert not any(f"{name}-loss" in listed.stdout for name in missing.split())


def test_a_plugin_left_out_is_not_imported(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(site, "bad", "raise RuntimeError")
    monkeypatch.setenv("GANSKIT_PLUGINS", "good")
    assert ganskit("list").stderr == ""


def test_a_limit_with_an_unknown_name(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSKIT_PLUGINS", "goood")
    listed = ganskit("list")
    assert listed.returncode == 2
    assert listed.stderr == 'Error: GANSKIT_PLUGINS names "goood", which is not installed. Did you mean "good"?\n'


def test_an_entry_that_cannot_be_loaded_names_its_distribution() -> None:
    found = Registry().collect("somebody", "1.2", "some")
    found.loss("lost", "nowhere:Loss")
    found.loss("empty", "ganskit.errors:Nothing")
    for name in ("lost", "empty"):
        with pytest.raises(UserError, match=f'loss "{name}" from somebody cannot be loaded.*Upgrade or uninstall somebody'):
            found.find("loss", name).load()


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("os:getcwd", 'recipe "odd" should be a function without arguments that returns a Recipe.'),
        ("math:pi", 'recipe "odd" should be a function without arguments that returns a Recipe.'),
        ("math:gcd:x", "package.module:attribute"),
        ("nowhere:recipe", 'recipe "odd" from odd cannot be loaded'),
        ("os:abort_", 'recipe "odd" from odd cannot be loaded'),
        ("json:loads", 'recipe "odd" raised TypeError'),
    ],
)
def test_a_plugins_recipe_that_is_none(site: Path, target: str, says: str) -> None:
    install(site, "odd", f'{HOOK}    registry.recipe("odd", "{target}")\n')
    shown = ganskit("show", "odd")
    assert shown.returncode == 2
    assert says in shown.stderr
    assert "Traceback" not in shown.stderr


def test_a_plugins_loss_that_is_none(site: Path) -> None:
    install(site, "odd", f'{HOOK}    registry.loss("odd", "os:getcwd")\n')
    shown = ganskit("show", "dcgan-mnist", "--set", "game.loss=odd")
    assert shown.returncode == 2
    assert 'loss "odd" from odd is registered as os:getcwd, which is not a frozen attrs subclass of Loss.' in shown.stderr


def test_a_plugins_loss_is_used_and_its_version_recorded(site: Path) -> None:
    install(site, "mine", f'{HOOK}    registry.loss("mine", "mine_loss:Mine", "Me 2024")\n')
    (site / "mine_loss.py").write_text(
        "from attrs import frozen\nfrom ganskit import NonSaturating\n\n"
        "@frozen\nclass Mine(NonSaturating):\n    weight: float = 1.0\n"
    )
    shown = ganskit("show", "dcgan-mnist", "--set", "game.loss={use='mine', weight=3}")
    assert shown.returncode == 0, shown.stderr
    assert '[game.loss]\nuse = "mine"\nweight = 3.0\n' in shown.stdout
    assert '[plugins]\nganskit = "' in shown.stdout
    assert 'mine = "1.2"\n' in shown.stdout


@pytest.mark.parametrize(
    "words",
    ["", "list", "list loss", "plugins list", "--help", "--version", "run --help", "show -h", "data info", "data prepare --help"],
)
def test_no_torch_for(words: str) -> None:
    code = (
        "import sys; import ganskit; from ganskit.cli.main import main\n"
        f"sys.argv = ['ganskit', *{words.split()}]\n"
        "try: main()\nexcept SystemExit as end: assert end.code in (0, None, 2), end.code\n"
        "sys.exit('torch' in sys.modules and 3)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
