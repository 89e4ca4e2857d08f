"""Real photographs in LSUN's format, killed at random moments: the run ends as if nothing had happened."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from test_resume import assert_equal_runs

pytestmark = [pytest.mark.real, pytest.mark.slow]
WIDTH, SAMPLES, KILLS = 32, 40_960, 10


def lsun(lmdb: Path, out: Path, width: int, samples: int) -> list[str]:
    settings = [f"samples={samples}", f"nets.G.width={width}", f"nets.D.width={width}", "precision=bf16"]
    changes = [word for setting in settings for word in ("--set", setting)]
    return [sys.executable, "-m", "ganskit", "run", "dcgan-lsun", "--data", str(lmdb), "--out", str(out), *changes]


def killed_and_resumed(command: list[str], checkpoints: Path, kills: int, seed: int) -> int:
    """Start, kill -9 after a random time beyond the first new checkpoint's, resume; returns how often it was killed."""
    chance, done, first = random.Random(seed), 0, True
    while done < kills:
        before = set(checkpoints.glob("*.safetensors"))
        again = command if first else [*command, "--resume"]
        first = False
        with subprocess.Popen(again, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            while process.poll() is None and set(checkpoints.glob("*.safetensors")) == before:
                time.sleep(0.05)
            time.sleep(chance.uniform(0, 1.5))
            if process.poll() is not None:
                assert process.returncode == 0, process.communicate()[1].decode()
                break
            process.send_signal(signal.SIGKILL)
            done += 1
    return done


def test_ten_kills_leave_no_trace(real: Callable[[str], Path], tmp_path: Path) -> None:
    lmdb = real("bedroom_train_lmdb")
    subprocess.run(lsun(lmdb, tmp_path / "whole", WIDTH, SAMPLES), check=True, capture_output=True)
    command = lsun(lmdb, tmp_path / "parts", WIDTH, SAMPLES)
    assert killed_and_resumed(command, tmp_path / "parts" / "checkpoints", KILLS, seed=0) == KILLS
    subprocess.run([*command, "--resume"], check=True, capture_output=True)
    assert_equal_runs(tmp_path / "whole", tmp_path / "parts")
