"""Plugins that are broken, slow, doubled or many: every command goes on working, and says which and why."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from timing import processor_s

from plugin_files import BROKEN, GOOD, HOOK, ganskit, install

SLOW = "import time; time.sleep(1.2)\n"
NEWER = """
@hookimpl
def ganskit_dream_ended(run):
    pass
"""


def test_nine_broken_plugins_at_once(site: Path) -> None:
    """Every command works, and each plugin is named with its reason."""
    broken = {
        "raises": (BROKEN["raises"][0], "RuntimeError: first line second line"),
        "leaves": (BROKEN["exits"][0], "SystemExit: goodbye"),
        "misspelt": (BROKEN["is no Python"][0], "SyntaxError"),
        "lacking": (BROKEN["lacks a package"][0], "it needs the module package_that_is_not_there"),
        "taker": (BROKEN["takes a plugin's name"][0], 'loss "good-loss" is registered by both good and taker'),
        "usurper": (BROKEN["takes a built-in name"][0], '"dcgan-lsun" is registered by both ganskit and usurper'),
        "trainer": (BROKEN["registers an unknown kind"][0], 'There is no kind "trainer" to register. Known: architecture, '),
        "greedy": (BROKEN["asks for too much"][0], "its ganskit_register asks for trainer, and the hook has only: registry."),
        "early": (GOOD.replace("good", "early") + NEWER, "it implements the hook ganskit_dream_ended, which ganskit "),
    }
    for name, (code, _) in broken.items():
        install(site, name, code)
    lazy = f'{HOOK}    registry.loss("empty", "nowhere:Loss", "A")\n'  # the tenth is found out only when it is used
    install(site, "lazy", lazy)
    commands = ["list", "list loss", "plugins list", "show dcgan-rooms", "--help", "data info", "run dcgan-rooms --dry-run"]
    for words in commands:
        done = ganskit(*words.split())
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        lines = [line for line in done.stderr.splitlines() if line.startswith("Warning: plugin ")]
        if words in ("--help", "data info"):  # which need no plugin
            continue
        assert len(lines) == 9
        for name, (_, reason) in broken.items():
            (line,) = [line for line in lines if f'"{name}"' in line]
            assert f"{name} 1.2) is left out: " in line
            assert reason in line
    listed = ganskit("plugins", "list").stdout
    assert listed.count("  broken: ") == 9
    assert all(reason in listed for _, reason in broken.values())
    checked = ganskit("plugins", "check", "lazy")
    assert checked.returncode == 1
    assert (
        'FAILED  loss empty: loss "empty" from lazy cannot be loaded: nowhere:Loss raised ModuleNotFoundError' in checked.stdout
    )


def test_a_plugin_for_a_newer_ganskit(site: Path) -> None:
    install(site, "newer", GOOD.replace("good", "newer") + NEWER)
    (warning,) = ganskit("list", "loss").stderr.splitlines()
    assert "If it was made for a newer ganskit, upgrade ganskit." in warning
    assert "Known: ganskit_register, ganskit_run_started, ganskit_round_ended" in warning or "Did you mean" in warning


def test_a_slow_plugin_is_named(site: Path) -> None:
    install(site, "slow", SLOW + GOOD.replace("good", "slow"))
    listed = ganskit("list", "loss")
    assert listed.returncode == 0
    assert "slow-loss" in listed.stdout
    (warning,) = listed.stderr.splitlines()
    assert re.fullmatch(
        r'Warning: plugin "slow" \(slow 1.2\) took 1\.\d s to load: it makes every command slow.', warning.strip()
    ), warning


def test_a_plugin_that_hangs_is_named_while_one_waits(site: Path) -> None:
    install(site, "hangs", "import time; time.sleep(60)\n" + GOOD)
    command = [sys.executable, "-m", "ganskit", "list"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        line = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert line.startswith('Still loading plugin "hangs" (hangs 1.2). Ctrl-C stops; ')
    assert process.returncode == 130
    assert "Traceback" not in rest


def test_two_versions_on_the_path(site: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path_factory.mktemp("other")
    install(other, "good", GOOD.replace("good-loss", "other-loss"))
    (other / "good-1.2.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: good\nVersion: 1.3\n")
    monkeypatch.setenv("PYTHONPATH", str(site), prepend=os.pathsep)
    monkeypatch.setenv("PYTHONPATH", os.environ["PYTHONPATH"] + os.pathsep + str(other))
    listed = ganskit("list", "loss")
    assert listed.returncode == 0
    assert "good-loss" in listed.stdout
    assert "other-loss" not in listed.stdout
    (warning,) = listed.stderr.splitlines()
    assert warning == (
        f"Warning: good 1.2 in {site} is used, but there is also 1.3 in {other} on the path. Uninstall one of them."
    )


@pytest.mark.parametrize("text", ["[ganskit]\nnot an entry point\n", "[ganskit\nx = y\n", "\x00\n= =\n"])
def test_an_entry_points_file_that_is_none(site: Path, text: str) -> None:
    install(site, "odd", "")
    (site / "odd-1.2.dist-info" / "entry_points.txt").write_text(text)
    listed = ganskit("list", "loss")
    assert listed.returncode == 0, listed.stderr
    assert "good-loss" in listed.stdout
    assert "Traceback" not in listed.stderr


def test_metadata_that_cannot_be_read(site: Path) -> None:
    install(site, "odd", GOOD.replace("good", "odd"))
    (site / "odd-1.2.dist-info" / "METADATA").write_bytes(
        b"Metadata-Version: 2.1\nName: odd\nAuthor: J\xe9r\xf4me\nVersion: 1.2\n"
    )
    listed = ganskit("list", "loss")
    assert listed.returncode == 0, listed.stderr
    assert "good-loss" in listed.stdout
    assert "Traceback" not in listed.stderr


def test_an_error_that_cannot_even_be_read(site: Path) -> None:
    code = "class Odd(Exception):\n    def __str__(self):\n        raise ValueError\nraise Odd"
    install(site, "odd", code)
    listed = ganskit("list", "loss")
    assert listed.returncode == 0, listed.stderr
    assert 'Warning: plugin "odd" (odd 1.2) is left out: Odd: (its text cannot be read)\n' in listed.stderr


def test_a_limit_takes_names_of_distributions(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(site, "short", GOOD.replace("good", "short"))
    (site / "short-1.2.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: A_Long-name\nVersion: 1.2\n")
    monkeypatch.setenv("GANSKIT_PLUGINS", "a-long-name")
    listed = ganskit("list", "loss")
    assert "short-loss" in listed.stdout
    assert "good-loss" not in listed.stdout


def test_what_a_plugin_prints_is_not_our_output(site: Path) -> None:
    install(site, "chatty", "print('hello')\n" + GOOD.replace("good", "chatty"))
    shown = ganskit("show", "dcgan-mnist")
    assert shown.returncode == 0
    assert "hello" not in shown.stdout
    assert "hello" in shown.stderr


def test_a_neighbour_that_imports_torch_is_the_guilty_one(site: Path) -> None:
    install(site, "heavy", "import torch\n" + GOOD.replace("good", "heavy"))
    assert "ok      listing imports no torch" in ganskit("plugins", "check", "good").stdout
    assert "FAILED  listing imports no torch" in ganskit("plugins", "check", "heavy").stdout


def test_a_hundred_plugins_cost_less_than_the_listing_itself(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A millisecond each where it takes 0.1 s. And a run of a built-in recipe imports none of their implementations."""
    (site := site / "hundred").mkdir()
    for i in range(100):
        entries = f'    registry.loss("loss-{i}", "implementation_{i}:Loss", "A")\n'
        install(site, f"plugin_{i}", HOOK + entries)
        (site / f"implementation_{i}.py").write_text("from ganskit import Loss\n")
    listing = "import sys; sys.path[:0] = [{}]; sys.argv = ['ganskit', 'list']; from ganskit.cli.main import main; main()"
    few, many = processor_s(*((sys.executable, "-c", listing.format(path)) for path in ("", repr(str(site)))))
    assert many < 2 * few
    monkeypatch.setenv("PYTHONPATH", str(site), prepend=os.pathsep)
    assert ganskit("list").stdout.count("implementation") == 0
    assert ganskit("list", "loss").stdout.count("  loss-") == 100
    code = (
        "import sys\nfrom ganskit.cli.main import main\n"
        "sys.argv = ['ganskit', 'run', 'dcgan-rooms', '--dry-run']\n"
        "try: main()\nexcept SystemExit as end: assert not end.code\n"
        "sys.exit(sum(name.startswith('implementation_') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


def test_another_version_of_a_plugin_is_named_on_resume(site: Path) -> None:
    install(site, "mine", f'{HOOK}    registry.loss("mine", "sabotage:Draws", "Me 2024")\n')
    words = ["run", "dcgan-rooms", "--out", str(site / "run"), "--set", "game.loss=mine", "--set", "batch_size=4"]
    for setting in ("data.size=16", "data.num_images=16", "nets.G.width=4", "nets.D.width=4"):
        words += ["--set", setting]
    done = ganskit(*words, "--set", "samples=32")
    assert done.returncode == 0, done.stderr
    assert 'mine = "1.2"' in (site / "run/recipe.toml").read_text()
    (site / "mine-1.2.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.3\n")
    done = ganskit(*words, "--set", "samples=48", "--resume")
    assert done.returncode == 0, done.stderr
    assert "Warning: plugin mine was 1.2 and is 1.3 now: results will not be bit-identical." in done.stdout + done.stderr


def test_a_recipe_whose_plugin_is_gone_says_so(site: Path, tmp_path: Path) -> None:
    install(site, "mine", f'{HOOK}    registry.loss("mine", "sabotage:Draws", "Me 2024")\n')
    shown = ganskit("show", "dcgan-rooms", "--set", "game.loss=mine")
    (tmp_path / "mine.toml").write_text(shown.stdout)
    for file in (*site.glob("mine-*/*"), site / "mine.py"):
        file.unlink()
    done = ganskit("run", str(tmp_path / "mine.toml"), "--dry-run")
    assert done.returncode == 2
    assert 'There is no loss "mine"' in done.stderr
    assert "This recipe was written with mine 1.2, which is not here: pip install it.\n" in done.stderr
