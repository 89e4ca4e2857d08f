"""A run and its directory."""

from __future__ import annotations

import signal
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from attrs import evolve
from PIL import Image
from safetensors.torch import load_file
from tiny_runs import ROUND, differing, grids, metrics, run, state, tiny

from ganskit import SGD, TwoPlayer, UserError
from ganskit.engine import checkpoint as checkpoints
from ganskit.engine.rundir import RunDir

from toys import tiny_nets


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
