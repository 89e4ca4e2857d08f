"""Going on with a run: what may have changed, what may not, and what is damaged."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tiny_runs import ROUND, differing, flip_a_byte, grids, metrics, numbers, run, tiny

import ganskit as package
from ganskit import Adam, Claim, TwoPlayer, UserError
from ganskit.engine import checkpoint as checkpoints
from ganskit.engine.checkpoint import Checkpoint

from toys import Blobs, Examples, tiny_nets


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
    run(tiny(7, log_every=7, sample_every=7, checkpoint_every=7, paper="x", claims=(Claim(states="y"),)), copy, resume=True)
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


def test_a_damaged_checkpoint_falls_back_to_the_one_before(
    finished: Path, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, last = checkpoints.files(copy / "checkpoints")
    flip_a_byte(last)
    assert package.load(copy, recipe=tiny(), checkpoint=4 * ROUND).samples == 4 * ROUND
    run(tiny(), copy, resume=True)
    said = capsys.readouterr().out
    assert f"{last} is damaged" in said
    assert f"Going on from {before.name}" in said
    assert differing(finished, copy) == []


def test_with_all_checkpoints_damaged_it_asks_and_touches_nothing(copy: Path) -> None:
    for file in checkpoints.files(copy / "checkpoints"):
        flip_a_byte(file)
    with pytest.raises(UserError, match=r"Damaged: .*\.safetensors\. The \.sha256 files beside them are missing, or differ"):
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
    assert package.load(copy, recipe=tiny(), checkpoint=4 * ROUND).samples == 4 * ROUND


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"\xff" * 7])
def test_a_file_that_is_no_checkpoint(copy: Path, content: bytes) -> None:
    file = copy / "checkpoints" / "000000000999.safetensors"
    file.write_bytes(content)
    with pytest.raises(UserError, match=f"000000000999.safetensors is damaged: .* --checkpoint {6 * ROUND}"):
        package.load(copy, recipe=tiny())
    assert package.load(copy, recipe=tiny(), checkpoint=6 * ROUND).samples == 6 * ROUND
    with pytest.raises(UserError, match="is not a checkpoint that can be read"):
        checkpoints.read(file)


def test_a_checkpoint_of_a_newer_format(copy: Path) -> None:
    file = copy / "checkpoints" / "000000000999.safetensors"
    save_file({}, file, {"ganskit": json.dumps({"format": 2})})
    with pytest.raises(UserError, match="has checkpoint format 2, and this ganskit reads 1: upgrade ganskit"):
        checkpoints.read(file)


def test_a_name_resumes_with_the_changes_it_was_started_with(tmp_path: Path) -> None:
    small = ["data.num_images=40", "data.size=16", "nets.G.width=4", "nets.D.width=4", "batch_size=8", "samples=64"]
    out = package.run("dcgan-rooms", settings=small, out=tmp_path / "run", progress=False)
    package.run("dcgan-rooms", resume=True, out=out, settings=["samples=128"], progress=False)
    assert package.load(out).samples == 128
    with pytest.raises(UserError, match="batch_size: 8 in the run, 16 now"):
        package.run("dcgan-rooms", resume=True, out=out, settings=["batch_size=16"], progress=False)
    with pytest.raises(UserError, match="name: dcgan-rooms in the run, dcgan-lsun now"):
        package.run("dcgan-lsun", resume=True, out=out, progress=False)
