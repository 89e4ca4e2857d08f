"""`ganskit data`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from data_samples import encoded, fill, picture, write_lmdb

from ganskit.cli.data_ import command
from ganskit.errors import BadData, GanskitError, UnknownName, UserError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path / "home"))
    return tmp_path / "home"


def ganskit_data(*arguments: str) -> str:
    done = CliRunner().invoke(command, arguments, standalone_mode=False)
    if done.exception:
        raise done.exception
    return done.output


def test_prepare_a_path_and_look_at_it(tmp_path: Path, home: Path) -> None:
    fill(tmp_path / "mine", 20)
    (tmp_path / "mine" / os.fsdecode(b"bad\x1b[31m\xff.png")).write_bytes(b"")
    (tmp_path / "mine" / "notes.txt").write_text("x")
    said = ganskit_data("prepare", str(tmp_path / "mine"), "--size", "8", "--channels", "1")
    assert "20 examples, 1 skipped, 1 other files" in said
    (folder,) = (each.parent for each in home.glob("stores/*/manifest.json"))
    for what in ("mine", folder.name, str(folder)):
        said = ganskit_data("verify", what) + ganskit_data("info", what)
        for text in ("20 examples", "uint8 (1, 8, 8)", "bicubic", "1 files", "verified"):
            assert text in said
        assert r"bad\x1b[31m\udcff.png: empty file" in said
    assert "20 examples" in ganskit_data("info")


def test_prepare_a_name(home: Path) -> None:
    write_lmdb(home / "originals" / "lsun" / "bedroom_val_lmdb", [encoded(picture(i), "WEBP") for i in range(5)])
    assert "5 examples" in ganskit_data("prepare", "lsun", "--size", "16", "--set", "split=val", "--set", "crop=none")
    said = ganskit_data("info", "lsun")
    assert "split='val'" in said
    assert "uint8 (3, 16, 16)" in said


def test_skipped_files_are_named_up_to_ten(tmp_path: Path) -> None:
    fill(tmp_path / "mine", 12)
    for i in range(12):
        (tmp_path / "mine" / f"bad{i:02}.png").write_bytes(b"")
    with pytest.raises(BadData, match="--max-skipped"):
        ganskit_data("prepare", str(tmp_path / "mine"))
    ganskit_data("prepare", str(tmp_path / "mine"), "--max-skipped", "0.5")
    assert "and 2 more" in ganskit_data("info", "mine")
    assert ganskit_data("info", "mine", "--all").count("empty file") == 12


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["prepare", "lsum"], UnknownName, 'Did you mean "lsun"'),
        (["prepare", "./nowhere"], UserError, "no such folder"),
        (["prepare", "cifar10"], UserError, "cifar-10-binary.tar.gz"),
        (["prepare", "lsun", "--set", "sise=3"], UserError, '"size"'),
        (["prepare", "lsun", "--set", "split=test"], UserError, "split"),
        (["info", "lsun"], UserError, "not prepared yet"),
        (["info", "lsum"], UserError, 'There is no store "lsum".*`ganskit data info`'),
        (["info", "./nowhere"], BadData, "no complete store"),
    ],
)
def test_mistakes(arguments: list[str], error: type[GanskitError], message: str) -> None:
    with pytest.raises(error, match=message):
        ganskit_data(*arguments)


def test_info_without_stores(home: Path) -> None:
    assert f"no store in {home / 'stores'}" in ganskit_data("info")


def test_info_imports_no_torch(tmp_path: Path) -> None:
    ganskit_data("prepare", str(fill(tmp_path / "mine", 3)), "--size", "8")
    code = (
        "import sys; from ganskit.cli.data_ import command;"
        "command(['verify', 'mine'], standalone_mode=False);command(['info', 'mine'], standalone_mode=False);"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
