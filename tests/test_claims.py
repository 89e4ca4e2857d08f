"""Claims, tried in a small form."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import evolve, frozen

import ganskit
from ganskit import Arm, Claim, Evaluator, Recipe, Result, UserError
from ganskit.plugins import registry
from ganskit.recipe import from_table, to_table
from ganskit.reproduce import reproduce, rows
from ganskit.train import resolve

SMALL = ("samples=16", "batch_size=4", "data.size=16", "data.num_images=16", "nets.G.width=4", "nets.D.width=4")
SHORTER = (*SMALL, "samples=8")


@frozen
class Clock(Evaluator):
    """How long a run was trained: longer runs measure more."""

    add: int = 0

    def evaluate(self, model: ganskit.Model) -> Result:
        return Result({"samples": model.samples + self.add, "seed": model.recipe.seed})


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """An evaluator "clock" is registered."""
    import ganskit.reproduce as module

    use = module.use
    monkeypatch.setattr(module, "use", lambda name, kind: Clock() if name == "clock" else use(name, kind))


def carrying(*claims: Claim) -> Recipe:
    return evolve(resolve("dcgan-rooms"), claims=claims)


def arm(settings: tuple[str, ...] = SMALL, **more: object) -> Arm:
    return Arm(evaluator="clock", number="samples", settings=settings, **more)


LONGER = Claim(states="Longer is longer.", where="section 1", figure="twice", ours=arm(), baseline=arm(SHORTER), by=7, seeds=2)


def test_claims_that_hold_and_do_not(tmp_path: Path) -> None:
    claims = LONGER, evolve(LONGER, relation="below", by=0), evolve(LONGER, baseline=None, by=16), Claim(states="Unknown.")
    outcomes = reproduce(carrying(*claims), out=tmp_path, device="cpu", progress=False)
    assert [each.verdict for each in outcomes] == ["held", "not held (0 of 2 seeds)", "not held (0 of 2 seeds)", "unrun"]
    assert (outcomes[0].ours, outcomes[0].baseline) == ((16.0, 16.0), (8.0, 8.0))
    assert next(rows(outcomes)) == ("section 1: Longer is longer.", "twice", "16 (16 to 16)", "8 (8 to 8)", "held")
    told = json.loads((tmp_path / "claims.json").read_text())
    assert told["recipe"] == "dcgan-rooms"
    assert [each["verdict"] for each in told["claims"]] == [each.verdict for each in outcomes]
    assert told["claims"][0]["expects"] == "samples above the baseline's samples +7"
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 4, "runs are shared by the claims"


def test_seeds_differ_and_options_are_set(tmp_path: Path) -> None:
    seeds = Claim(states="Seeds are seeds.", ours=evolve(arm(), number="seed"), by=-1, seeds=1)
    outcomes = reproduce(carrying(seeds), out=tmp_path, seeds=2, device="cpu", progress=False)
    assert outcomes[0].ours == (0.0, 1.0)
    more = Claim(states="More is more.", ours=evolve(arm(), options=("add=5",)), by=20)
    (once,) = reproduce(carrying(more), out=tmp_path, seeds=1, device="cpu", progress=False)
    assert (once.ours, once.verdict) == ((21.0,), "held (in 1 of 3 seeds, the others unrun)")


def test_what_was_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reproduce(carrying(LONGER), out=tmp_path, device="cpu", progress=False)
    monkeypatch.setattr("ganskit.reproduce.evaluate_run", lambda *a, **b: pytest.fail("it was evaluated before"))
    assert reproduce(carrying(LONGER), out=tmp_path, device="cpu", progress=False)[0].verdict == "held"


def test_one_claim_at_a_time_keeps_the_others(tmp_path: Path) -> None:
    recipe = carrying(LONGER, evolve(LONGER, relation="below", by=0))
    reproduce(recipe, out=tmp_path, only=1, device="cpu", progress=False)
    verdicts = [each.verdict for each in reproduce(recipe, out=tmp_path, only=2, device="cpu", progress=False)]
    assert verdicts == ["held", "not held (0 of 2 seeds)"]
    told = json.loads((tmp_path / "claims.json").read_text())["claims"]
    assert [each["verdict"] for each in told] == verdicts


def test_what_was_found_elsewhere_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another claim's numbers stay those of the machine, and of the recipe, that they were made with."""
    claims = LONGER, evolve(LONGER, relation="below", by=0, ours=arm((*SMALL, "samples=12")))
    recipe = carrying(*claims)
    reproduce(recipe, out=tmp_path, only=1, device="cpu", progress=False)
    monkeypatch.setattr("ganskit.reproduce.processor", lambda device: "another")
    reproduce(recipe, out=tmp_path, only=2, device="cpu", progress=False)
    told = json.loads((tmp_path / "claims.json").read_text())["claims"]
    assert told[0]["made_with"]["processor"] != told[1]["made_with"]["processor"] == "another"
    other = reproduce(evolve(recipe, batch_size=2, ema=0.5), out=tmp_path, only=2, device="cpu", progress=False)
    assert other[0].verdict == "unrun", "the recipe is another by now"


def test_a_name_is_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    reproduce(evolve(carrying(LONGER), name="x/../../../stolen"), device="cpu", progress=False, seeds=1)
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
    assert len(list((tmp_path / "here" / "runs").glob("*/claims.json"))) == 1


def test_a_damaged_record_is_made_again(tmp_path: Path) -> None:
    reproduce(carrying(LONGER), out=tmp_path, device="cpu", progress=False)
    for file in tmp_path.glob("*/evaluations/*/result.json"):
        file.write_text("{")
    assert reproduce(carrying(LONGER), out=tmp_path, device="cpu", progress=False)[0].verdict == "held"


def test_mistakes(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='"dcgan-rooms" carries no claims'):
        reproduce(carrying(), out=tmp_path)
    with pytest.raises(UserError, match="has the claims 1 to 1, and no claim 2"):
        reproduce(carrying(LONGER), out=tmp_path, only=2)
    wrong = carrying(evolve(LONGER, ours=evolve(arm(), number="score")))
    with pytest.raises(UserError, match='gives no number "score", only samples, seed'):
        reproduce(wrong, out=tmp_path, device="cpu", progress=False)
    with pytest.raises(UserError, match="Claim: relation is 'over'"):
        Claim(states="x", relation="over")


def test_toml() -> None:
    recipe = carrying(LONGER, Claim(states="x"))
    assert from_table(to_table(recipe)).claims == recipe.claims


def test_every_small_form_that_is_registered_can_be_built() -> None:
    """Names, options and settings fit together, before anybody trains for minutes."""
    from ganskit.recipe import override, use
    from ganskit.reproduce import small_form

    num = 0
    for entry in registry().entries("recipe"):
        recipe = ganskit.named(entry.name)
        for claim in recipe.claims:
            for each in (claim.ours, claim.baseline):
                if each:
                    small = small_form(recipe, each, seed=1)
                    assert small.seed == 1
                    override(use(each.evaluator, "evaluator"), each.options)
                    num += 1
    assert num == 14 + 2 * any(entry.name == "wgan-gp-gaussians" for entry in registry().entries("recipe"))


def test_the_command_lists_what_would_be_tried() -> None:
    words = [sys.executable, "-m", "ganskit", "reproduce", "dcgan-svhn"]
    listed = subprocess.run([*words, "--list"], capture_output=True, text=True, timeout=120, check=True).stdout
    assert "1. section 5.2, table 2: An L2-SVM on D's 7,168 features" in listed
    assert "the paper: 22.48 % error" in listed
    assert 'ours, with 3 seeds: data={use="portraits",size=32} nets.G.width=32' in listed
    assert "; then svm data=" in listed
    refused = subprocess.run([*words, "--claim", "7"], capture_output=True, text=True, timeout=120, check=False)
    assert refused.returncode == 2
    assert "and no claim 7" in refused.stderr
