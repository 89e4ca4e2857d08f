"""Runs that go wrong: full disks, losses that are not finite, Ctrl-C. Nothing that was finished is lost."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from attrs import frozen
from safetensors.torch import save_file
from tiny_runs import ROUND, differing, metrics, numbers, run, state, tiny

import ganskit as package
from ganskit import Adam, Batch, Nets, Optimizer, RMSprop, TwoPlayer
from ganskit.engine import checkpoint as checkpoints
from ganskit.engine.rundir import RunDir
from ganskit.engine.training import Interrupted
from ganskit.errors import RunFailed

from toys import tiny_nets


def test_a_full_disk_keeps_the_last_good_checkpoint(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(tensors: object, file: Path, metadata: object) -> None:
        if f"{6 * ROUND}" in file.name:
            file.write_bytes(b"half of it")
            raise OSError(errno.ENOSPC, "No space left on device")
        save_file(tensors, file, metadata)

    monkeypatch.setattr(checkpoints, "save_file", full)
    path = tmp_path / "run"
    with pytest.raises(
        RunFailed, match=r"cannot be written: .*No space left on device.*make room and go on with --resume"
    ) as caught:
        run(tiny(), path)
    assert caught.value.exit_code == 1
    assert not list(path.rglob("*.partial*"))
    assert package.load(path, recipe=tiny()).samples == 4 * ROUND
    monkeypatch.undo()
    assert differing(run(tiny(), path, resume=True), finished) == []


def test_a_disk_that_has_no_room_for_the_checksum(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_fsync, calls = os.fsync, []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 2:  # the first is the checkpoint's own
            raise OSError(errno.ENOSPC, "No space left on device")
        real_fsync(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunFailed, match="No space left on device"):
        checkpoints.write(copy / "checkpoints", checkpoints.Checkpoint({"x": torch.zeros(3)}, {"samples": 999}))
    assert not list(copy.rglob("*.partial*"))
    assert numbers(copy) == [4 * ROUND, 6 * ROUND]


def test_what_a_killed_process_left_is_removed(copy: Path) -> None:
    (copy / "checkpoints" / "000000000999.partial").write_bytes(b"half of it")
    run(tiny(7), copy, resume=True)
    assert not list(copy.rglob("*.partial*"))


PROGRAM = """
from toys import Blobs, Examples, tiny_nets
from ganskit import Recipe, TwoPlayer

def recipe():
    return Recipe(
        name="tiny", game=TwoPlayer(), nets=tiny_nets(), data=Blobs(), batch_size=8, samples={samples},
        precision="fp32", log_every=1, checkpoint_every={every},
    )
"""


def command(folder: Path, samples: int, every: int) -> list[str]:
    """The command that runs the tiny recipe, from a file in the folder, into the folder's `run`."""
    file = folder / "program.py"
    file.write_text(PROGRAM.format(samples=samples, every=every))
    return [sys.executable, "-m", "ganskit", "run", f"{file}:recipe", "--device", "cpu", "--out", str(folder / "run")]


@pytest.mark.skipif(os.name != "posix", reason="needs setrlimit")
def test_a_file_that_may_not_grow_ends_with_code_1(tmp_path: Path) -> None:
    import resource  # not on Windows

    limit = 120_000  # less than a checkpoint, more than the store of the data
    done = subprocess.run(
        command(tmp_path, 96, 2), capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert done.stderr.splitlines()[-1].startswith("Error: The checkpoint ")
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.rglob("*.partial*"))


@frozen
class Failing(TwoPlayer):
    """D's loss, or its gradient as well, is NaN from a round on."""

    from_round: int = 3
    gradient: bool = False

    def scalars(self, samples: int) -> dict[str, float]:
        return {"bad": float("nan") if samples >= self.from_round * ROUND else 1.0}

    def d_loss(self, nets: Nets, b: Batch) -> dict[str, torch.Tensor]:
        parts = super().d_loss(nets, b)
        return {"all": sum(parts.values()) * b.bad} if self.gradient else {**parts, "bad": b.bad}


@pytest.mark.parametrize("gradient", [False, True])
@pytest.mark.parametrize("log_every", [1, 100])
@pytest.mark.parametrize("opt", [Adam(), RMSprop()])
def test_a_loss_that_is_not_finite_stops_the_run(tmp_path: Path, log_every: int, gradient: bool, opt: Optimizer) -> None:
    path = tmp_path / "run"
    game = Failing(gradient=gradient, D_opt=opt, G_opt=opt)
    with pytest.raises(RunFailed, match="not finite in round 3, so training stopped") as caught:
        run(tiny(6, game=game, log_every=log_every, ema=0.9, nets=tiny_nets(norm="running")), path)
    assert caught.value.exit_code == 1
    for advice in ("lower learning rate", "clip_norm", "--precision fp32", str(path / "checkpoints" / f"{2 * ROUND:012}")):
        assert advice in str(caught.value)
    assert numbers(path) == [2 * ROUND]
    assert all(t.isfinite().all() for t in state(path).values())


def test_a_loss_that_is_never_finite(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match=r"not finite in round 0, so training stopped. There is no checkpoint yet."):
        run(tiny(6, game=Failing(from_round=0), checkpoint_every=1), tmp_path / "run")
    assert numbers(tmp_path / "run") == []


def until(happened: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait for something that a process does."""
    deadline = time.monotonic() + 60
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def begun(words: list[str], out: Path) -> subprocess.Popen[str]:
    """A process that has played a few rounds."""
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: (out / "metrics.jsonl").exists() and (out / "metrics.jsonl").read_text().count("\n") > 3, process)
    return process


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_and_the_rest_is_bitwise_the_same(tmp_path: Path, number: int) -> None:
    out = tmp_path / "run"
    process = begun(command(tmp_path, 10**7, 10**7), out)
    process.send_signal(number)
    said, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert f"Go on with the same command and --resume --out {out}" in errors
    assert "Stopping after this round" in said
    (stopped,) = numbers(out)
    assert stopped == metrics(out)[-1]["samples"]
    recipe = tiny(stopped // ROUND + 3, checkpoint_every=10**7)
    run(recipe, out, resume=True)
    assert differing(out, run(recipe, tmp_path / "whole")) == []


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_second_ctrl_c_stops_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second comes while the checkpoint is being written."""

    def slow(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)
        pytest.fail("goes on")

    monkeypatch.setattr(checkpoints, "save_file", slow)
    monkeypatch.setattr(RunDir, "log", lambda *_: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        run(tiny(), tmp_path / "run")
    assert numbers(tmp_path / "run") == []


def test_the_first_ctrl_c_from_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RunDir, "log", lambda *_: signal.raise_signal(signal.SIGINT))
    with pytest.raises(Interrupted, match=f"Interrupted after {ROUND} samples") as caught:
        run(tiny(), tmp_path / "run")
    assert caught.value.exit_code == 130
    assert numbers(tmp_path / "run") == [ROUND]
