"""Evaluations in the course of a training."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from attrs import evolve, field, frozen
from safetensors.torch import load_file

import ganskit
from ganskit import Evaluation, Evaluator, Player, Result, TwoPlayer, UserError
from ganskit.cli.describe import describe
from ganskit.engine.device import torch_settings
from ganskit.evaluator import find_number
from ganskit.recipe import from_table, override, to_table
from ganskit.train import resolve

SMALL = ["samples=96", "batch_size=4", "data.size=16", "data.num_images=16", "nets.G.width=4", "nets.D.width=4", "ema=0.5"]
HOW = {"progress": False, "device": "cpu"}


@frozen
class Far(Evaluator):
    """How far samples are from the moment at which they are best: a valley with its lowest point in mid-training."""

    lowest: int = 48
    values: list[int] = field(factory=list, eq=False, repr=False)

    def evaluate(self, model: ganskit.Model) -> Result:
        torch.rand(3)  # a nuisance that must not show
        x = model.sample(4)
        model.real(4)
        return Result({"far": abs(model.samples - self.lowest), "mean": float(x.mean())}, pictures={"samples": x})


@frozen
class Refuses(Evaluator):
    """Cannot be made."""

    def evaluate(self, model: ganskit.Model) -> Result:
        raise UserError("there is nothing to be seen here.")


def recipe(**evaluations: Evaluation) -> ganskit.Recipe:
    return evolve(resolve("dcgan-rooms", settings=SMALL), evaluations=evaluations)


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(sorted((run / "checkpoints").glob("*.safetensors"))[-1])


def noted(run: Path) -> list[tuple[str, int]]:
    lines = (run / "evaluations.jsonl").read_text().splitlines()
    return [(line["name"], line["samples"]) for line in map(json.loads, lines)]


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "evaluated"
    wanted = Evaluation(evaluator=Far(), every=24, best="far")
    return ganskit.run(recipe(far=wanted, last=Evaluation(evaluator=Far())), out=out, **HOW)


def test_they_are_made_at_their_intervals_and_at_the_end(evaluated: Path) -> None:
    assert noted(evaluated) == [("far", 24), ("far", 48), ("far", 72), ("far", 96), ("last", 96)]
    record = json.loads((evaluated / "evaluations/far/result.json").read_text())
    assert record["samples"] == 96
    assert record["pictures"] == {"samples": {"file": "samples.png", "caption": ""}}


def test_the_training_is_bit_for_bit_the_same(evaluated: Path, tmp_path: Path) -> None:
    alone = weights(ganskit.run(recipe(), out=tmp_path / "alone", **HOW))
    with_them = weights(evaluated)
    assert alone.keys() == with_them.keys()
    assert all(torch.equal(alone[name], with_them[name]) for name in alone)


def test_the_best_and_the_last_are_kept(evaluated: Path) -> None:
    note = json.loads((evaluated / "best/far.json").read_text())
    assert (note["value"], note["samples"]) == (0.0, 48)
    assert [file.name for file in sorted((evaluated / "best").glob("*.safetensors"))] == ["000000000048.safetensors"]
    assert (evaluated / "checkpoints/000000000096.safetensors").exists()
    best = ganskit.load(evaluated, checkpoint="best", recipe=recipe(), device="cpu")
    assert best.samples == 48
    assert ganskit.load(evaluated, checkpoint="best:far", recipe=recipe(), device="cpu").identity == best.identity


@pytest.mark.parametrize("line", ['{"samples": 24}', '{"samples": "24", "name": "far", "numbers": {}}', "[24]", "24", "{"])
def test_an_odd_line_among_the_notes(evaluated: Path, tmp_path: Path, line: str) -> None:
    run = tmp_path / "run"
    shutil.copytree(evaluated, run)
    with (run / "evaluations.jsonl").open("a") as notes:
        notes.write(f"{line}\n")
    wanted = recipe(far=Evaluation(evaluator=Far(), every=24, best="far"), last=Evaluation(evaluator=Far()))
    ganskit.run(evolve(wanted, samples=120), out=run, resume=True, **HOW)
    lines = [json.loads(line) for line in (run / "evaluations.jsonl").read_text().splitlines()[-2:]]
    assert [(line["name"], line["samples"]) for line in lines] == [("far", 120), ("last", 120)]


def test_a_damaged_note_of_another_best(tmp_path: Path) -> None:
    wanted = recipe(far=Evaluation(evaluator=Far(), every=24, best="far"), mean=Evaluation(evaluator=Far(), best="mean"))
    run = ganskit.run(evolve(wanted, samples=24), out=tmp_path / "run", **HOW)
    (run / "best/mean.json").write_text("{")
    ganskit.run(wanted, out=run, resume=True, **HOW)
    assert json.loads((run / "best/far.json").read_text())["samples"] == 48
    assert json.loads((run / "best/mean.json").read_text())["samples"] == 96


def test_a_best_that_is_not_there(evaluated: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has the best checkpoints by far: expected best:far"):
        ganskit.load(evaluated, checkpoint="best:fid", recipe=recipe())
    run = ganskit.run(recipe(), out=tmp_path / "plain", **HOW)
    with pytest.raises(UserError, match="has no best checkpoint"):
        ganskit.load(run, checkpoint="best")


def test_one_wished_for_afterwards_is_made_on_resuming(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = ganskit.run(recipe(), out=tmp_path / "run", **HOW)
    ganskit.run(recipe(far=Evaluation(evaluator=Far())), out=run, resume=True, **HOW)
    assert noted(run) == [("far", 96)]
    ganskit.run(recipe(far=Evaluation(evaluator=Far())), out=run, resume=True, **HOW)
    assert noted(run) == [("far", 96)], "it is not made twice"


def test_what_a_kill_left_undone_is_made_on_resuming(tmp_path: Path) -> None:
    """Killed while it was evaluated: the checkpoint is there, the note is not."""
    wanted = recipe(far=Evaluation(evaluator=Far(), every=24, best="far"))
    run = ganskit.run(evolve(wanted, samples=48), out=tmp_path / "run", **HOW)
    (run / "evaluations.jsonl").write_text((run / "evaluations.jsonl").read_text().splitlines()[0] + '\n{"name": "fa')
    ganskit.run(wanted, out=run, resume=True, **HOW)
    assert noted(run) == [("far", 24), ("far", 48), ("far", 72), ("far", 96)]


def test_one_that_cannot_be_made_costs_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = recipe(no=Evaluation(evaluator=Refuses(), every=48), far=Evaluation(evaluator=Far(), best="fid"))
    run = ganskit.run(wanted, out=tmp_path / "run", **HOW)
    said = capsys.readouterr().out
    assert said.count("Warning: the evaluation no was not made") == 2
    assert "nothing to be seen here" in said
    assert 'the evaluation "far" gives no number "fid", only far, mean' in said
    assert noted(run) == [("far", 96)], "what was found is kept, whatever is said of the best"
    assert not (run / "best").exists()
    assert weights(run)


def test_one_more_on_the_command_line() -> None:
    settings = ['evaluations.far={evaluator="nobody", every=24}', "evaluations.far.every=48"]
    with pytest.raises(UserError, match='There is no evaluator "nobody"'):
        resolve("dcgan-rooms", settings=settings[:1])
    with pytest.raises(UserError, match='evaluations has no "far"'):
        resolve("dcgan-rooms", settings=settings[1:])
    changed = override(recipe(far=Evaluation(evaluator=Far(), every=24)), settings[1:])
    assert changed.evaluations["far"].every == 48


def test_toml() -> None:
    table = {"evaluator": {"use": "honest"}, "every": 1000, "best": "far", "higher": True}
    with pytest.raises(UserError, match="honest"):  # no such evaluator is installed here; all else was understood
        from_table(to_table(recipe()) | {"evaluations": {"far": table}})
    with pytest.raises(UserError, match="every is 0"):
        Evaluation(evaluator=Far(), every=0)
    with pytest.raises(UserError, match='cannot be named "a/b"'):
        recipe(**{"a/b": Evaluation(evaluator=Far())})


@pytest.mark.parametrize("num", [1, 64, 70])
def test_samples_of_chosen_noise(evaluated: Path, num: int) -> None:
    model = ganskit.load(evaluated, recipe=recipe(), device="cpu")
    z = model.z(num, seed=3)
    assert z["z"].shape == (num, 100)
    x = model.sample(num, seed=3)
    assert torch.equal(model.from_z(z, seed=3), x)
    assert torch.equal(model.from_z(z["z"][-1:]), x[-1:]), "an image follows from its own row"


@pytest.mark.parametrize("z", [torch.zeros(2, 99), torch.zeros(0, 100), {"z": torch.zeros(2, 100), "w": torch.zeros(2, 100)}])
def test_noise_that_does_not_fit(evaluated: Path, z: torch.Tensor | dict[str, torch.Tensor]) -> None:
    with pytest.raises(UserError, match=r"does not fit .*: expected z \(N, 100\)"):
        ganskit.load(evaluated, recipe=recipe(), device="cpu").from_z(z)


def test_frozen_nets(evaluated: Path) -> None:
    model = ganskit.load(evaluated, recipe=recipe(), device="cpu")
    x = model.real(8)["x"]
    net = model.frozen("D", batches=2)
    together, alone = net(x), net(x[:1])
    assert torch.allclose(together[:1], alone, atol=1e-5), "a logit does not depend on the others"
    assert not any(p.requires_grad for p in net.parameters())
    with pytest.raises(UserError, match='has no net "E", only G, D'):
        model.frozen("E")


def test_other_data(evaluated: Path) -> None:
    model = ganskit.load(evaluated, recipe=recipe(), device="cpu")
    other = evolve(model.recipe.data, seed=1)
    assert not torch.equal(model.real(4)["x"], model.real(4, data=other)["x"])
    with pytest.raises(UserError, match="was trained on x uint8"):
        model.real(4, data=evolve(model.recipe.data, size=32))


@frozen
class Never(Evaluator):
    """Says so before."""

    def check(self, recipe: ganskit.Recipe) -> None:
        raise UserError(f"{len(recipe.nets)} nets are not what it measures.")


def test_one_that_cannot_succeed_is_refused_before_the_training(tmp_path: Path) -> None:
    wanted = recipe(no=Evaluation(evaluator=Never()))
    with pytest.raises(UserError, match="The evaluation no of dcgan-rooms: 2 nets are not what it measures"):
        ganskit.run(wanted, out=tmp_path / "run", **HOW)
    assert not (tmp_path / "run").exists()
    with pytest.raises(UserError, match="2 nets are not what it measures"):
        describe(wanted, "cpu")
    run = ganskit.run(recipe(), out=tmp_path / "run", **HOW)
    with pytest.raises(UserError, match=r"^2 nets are not what it measures"):
        ganskit.evaluate_run(run, Never(), device="cpu")


def test_what_was_begun_goes_on_without_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = recipe(no=Evaluation(evaluator=Never()))
    run = ganskit.run(evolve(recipe(), samples=48), out=tmp_path / "run", **HOW)
    ganskit.run(wanted, out=run, resume=True, **HOW)
    assert "Warning: The evaluation no of" in capsys.readouterr().out
    assert weights(run)
    assert ganskit.load(run, recipe=wanted).samples == 96


@frozen
class TrainsOne(Evaluator):
    """Trains a small network of its own, whose game changes torch's settings, as an engine does on a GPU."""

    def evaluate(self, model: ganskit.Model) -> Result:
        before = torch_settings()
        with TemporaryDirectory() as folder:
            ganskit.run(evolve(recipe(), game=Careless(), samples=24), out=Path(folder) / "own", **HOW)
        return Result({"as_before": float(torch_settings() == before)})


@frozen
class Careless(TwoPlayer):
    def players(self) -> dict[str, Player]:
        torch.backends.cudnn.deterministic = torch.backends.cudnn.allow_tf32 = True
        return super().players()


def test_a_network_trained_for_an_evaluation_leaves_its_settings(evaluated: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(evaluated, tmp_path / "copy")
    result = ganskit.evaluate_run(copy, TrainsOne(), device="cpu", recipe=recipe(), name="own")
    assert result.numbers == {"as_before": 1.0}


def test_the_best_can_be_asked_for_by_its_number(tmp_path: Path) -> None:
    """Its checkpoint is not among the two newest: a report's command asks for it so."""
    run = ganskit.run(recipe(far=Evaluation(evaluator=Far(lowest=24), every=24, best="far")), out=tmp_path / "run", **HOW)
    best = json.loads((run / "best" / "far.json").read_text())["samples"]
    assert not (run / "checkpoints" / f"{best:012}.safetensors").exists()
    assert ganskit.load(run, checkpoint=best, recipe=recipe()).samples == best


@pytest.mark.parametrize(
    ("evaluator", "says"),
    [
        ('"fid"', r"weights-inception-2015-12-05-6726825d\.pth"),
        ('{use = "fid", num = 100}', "100 pictures do not determine"),
        ('{use = "svm", label = "age"}', 'Rooms has no label "age"'),
        ('{use = "fd", key = "age"}', 'learned to tell "age" apart, and there is no such label'),
        ('{use = "ppl", weights = "nowhere.pth"}', "The weights nowhere.pth cannot be read"),
    ],
)
def test_ours_say_so_before_the_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, evaluator: str, says: str) -> None:
    monkeypatch.setenv("GANSKIT_OFFLINE", "1")
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("GANSKIT_INCEPTION", raising=False)
    with pytest.raises(UserError, match=f"(?s)The evaluation e of dcgan-rooms: .*{says}"):
        ganskit.run("dcgan-rooms", settings=[*SMALL, f"evaluations.e={{evaluator={evaluator}}}"], out=tmp_path / "run", **HOW)
    assert not (tmp_path / "run").exists()


@frozen
class Fails(Evaluator):
    """Somebody's evaluator with a mistake in it."""

    def check(self, recipe: ganskit.Recipe) -> None:
        raise ZeroDivisionError("0")

    def real_examples(self) -> int:
        return None  # type: ignore[return-value]  # that is the mistake

    def evaluate(self, model: ganskit.Model) -> Result:
        raise ZeroDivisionError("0")


def test_a_mistake_in_an_evaluator_costs_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ganskit.run(recipe(bad=Evaluation(evaluator=Fails())), out=tmp_path / "run", **HOW)
    assert "Warning: the evaluation bad was not made at 96 samples: ZeroDivisionError: 0" in capsys.readouterr().out


def test_another_wish_for_the_best_begins_anew(tmp_path: Path) -> None:
    run = ganskit.run(recipe(far=Evaluation(evaluator=Far(lowest=0), every=48, best="far")), out=tmp_path / "run", **HOW)
    assert json.loads((run / "best" / "far.json").read_text())["samples"] == 48
    highest = Evaluation(evaluator=Far(lowest=0), every=24, best="far", higher=True)
    ganskit.run(evolve(recipe(far=highest), samples=120), out=run, resume=True, **HOW)
    assert json.loads((run / "best" / "far.json").read_text())["samples"] == 120


def test_the_nets_name_may_be_left_out_of_a_number() -> None:
    numbers = {"fd[conv-a]": 1.5, "kd[conv-a]": 2.0, "fd_std": 3.0}
    assert find_number(numbers, "fd", "fd") == find_number(numbers, "fd[conv-a]", "fd") == "fd[conv-a]"
    with pytest.raises(UserError, match=r'fd gives no number "fd", only fd\[conv-a\], kd'):
        find_number({**numbers, "fd[conv-b]": 4.0}, "fd", "fd")
