"""What all tests share: a data folder of their own, one thread, and no installed plugins."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from attrs import frozen
from PIL import Image

from ganskit.cli.main import main

os.environ["OMP_NUM_THREADS"] = "1"  # torch reads it when it is imported, here and in the processes that tests start
os.environ.setdefault("GANSKIT_PLUGINS", "")  # what happens to be installed must not matter

hypothesis.settings.register_profile("ganskit", deadline=None)
hypothesis.settings.load_profile("ganskit")

pytest_plugins = ["ganskit.testing", "plugin_files", "pytester", "tiny_runs"]  # after the lines above, for they import torch

GAMES = Path(__file__).parent / "games"


@pytest.fixture(scope="session", autouse=True)
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Stores go to a folder of this session and are reused within it; started processes see the test games, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANSKIT_DATA", str(tmp_path_factory.mktemp("data")))
        patch.setenv("PYTHONPATH", str(GAMES), prepend=os.pathsep)
        yield


@pytest.fixture(scope="session")
def real() -> Callable[[str], Path]:
    """`real("mnist")`: the folder of a real dataset; mark the test with `real`, too."""
    home = Path(os.environ.get("GANSKIT_REAL", "~/.cache/ganskit-real")).expanduser()

    def find(name: str) -> Path:
        if not (home / name).exists():
            pytest.skip(f"there is no {home / name}: set GANSKIT_REAL to the folder with the datasets")
        return home / name

    return find


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 48 small pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for i in range(48):
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(folder / f"{i:02}.png")
    return folder


@frozen
class Done:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


@pytest.fixture
def ganskit(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """The command line in this process: `ganskit("list", "loss")`. It must end without a traceback."""
    monkeypatch.setattr(sys, "path", list(sys.path))  # FILE.py:function puts its folder there

    def call(*words: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["ganskit", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return Done(end.value.code or 0, out, err)

    return call
