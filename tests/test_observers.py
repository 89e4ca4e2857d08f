"""Plugins that observe runs: they see what happens, change nothing, and are switched off when they raise."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from plugin_files import install

GAMES = Path(__file__).parent / "games"

WATCHER = """
import json
from pathlib import Path
from ganskit import hookimpl

seen = []

@hookimpl
def ganskit_run_started(run):
    seen.append(["started", run.round, run.samples])

@hookimpl
def ganskit_round_ended(run):
    seen.append(["round", run.round, run.samples, sorted(run.logged), run.grid and run.grid.name])

@hookimpl
def ganskit_checkpoint_saved(run, file):
    seen.append(["checkpoint", run.samples, file.is_file()])

@hookimpl
def ganskit_run_ended(run, outcome):
    seen.append(["ended", run.samples, outcome])
    with (run.path / "seen.json").open("a") as out:
        out.write(json.dumps(seen) + "\\n")
"""


def train(out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    flags = [word for word in more if word.startswith("--")]
    changes = ["samples=32", "log_every=2", "sample_every=2", *(word for word in more if word not in flags)]
    settings = [*flags, *(word for setting in changes for word in ("--set", setting))]
    command = [sys.executable, "-m", "ganskit", "run", f"{GAMES / 'dcgan.py'}:recipe", "--out", str(out), *settings]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_an_observer_sees_the_run(site: Path) -> None:
    install(site, "watcher", WATCHER)
    done = train(site / "run")
    assert done.returncode == 0, done.stderr
    assert json.loads((site / "run/seen.json").read_text()) == [
        ["started", 0, 0],
        ["round", 1, 16, [], None],
        ["round", 2, 32, ["D.fake", "D.real", "G.fake", "samples_per_s"], "000000000032.png"],
        ["checkpoint", 32, True],
        ["ended", 32, "finished"],
    ]


def test_an_observer_learns_how_a_run_ended(site: Path) -> None:
    install(site, "watcher", WATCHER)
    done = train(site / "run", "game.G_opt.lr=1e30", "samples=96")
    assert done.returncode == 1
    assert json.loads((site / "run/seen.json").read_text())[-1][2] == "failed"


@pytest.mark.parametrize("fault", ["1 / 0", "import sys; sys.exit('enough')", "raise BaseException('of all')"])
def test_an_observer_that_raises_is_switched_off_with_one_line(site: Path, fault: str) -> None:
    quiet = train(site / "quiet")
    install(site, "watcher", WATCHER)
    install(site, "faulty", WATCHER.replace('    seen.append(["round"', f'    {fault}\n    seen.append(["round"'))
    done = train(site / "run")
    assert done.returncode == quiet.returncode == 0, done.stderr
    said = [line for line in (done.stdout + done.stderr).splitlines() if "faulty" in line]
    assert len(said) == 1
    assert 'Warning: plugin "faulty" (faulty 1.2) is switched off for this run: its ganskit_round_ended raised ' in said[0]
    assert len((site / "run/seen.json").read_text().splitlines()) == 1, "the other observer went on, the faulty one did not"
    first, second = (load_file(max((site / name).glob("checkpoints/*.safetensors"))) for name in ("quiet", "run"))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("change", ["run.samples = 0", "run.logged.clear()", "run.logged['x'] = 1"])
def test_an_observer_cannot_change_what_it_sees(site: Path, change: str) -> None:
    install(site, "faulty", WATCHER.replace('    seen.append(["round"', f'    {change}\n    seen.append(["round"'))
    done = train(site / "run")
    assert done.returncode == 0
    assert "is switched off for this run: its ganskit_round_ended raised " in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ("torch.set_grad_enabled(False)", "grad mode"),
        ("torch.set_default_dtype(torch.float64)", "default dtype"),
        ("torch.set_num_threads(2)", "number of threads"),
    ],
)
def test_an_observer_that_changes_torch_is_switched_off(site: Path, setting: str, name: str) -> None:
    quiet = train(site / "quiet")
    install(
        site, "meddler", WATCHER.replace('    seen.append(["started"', f'    import torch; {setting}\n    seen.append(["started"')
    )
    done = train(site / "run")
    assert done.returncode == quiet.returncode == 0, done.stderr
    assert (
        f"its ganskit_run_started raised nothing, but it changed torch's {name}, which is put back" in done.stdout + done.stderr
    )
    first, second = (load_file(max((site / run).glob("checkpoints/*.safetensors"))) for run in ("quiet", "run"))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_an_observer_reaches_a_copy_of_the_recipe_only(site: Path) -> None:
    install(
        site, "thief", WATCHER.replace('    seen.append(["started"', '    run.recipe.nets.pop("G")\n    seen.append(["started"')
    )
    assert train(site / "run", "samples=16").returncode == 0
    again = train(site / "run", "samples=32", "--resume")
    assert again.returncode == 0, again.stderr


def test_only_the_leading_process_observes(site: Path) -> None:
    install(site, "watcher", WATCHER)
    command = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "ganskit", "run", f"{GAMES / 'dcgan.py'}:recipe"]
    done = subprocess.run(
        [sys.executable, *command, "--out", str(site / "run"), "--set", "samples=32"],
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len((site / "run/seen.json").read_text().splitlines()) == 1
