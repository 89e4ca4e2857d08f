"""The command line: what it says, how it ends, and never a traceback (the fixture `ganskit` sees to that)."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest
from PIL import Image

from ganskit import named
from ganskit.recipe import read_toml

RECIPES = """
from ganskit import evolve, named
from toys import Blobs

def small():
    return evolve(named("dcgan-mnist"), name="small", data=Blobs(size=16), samples=32, batch_size=16)

def nothing():
    return None

def fails():
    return 1 / 0

def asks(x):
    return small()

value = 3
"""
TINY = ["--set", "nets.G.width=4", "--set", "nets.D.width=4", "--set", "batch_size=16", "--set", "samples=96", "--device", "cpu"]

pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_without_arguments_it_says_what_there_is(ganskit: Callable) -> None:
    done = ganskit()
    assert done.code == 2
    assert all(f"\n  {command} " in done.err for command in ("run", "list", "show", "sample", "data", "import", "plugins"))
    assert "ganskit run dcgan-rooms" in done.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("rum", 'There is no command "rum". Did you mean "run"?'),
        ("frobnicate", "Known: compare, data, eval, import, list, plugins, report, reproduce, run, sample, show."),
        ("run", "Missing argument"),
        ("run dcgan-lsum", 'There is no recipe "dcgan-lsum". Did you mean "dcgan-lsun"?'),
        ("show nonsense", "Known: dcgan-cifar10, dcgan-dedup, dcgan-faces,"),
        ("run dcgan-mnist --sett x=1", "No such option"),
        ("run dcgan-mnist --data minst", 'There is no folder, file, store or dataset "minst". Did you mean "mnist"?'),
        ("run dcgan-mnist --data no/such/folder", "no/such/folder: there is no such folder or file."),
        ("list nonsense", 'There is no kind "nonsense". Known: architecture, dataset,'),
        ("list penalti", 'There is no kind "penalti". Did you mean "penalty"?'),
        ("run dcgan-mnist --set batch_size=many", "batch_size: expected a whole number, got 'many'"),
        ("show dcgan-mnist --set game.lose=minimax", 'game has no option "lose". Did you mean "loss"?'),
        ("show dcgan-mnist --set data.size=20", "The DCGAN nets need a side of 8, 16, 32, 64, ... pixels, not 20."),
        ("show dcgan-mnist --set data=rooms --set data.size=32 --set nets={}", "TwoPlayer needs the nets G, D"),
        ("run dcgan-mnist --precision fp16", "'fp16' is not one of 'auto', 'fp32', 'bf16'"),
        ("run dcgan-mnist --device nonsense", '"nonsense" is not a device: expected auto, cpu, cuda, cuda:1 or mps.'),
        ("run dcgan-mnist --device cuda:77", 'There is no device "cuda:77" here, only '),
        ("run dcgan-mnist --workers 0", "0 is not in the range"),
        ("run nowhere.toml", "There is no file nowhere.toml."),
        ("run nowhere.py:recipe", "There is no file nowhere.py."),
        ("sample nowhere", "nowhere is not a run directory: it has no recipe.toml."),
        ("sample .", ". is not a run directory"),
        ("sample . --num 0", "0 is not in the range"),
        ("import dcgan-authors .", "200_gen_params.jl_01.npy is missing"),
    ],
)
def test_a_mistake_is_explained(ganskit: Callable, words: str, says: str, here: Path) -> None:
    done = ganskit(*words.split())
    assert done.code == 2
    assert says in " ".join(done.err.split())
    assert done.out == ""
    assert [path for path in here.rglob("*") if path.name != "runs"] == []


def test_lsun_without_its_files(ganskit: Callable, here: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path / "home"))
    done = ganskit("run", "dcgan-lsun", "--device", "cpu")
    assert done.code == 2
    looked_in = str(tmp_path / "home" / "originals" / "lsun")
    for text in (
        looked_in,
        "bedroom_train_lmdb.zip",
        "45.9 GB",
        "http://dl.yf.io/lsun/scenes/bedroom_train_lmdb.zip",
        "ganskit data fetch lsun",
        "--data PATH",
        "ganskit run dcgan-rooms",
    ):
        assert text in done.err
    assert not (here / "runs" / "dcgan-lsun-001").exists(), "a run that did not begin leaves no folder"


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("recipes.py", "expected NAME.toml, or FILE.py:function"),
        ("recipes.py:", "expected NAME.toml, or FILE.py:function"),
        ("recipes.py:smal", 'recipes.py has no function "smal". Did you mean "small"?'),
        ("recipes.py:nothing", "recipes.py:nothing should be a function without arguments that returns a Recipe."),
        ("recipes.py:value", "recipes.py:value should be a function"),
        ("recipes.py:fails", "recipes.py:fails raised ZeroDivisionError: division by zero"),
        ("recipes.py:asks", "missing 1 required positional argument"),
        ("syntax.py:recipe", "syntax.py cannot be run: SyntaxError: "),
        ("raises.py:recipe", "raises.py cannot be run: ModuleNotFoundError: No module named 'nowhere'"),
        ("exits.py:recipe", "exits.py cannot be run: SystemExit: 0"),
        ("syntax.toml", "syntax.toml cannot be read: "),
        ("empty.toml", "recipe.game: game is missing"),
        ("folder.toml", "There is no file folder.toml"),
    ],
)
def test_a_file_that_is_no_recipe(ganskit: Callable, here: Path, what: str, says: str) -> None:
    texts = {"recipes.py": RECIPES, "syntax.py": "def recipe(:", "raises.py": "import nowhere", "exits.py": "raise SystemExit(0)"}
    for name, text in {**texts, "syntax.toml": "name = = 3", "empty.toml": ""}.items():
        (here / name).write_text(text)
    (here / "folder.toml").mkdir()
    done = ganskit("run", what)
    assert done.code == 2
    assert says in done.err


def test_a_recipe_from_a_python_file(ganskit: Callable, here: Path) -> None:
    (here / "recipes.py").write_text(RECIPES)
    done = ganskit("run", "recipes.py:small", *TINY[:4], "--device", "cpu", "--out", "run")
    assert done.code == 0
    assert 'name = "small"' in Path("run/recipe.toml").read_text()
    assert 'ganskit.load("run", recipe=...)' in done.out
    refused = ganskit("sample", "run")
    assert refused.code == 2
    assert "toys:Blobs is not registered" in refused.err


def test_show_gives_a_file_that_runs(ganskit: Callable, here: Path, pictures: Path) -> None:
    shown = ganskit("show", "dcgan-mnist", "--data", pictures, *TINY[:-2], "--set", "data.size=16")
    assert shown.code == 0
    assert shown.out.startswith("# G: ")
    file = here / "mine.toml"
    file.write_text(shown.out.replace("seed = 0", "seed = 7"))
    done = ganskit("run", file, "--device", "cpu", "--out", "run")
    assert done.code == 0, done.err
    assert read_toml(file).seed == 7
    assert read_toml(Path("run/recipe.toml")) == read_toml(file)
    assert ganskit("show", "run/recipe.toml").out == file.read_text()


def test_runs_are_numbered_and_the_last_is_resumed(ganskit: Callable, pictures: Path) -> None:
    words = ["run", "dcgan-mnist", "--data", pictures, "--set", "data.size=16", *TINY]
    for number in (1, 2):
        done = ganskit(*words)
        assert done.code == 0
        assert done.out.splitlines()[-1].startswith(f"{Path('runs', f'dcgan-mnist-{number:03}')}: recipe.toml")
    assert "dcgan-mnist-002 is finished: 96 samples." in ganskit(*words, "--resume").out
    assert {path.name for path in Path("runs").iterdir()} == {"dcgan-mnist-001", "dcgan-mnist-002"}
    refused = ganskit(*words, "--out", "runs/dcgan-mnist-001")
    assert refused.code == 2
    assert "holds a run already. Go on with it with --resume" in refused.err


def test_resuming_needs_no_repetition(ganskit: Callable, pictures: Path) -> None:
    assert ganskit("run", "dcgan-mnist", "--data", pictures, "--set", "data.size=16", *TINY).code == 0
    done = ganskit("run", "dcgan-mnist", "--resume", "--set", "samples=128", "--device", "cpu")
    assert done.code == 0, done.err
    assert sorted(path.name for path in Path("runs").iterdir()) == ["dcgan-mnist-001"]
    assert read_toml(Path("runs/dcgan-mnist-001/recipe.toml")).samples == 128
    refused = ganskit("run", "dcgan-mnist", "--resume", "--set", "batch_size=8", "--device", "cpu")
    assert refused.code == 2
    assert "  batch_size: 16 in the run, 8 now\n" in refused.err


def test_resume_of_nothing_says_that_it_begins(ganskit: Callable, pictures: Path) -> None:
    done = ganskit("run", "dcgan-mnist", "--data", pictures, "--set", "data.size=16", *TINY, "--resume")
    assert done.code == 0
    assert "There is no run in runs/dcgan-mnist-001 yet: starting one." in done.out


def test_ctrl_c_before_training(ganskit: Callable, pictures: Path, monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    monkeypatch.setattr("ganskit.engine.run.prepare", Mock(side_effect=KeyboardInterrupt))
    done = ganskit("run", "dcgan-mnist", "--data", pictures, *TINY, "--out", "run")
    assert (done.code, done.err.strip()) == (130, "Interrupted.")
    assert not (here / "run").exists()


def test_a_disk_that_is_full_of_pictures(ganskit: Callable, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "grid.png")
    monkeypatch.setattr("ganskit.engine.training.save_grid", Mock(side_effect=full))
    done = ganskit("run", "dcgan-mnist", "--data", pictures, "--set", "data.size=16", *TINY)
    assert (done.code, done.err) == (1, "Error: No space left on device: grid.png. What was finished before is still there.\n")


def test_a_dry_run_writes_nothing(ganskit: Callable, here: Path, pictures: Path) -> None:
    done = ganskit("run", "dcgan-lsun", "--data", pictures, "--device", "cpu", "--dry-run", "--precision", "fp32")
    assert done.code == 0
    said = " ".join(done.out.split())
    for text in (
        "G 18,885,760 parameters",
        "D 17,232,768 parameters",
        "48 examples",
        "(3, 64, 64)",
        "15,165,210 samples",
        "cpu, fp32",
    ):
        assert text in said
    assert list(here.iterdir()) == []


def test_a_dry_run_without_data_says_how_to_get_them(ganskit: Callable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path))
    done = ganskit("run", "dcgan-mnist", "--dry-run", "--device", "cpu")
    assert "1,443,776 parameters" in done.out
    assert "MNIST (LeCun, Cortes & Burges): not found." in done.out


@pytest.mark.parametrize(("out", "says"), [("file", "file is a file"), ("file/run", "cannot be written")])
def test_out_that_cannot_be_a_folder(ganskit: Callable, here: Path, pictures: Path, out: str, says: str) -> None:
    (here / "file").write_text("precious")
    done = ganskit("run", "dcgan-mnist", "--data", pictures, *TINY, "--out", out)
    assert done.code == 2
    assert says in done.err
    assert (here / "file").read_text() == "precious"


def test_sample_draws_a_grid(ganskit: Callable, pictures: Path) -> None:
    assert ganskit("run", "dcgan-mnist", "--data", pictures, *TINY, "--set", "data.size=16", "--out", "run").code == 0
    done = ganskit("sample", "run", "--num", 9, "--seed", 3, "--device", "cpu")
    assert done.code == 0
    assert done.out == f"{Path('run/samples/seed-3.png')}\n"
    with Image.open("run/samples/seed-3.png") as grid:
        assert grid.size == (3 * (16 + 2) + 2, 3 * (16 + 2) + 2)
    assert ganskit("sample", "run", "--out", "new/folder/grid", "--batch-stats", "--no-ema", "--device", "cpu").code == 0
    assert Path("new/folder/grid.png").is_file()
    for words, says in (
        ("--checkpoint 7", "There is no checkpoint 7: run has 000000000096"),
        ("--label 1", "trained without labels"),
    ):
        refused = ganskit("sample", "run", "--device", "cpu", *words.split())
        assert refused.code == 2
        assert says in refused.err


COMMAND = [sys.executable, "-c", "import sys; sys.argv[0] = 'ganskit'; from ganskit.cli.main import main; main()"]
"""The console script, in a process of its own: completion reads the environment and ends the process."""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell: str) -> None:
    told = {"_GANSKIT_COMPLETE": f"{shell}_source"}
    done = subprocess.run(COMMAND, env={**os.environ, **told}, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "_GANSKIT_COMPLETE" in done.stdout


def completed(line: str) -> list[str]:
    """What bash would offer for the last word of the line."""
    words = {"_GANSKIT_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    done = subprocess.run(COMMAND, env={**os.environ, **words}, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_completion_knows_commands_recipes_and_options() -> None:
    assert completed("ganskit sh") == ["plain,show"]
    assert completed("ganskit run dcgan-l") == ["plain,dcgan-lsun"]
    assert completed("ganskit run --res") == ["plain,--resume"]
    assert completed("ganskit run mine.to") == ["file,mine.to"]


def test_a_reader_that_goes_away() -> None:
    with subprocess.Popen([*COMMAND, "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""


@pytest.mark.real
def test_the_authors_networks(ganskit: Callable, real: Callable[[str], Path]) -> None:
    done = ganskit("import", "dcgan-authors", real("dcgan-authors-svhn"), "--out", "authors")
    assert done.code == 0, done.err
    assert read_toml(Path("authors/recipe.toml")) == named("dcgan-svhn")
    assert ganskit("sample", "authors", "--num", 4, "--device", "cpu").code == 0
