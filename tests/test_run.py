"""A run from beginning to end, and everything that can go wrong on the way."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from attrs import evolve, frozen
from PIL import Image
from safetensors.torch import load_file, save_file

import ganskit as package
from ganskit import SGD, Adam, Batch, Nets, Optimizer, Recipe, RMSprop, TwoPlayer, UserError
from ganskit.engine import checkpoint as checkpoints
from ganskit.engine.checkpoint import Checkpoint
from ganskit.engine.rundir import RunDir
from ganskit.engine.training import Interrupted
from ganskit.errors import RunFailed

from toys import Blobs, Examples, tiny_nets

BATCH = 8
ROUND = 2 * BATCH
"""Samples dealt in a round: each player has a batch of its own."""


def tiny(rounds: int = 6, **changes: object) -> Recipe:
    recipe = Recipe(
        name="tiny", game=TwoPlayer(), nets=tiny_nets(), data=Blobs(), batch_size=BATCH, samples=rounds * ROUND,
        precision="fp32", log_every=1, checkpoint_every=2,
    )  # fmt: skip
    return evolve(recipe, **changes)


def run(recipe: Recipe, out: Path, **options: object) -> Path:
    return package.run(recipe, out=out, device="cpu", progress=False, **options)


def state(run_path: Path) -> dict[str, torch.Tensor]:
    return load_file(checkpoints.files(run_path / "checkpoints")[-1])


def differing(one: Path, other: Path) -> list[str]:
    """Names of tensors that are not bit by bit the same in the newest checkpoints."""
    a, b = state(one), state(other)
    assert a.keys() == b.keys()
    return [name for name in a if not torch.equal(a[name], b[name])]


def metrics(run_path: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run_path / "metrics.jsonl").read_text().splitlines()]


def grids(run_path: Path) -> list[int]:
    return sorted(int(file.stem) for file in (run_path / "samples").glob("*.png"))


def numbers(run_path: Path) -> list[int]:
    return [int(file.stem) for file in checkpoints.files(run_path / "checkpoints")]


def flip_a_byte(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of six rounds that nobody may change."""
    return run(tiny(), tmp_path_factory.mktemp("runs") / "finished")


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """One that may be changed."""
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def test_what_a_run_directory_holds(finished: Path) -> None:
    names = {path.name for path in finished.iterdir()}
    assert names - {".lock"} == {"recipe.toml", "metrics.jsonl", "samples", "checkpoints"}
    held = sorted(path.name for path in (finished / "checkpoints").iterdir())
    assert held == [f"{n:012}.safetensors{end}" for n in (4 * ROUND, 6 * ROUND) for end in ("", ".sha256")]
    for file in checkpoints.files(finished / "checkpoints"):
        assert checkpoints.is_whole(file)
        digest, name = file.with_suffix(".safetensors.sha256").read_text().split()
        assert (len(digest), name) == (64, file.name)


def test_metrics_are_one_object_a_round(finished: Path) -> None:
    lines = metrics(finished)
    assert [line["samples"] for line in lines] == [ROUND * n for n in range(1, 7)]
    assert [line["round"] for line in lines] == list(range(1, 7))
    assert all(a["time_s"] < b["time_s"] for a, b in pairwise(lines))
    assert all({"D.real", "D.fake", "G.fake", "samples_per_s"} <= line.keys() for line in lines)


def test_metrics_come_every_so_many_rounds_and_at_the_end(tmp_path: Path) -> None:
    path = run(tiny(7, log_every=3), tmp_path / "run")
    assert [line["round"] for line in metrics(path)] == [3, 6, 7]


@pytest.mark.parametrize(
    ("rounds", "every", "expected"),
    [(6, 2, [2, 4, 6]), (5, 2, [2, 4, 5]), (6, None, [1, 2, 3, 4, 5, 6]), (40, None, list(range(2, 41, 2)))],
)
def test_grids_come_at_a_steady_interval_and_at_the_end(
    tmp_path: Path, rounds: int, every: int | None, expected: list[int]
) -> None:
    path = run(tiny(rounds, sample_every=every, log_every=100, checkpoint_every=100), tmp_path / "run")
    assert grids(path) == [ROUND * n for n in expected]


def test_a_grid_is_a_picture_of_64_samples(finished: Path) -> None:
    for file in (finished / "samples").iterdir():
        with Image.open(file) as picture:
            assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", (8 * (16 + 2) + 2, 8 * (16 + 2) + 2))


def test_the_same_recipe_gives_the_same_run(finished: Path, tmp_path: Path) -> None:
    again = run(tiny(), tmp_path / "again")
    assert differing(finished, again) == []
    other = run(tiny(seed=1), tmp_path / "other")
    assert "nets/G/linear.weight" in differing(finished, other)


@pytest.mark.parametrize("norm", ["batch", "running", "none"])
def test_watching_does_not_change_training(tmp_path: Path, norm: str) -> None:
    recipe = tiny(4, nets=tiny_nets(norm=norm), ema=0.5)
    watched = run(evolve(recipe, sample_every=1, log_every=1, checkpoint_every=1), tmp_path / "watched")
    left_alone = run(evolve(recipe, sample_every=1000, log_every=1000, checkpoint_every=1000), tmp_path / "left alone")
    assert (len(grids(watched)), len(grids(left_alone))) == (4, 1)
    assert differing(watched, left_alone) == []


def test_random_numbers_outside_are_left_alone(tmp_path: Path) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    run(tiny(2), tmp_path / "run")
    assert torch.equal(torch.get_rng_state(), before)


def test_training_leaves_signals_as_they_were(finished: Path, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    run(tiny(1), tmp_path / "run")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


# ---- going on


def test_a_finished_run_is_left_alone(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in copy.rglob("*.*")}
    assert run(tiny(), copy, resume=True) == copy
    assert f"{copy} is finished: {6 * ROUND} samples." in capsys.readouterr().out
    assert {path: path.read_bytes() for path in copy.rglob("*.*")} == before


def test_a_run_goes_on_where_it_stopped(finished: Path, tmp_path: Path) -> None:
    path = run(tiny(3), tmp_path / "run")
    run(tiny(6), path, resume=True)
    assert differing(finished, path) == []
    assert [line["round"] for line in metrics(path)] == list(range(1, 7))
    assert all(a["time_s"] < b["time_s"] for a, b in pairwise(metrics(path)))
    assert {ROUND * n for n in (3, 6)} <= set(grids(path))
    assert package.load(path, recipe=tiny()).samples == 6 * ROUND


def test_without_a_checkpoint_it_starts_over(finished: Path, copy: Path) -> None:
    shutil.rmtree(copy / "checkpoints")
    run(tiny(), copy, resume=True)
    assert differing(finished, copy) == []
    assert [line["round"] for line in metrics(copy)] == list(range(1, 7))


def test_resume_of_nothing_begins(tmp_path: Path, finished: Path) -> None:
    assert differing(run(tiny(), tmp_path / "new", resume=True), finished) == []


def test_a_run_is_not_overwritten(copy: Path) -> None:
    with pytest.raises(UserError, match=r"holds a run already. Go on with it with --resume"):
        run(tiny(), copy)
    assert differing(copy, copy) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"batch_size": 16}, "batch_size: 8 in the run, 16 now"),
        ({"seed": 1}, "seed: 0 in the run, 1 now"),
        ({"ema": 0.9}, "ema: None in the run, 0.9 now"),
        ({"game": TwoPlayer(G_opt=Adam(lr=1e-3))}, "game.G_opt.lr: 0.0002 in the run, 0.001 now"),
        ({"nets": tiny_nets(8)}, "nets.G.width: 4 in the run, 8 now"),
        ({"data": Blobs(num=95)}, "data.num: 96 in the run, 95 now"),
        ({"precision": "bf16"}, "precision: fp32 in the run, bf16 now"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_another_recipe_is_refused_with_the_difference(copy: Path, changes: dict[str, object], says: str) -> None:
    before = (copy / "recipe.toml").read_text()
    with pytest.raises(UserError) as caught:
        run(tiny(12, **changes), copy, resume=True)
    assert says in str(caught.value)
    assert "samples" not in str(caught.value)
    assert (copy / "recipe.toml").read_text() == before
    assert numbers(copy) == [4 * ROUND, 6 * ROUND]


def test_intervals_may_change(copy: Path) -> None:
    run(tiny(7, log_every=7, sample_every=7, checkpoint_every=7, paper="x", claims=("y",)), copy, resume=True)
    assert numbers(copy)[-1] == 7 * ROUND


def test_other_pictures_are_refused(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Examples.read
    monkeypatch.setattr(Examples, "fingerprint", "blobs 2", raising=False)
    run(tiny(7), copy, resume=True)  # the same pictures elsewhere are the same data
    monkeypatch.setattr(Examples, "fingerprint", "blobs 3", raising=False)
    monkeypatch.setattr(Examples, "read", lambda self, index: {key: 255 - x for key, x in read(self, index).items()})
    with pytest.raises(UserError, match=r"was trained on other data: their digest was .* and is .* now"):
        run(tiny(8), copy, resume=True)


def test_another_environment_is_named(copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(package.engine.training, "processor", lambda device: "abacus")
    run(tiny(7), copy, resume=True)
    warnings = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Warning")]
    assert len(warnings) == 1
    assert "processor was" in warnings[0]
    assert "abacus" in warnings[0]


def test_what_came_after_the_checkpoint_is_cut_off(finished: Path, copy: Path) -> None:
    last = checkpoints.files(copy / "checkpoints")[-1]
    last.unlink()
    last.with_suffix(".safetensors.sha256").unlink()
    (copy / "samples" / f"{9 * ROUND:012}.png").write_bytes(b"of a run that went further")
    (copy / "samples" / "seed-0.png").write_bytes(b"the user's own")
    with (copy / "metrics.jsonl").open("a") as lines:
        lines.write('{"round": 7, "sam')  # cut off by a kill
    run(tiny(), copy, resume=True)
    assert [line["round"] for line in metrics(copy)] == list(range(1, 7))
    assert grids_of_the_run(copy) == grids(finished)
    assert (copy / "samples" / "seed-0.png").exists()
    assert differing(finished, copy) == []


def grids_of_the_run(path: Path) -> list[int]:
    return sorted(int(file.stem) for file in (path / "samples").glob("[0-9]*.png"))


# ---- damage


def test_a_damaged_checkpoint_falls_back_to_the_one_before(
    finished: Path, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, last = checkpoints.files(copy / "checkpoints")
    flip_a_byte(last)
    assert package.load(copy, recipe=tiny()).samples == 4 * ROUND
    run(tiny(), copy, resume=True)
    said = capsys.readouterr().out
    assert f"{last} is damaged" in said
    assert f"Going on from {before.name}" in said
    assert differing(finished, copy) == []


def test_with_all_checkpoints_damaged_it_asks_and_touches_nothing(copy: Path) -> None:
    for file in checkpoints.files(copy / "checkpoints"):
        flip_a_byte(file)
    with pytest.raises(UserError, match=r"no whole checkpoint yet. All there are damaged"):
        package.load(copy, recipe=tiny())
    before = {file: file.read_bytes() for file in copy.rglob("*") if file.is_file()}
    with pytest.raises(UserError, match=r"None of the checkpoints in .* is whole"):
        run(tiny(3), copy, resume=True)
    after = {file: file.read_bytes() for file in before if file.name != "recipe.toml"}
    assert after == {file: data for file, data in before.items() if file.name != "recipe.toml"}


def test_a_recipe_edited_by_hand_is_refused(copy: Path) -> None:
    file = copy / "recipe.toml"
    file.write_text(file.read_text().replace("lr = 0.0002", "lr = 0.1"))
    with pytest.raises(UserError, match=r"lr: 0\.1 in the run, 0\.0002 now"):
        run(tiny(7), copy, resume=True)


def test_a_folder_with_other_things_is_left_alone(copy: Path) -> None:
    (copy / "recipe.toml").unlink()
    before = sorted(copy.rglob("*"))
    for resume in (False, True):
        with pytest.raises(UserError, match="is not empty and holds no run"):
            run(tiny(7), copy, resume=resume)
    assert sorted(copy.rglob("*")) == before


def test_tensors_of_another_shape_or_type_are_refused(copy: Path) -> None:
    last = checkpoints.files(copy / "checkpoints")[-1]
    whole = checkpoints.read(last)
    for path in ("nets/G/linear.weight", "optim/G/G.linear.weight/exp_avg"):
        for wrong in (whole.tensors[path][:1], whole.tensors[path].to(torch.int8)):
            checkpoints.write(copy / "checkpoints", Checkpoint({**whole.tensors, path: wrong}, whole.meta))
            with pytest.raises(UserError, match="checkpoint"):
                run(tiny(7), copy, resume=True)


def test_a_checkpoint_without_its_checksum_is_not_trusted(copy: Path) -> None:
    last = checkpoints.files(copy / "checkpoints")[-1]
    last.with_suffix(".safetensors.sha256").unlink()
    assert package.load(copy, recipe=tiny()).samples == 4 * ROUND


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"\xff" * 7])
def test_a_file_that_is_no_checkpoint(copy: Path, content: bytes) -> None:
    file = copy / "checkpoints" / "000000000999.safetensors"
    file.write_bytes(content)
    assert package.load(copy, recipe=tiny()).samples == 6 * ROUND
    with pytest.raises(UserError, match="is not a checkpoint that can be read"):
        checkpoints.read(file)


def test_a_checkpoint_of_a_newer_format(copy: Path) -> None:
    file = copy / "checkpoints" / "000000000999.safetensors"
    save_file({}, file, {"ganskit": json.dumps({"format": 2})})
    with pytest.raises(UserError, match="has checkpoint format 2, and this ganskit reads 1: upgrade ganskit"):
        checkpoints.read(file)


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


# ---- numbers that are not


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


# ---- Ctrl-C


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


# ---- two at once


def test_two_runs_in_one_directory(copy: Path) -> None:
    with (
        RunDir(copy).locked(),
        pytest.raises(UserError, match=r"Another process is training in .*: wait for it, or give another --out"),
    ):
        run(tiny(), copy, resume=True)
    run(tiny(), copy, resume=True)


def test_a_run_that_does_not_begin_leaves_no_directory(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        run(tiny(nets={}), tmp_path / "run")
    assert not (tmp_path / "run").exists()
    (tmp_path / "mine").mkdir()
    with pytest.raises(UserError):
        run(tiny(nets={}), tmp_path / "mine")
    assert (tmp_path / "mine").exists(), "the user made it"


# ---- weights of others, averages, micro-batches


def test_init_from_takes_over_what_fits(finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    standing_still = TwoPlayer(G_opt=SGD(lr=1e-20), D_opt=SGD(lr=1e-20))
    wider = tiny(1, nets={"G": tiny_nets(4)["G"], "D": tiny_nets(8)["D"]}, game=standing_still)
    path = run(wider, tmp_path / "run", init_from=finished)
    theirs, ours = state(finished), state(path)
    generator = [name for name in theirs if name.startswith("nets/G/")]
    assert all(torch.equal(theirs[name], ours[name]) for name in generator)
    assert f"{len(generator)} tensors taken over from {finished}" in capsys.readouterr().out
    assert theirs["nets/D/linear.weight"].shape != ours["nets/D/linear.weight"].shape


def test_init_from_reaches_the_averages(finished: Path, tmp_path: Path) -> None:
    standing_still = TwoPlayer(G_opt=SGD(lr=1e-20), D_opt=SGD(lr=1e-20))
    begun = state(run(tiny(1, game=standing_still, ema=0.999), tmp_path / "run", init_from=finished))
    for name in (name for name in begun if name.startswith("ema/")):
        torch.testing.assert_close(begun[name], begun[name.replace("ema/", "nets/")])


def test_init_from_is_for_the_beginning_only(finished: Path, copy: Path, tmp_path: Path) -> None:
    other = run(tiny(2, seed=5), tmp_path / "other")
    run(tiny(), copy, resume=True, init_from=other)
    assert differing(copy, finished) == []


@pytest.mark.parametrize("where", ["nowhere", "empty"])
def test_init_from_nothing(tmp_path: Path, where: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=f"{where} has no whole checkpoint to begin with"):
        run(tiny(), tmp_path / "run", init_from=tmp_path / where)
    assert not (tmp_path / "run").exists()


def test_init_from_another_architecture(finished: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"No net of .* has the name and shape of one here"):
        run(tiny(nets=tiny_nets(8)), tmp_path / "run", init_from=finished)


def test_averages_are_kept_of_the_generator(tmp_path: Path) -> None:
    path = run(tiny(ema=0.5, checkpoint_every=1), tmp_path / "run")
    before, last = (load_file(file) for file in checkpoints.files(path / "checkpoints"))
    names = {name for name in last if name.startswith("ema/")}
    assert names == {name.replace("nets/", "ema/") for name in last if name.startswith("nets/G/")}
    for name in names:
        moved = torch.lerp(before[name], last[name.replace("ema/", "nets/")], 0.5)
        torch.testing.assert_close(last[name], moved)
        assert not torch.equal(last[name], last[name.replace("ema/", "nets/")])


def test_averages_do_not_change_the_nets(finished: Path, tmp_path: Path) -> None:
    averaged = state(run(tiny(ema=0.5), tmp_path / "run"))
    assert all(torch.equal(averaged[name], t) for name, t in state(finished).items())


@pytest.mark.parametrize("same_batch", [False, True])
def test_micro_batches_add_up_to_the_batch(tmp_path: Path, same_batch: bool) -> None:
    game = TwoPlayer(G_opt=SGD(lr=1e-2), D_opt=SGD(lr=1e-2), order="GD", same_batch=same_batch)
    recipe = tiny(4, nets=tiny_nets(norm="none"), game=game)
    whole, parts = (state(run(evolve(recipe, accumulate=k), tmp_path / f"{k}")) for k in (1, 2))
    for name, t in whole.items():
        torch.testing.assert_close(parts[name], t, rtol=1e-5, atol=1e-7)
    lines = metrics(tmp_path / "1"), metrics(tmp_path / "2")
    for one, other in zip(*lines, strict=True):
        assert one["D.fake"] == pytest.approx(other["D.fake"], abs=2e-6)


def test_a_name_resumes_with_the_changes_it_was_started_with(tmp_path: Path) -> None:
    small = ["data.num_images=40", "data.size=16", "nets.G.width=4", "nets.D.width=4", "batch_size=8", "samples=64"]
    out = package.run("dcgan-rooms", settings=small, out=tmp_path / "run", progress=False)
    package.run("dcgan-rooms", resume=True, out=out, settings=["samples=128"], progress=False)
    assert package.load(out).samples == 128
    with pytest.raises(UserError, match="batch_size: 8 in the run, 16 now"):
        package.run("dcgan-rooms", resume=True, out=out, settings=["batch_size=16"], progress=False)
    with pytest.raises(UserError, match="name: dcgan-rooms in the run, dcgan-lsun now"):
        package.run("dcgan-lsun", resume=True, out=out, progress=False)
