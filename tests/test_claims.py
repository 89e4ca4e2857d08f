"""Claims, tried in a small form."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import asdict, evolve, frozen

import ganskit
from ganskit import Arm, Claim, Evaluator, Recipe, Result, UserError
from ganskit.plugins import registry
from ganskit.recipe import from_table, to_table
from ganskit.reproduce import reproduce, rows
from ganskit.train import resolve

RECORDS = Path(__file__).parents[1] / "docs" / "claims"
SMALL = ("samples=16", "batch_size=4", "data.size=16", "data.num_images=16", "nets.G.width=4", "nets.D.width=4")
SHORTER = (*SMALL, "samples=8")


@frozen
class Clock(Evaluator):
    """How long a run was trained: longer runs measure more."""

    add: int = 0
    weights: bool = True

    def check(self, recipe: Recipe) -> None:
        if not self.weights:
            raise UserError("There are no weights.")

    def evaluate(self, model: ganskit.Model) -> Result:
        return Result({"samples": model.samples + self.add, "seed": model.recipe.seed, "share": math.nan})


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


def test_what_is_no_number_is_kept_as_a_text(tmp_path: Path) -> None:
    share = Claim(states="What was there is left.", ours=evolve(arm(), number="share"), seeds=2)
    (before,) = reproduce(carrying(share), out=tmp_path, device="cpu", progress=False)
    assert before.verdict == "not held (0 of 2 seeds)"
    record = (tmp_path / "claims.json").read_text()
    told = json.loads(record, parse_constant=lambda text: pytest.fail(f"JSON has no {text}"))
    assert told["claims"][0]["ours"] == ["nan", "nan"]
    reproduce(carrying(share), out=tmp_path, seeds=1, device="cpu", progress=False)
    assert (tmp_path / "claims.json").read_text() == record, "fewer seeds take nothing from it"


def test_one_claim_at_a_time_keeps_the_others(tmp_path: Path) -> None:
    recipe = carrying(LONGER, evolve(LONGER, relation="below", by=0))
    reproduce(recipe, out=tmp_path, only=1, device="cpu", progress=False)
    verdicts = [each.verdict for each in reproduce(recipe, out=tmp_path, only=2, device="cpu", progress=False)]
    assert verdicts == ["held", "not held (0 of 2 seeds)"]
    told = json.loads((tmp_path / "claims.json").read_text())["claims"]
    assert [each["verdict"] for each in told] == verdicts


def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on, this is another machine."""
    for module in ("reproduce", "engine.training"):
        monkeypatch.setattr(f"ganskit.{module}.processor", lambda device: "another")


def test_fewer_seeds_take_nothing_from_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (before,) = reproduce(carrying(LONGER), out=tmp_path, device="cpu", progress=False)
    record = (tmp_path / "claims.json").read_bytes()
    elsewhere(monkeypatch)
    assert reproduce(carrying(LONGER), out=tmp_path, seeds=1, device="cpu", progress=False) == [before]
    assert (tmp_path / "claims.json").read_bytes() == record
    (more,) = reproduce(carrying(LONGER), out=tmp_path, seeds=3, device="cpu", progress=False)
    assert more.ours == (16.0, 16.0, 16.0)
    assert more.made_with["processor"] == f"{before.made_with['processor']} and another"


def test_time_and_versions_are_those_of_all_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an interruption, too, and though nobody wrote a record then. Both sides share the runs, which count once."""
    same = evolve(LONGER, baseline=evolve(arm(), options=("add=1",)))
    with monkeypatch.context() as first_part:
        for module in ("reproduce", "engine.training"):
            first_part.setattr(f"ganskit.{module}.processor", lambda device: "the first")
        first_part.setattr("ganskit.evaluate.evaluation.versions", lambda value: {"their-evaluator": "3.1"})
        first_part.setattr("ganskit.reproduce.evaluate_run", interrupting(after=1))
        with pytest.raises(KeyboardInterrupt):
            reproduce(carrying(same), out=tmp_path, device="cpu", progress=False)
    assert not (tmp_path / "claims.json").exists()
    for file in tmp_path.glob("*/evaluations/*/result.json"):
        file.write_text(json.dumps(json.loads(file.read_text()) | {"time_s": 1000.0}))
    (outcome,) = reproduce(carrying(same), out=tmp_path, device="cpu", progress=False)
    assert outcome.made_with["processor"].startswith("the first and ")
    assert outcome.made_with["their-evaluator"] == "3.1"
    runs = [json.loads(file.read_text().splitlines()[-1])["time_s"] for file in tmp_path.glob("*/metrics.jsonl")]
    found = [json.loads(file.read_text())["time_s"] for file in tmp_path.glob("*/evaluations/*/result.json")]
    assert (len(runs), len(found)) == (2, 4)
    assert outcome.time_s == pytest.approx(sum(runs) + sum(found), abs=0.1)
    assert outcome.time_s >= 1000  # what was there, and not made anew
    (tmp_path / "claims.json").unlink()
    (again,) = reproduce(carrying(same), out=tmp_path, device="cpu", progress=False)
    assert again.time_s == outcome.time_s


def interrupting(after: int) -> Callable[..., Result]:
    """An `evaluate_run` that Ctrl-C ends after so many times."""
    left = [None] * after

    def evaluate(*given: Any, **how: Any) -> Result:
        if not left:
            raise KeyboardInterrupt
        left.pop()
        return ganskit.evaluate_run(*given, **how)

    return evaluate


def test_a_record_of_the_old_form_is_read(tmp_path: Path) -> None:
    """It lacked the time of what other claims shared, and may have no versions."""
    reproduce(carrying(LONGER), out=tmp_path, device="cpu", progress=False)
    told = json.loads((tmp_path / "claims.json").read_text())
    told["claims"][0] |= {"time_s": 0.7, "made_with": {}}
    (tmp_path / "claims.json").write_text(json.dumps(told))
    (outcome,) = reproduce(carrying(LONGER, Claim(states="x")), out=tmp_path, only=2, device="cpu", progress=False)[:1]
    assert (outcome.verdict, outcome.time_s, outcome.made_with) == ("held", 0.7, {})


def test_what_was_found_elsewhere_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another claim's numbers stay those of the machine, and of the recipe, that they were made with."""
    claims = LONGER, evolve(LONGER, relation="below", by=0, ours=arm((*SMALL, "samples=12")))
    recipe = carrying(*claims)
    reproduce(recipe, out=tmp_path, only=1, device="cpu", progress=False)
    elsewhere(monkeypatch)
    reproduce(recipe, out=tmp_path, only=2, device="cpu", progress=False)
    told = json.loads((tmp_path / "claims.json").read_text())["claims"]
    here = told[0]["made_with"]["processor"]
    assert told[1]["made_with"]["processor"] == f"another and {here}", "the baseline's runs are those of the first claim"
    other = reproduce(evolve(recipe, batch_size=2, ema=0.5), out=tmp_path, only=2, device="cpu", progress=False)
    assert other[0].verdict == "unrun", "the recipe is another by now"


def test_a_name_is_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    reproduce(evolve(carrying(LONGER), name="x/../../../stolen"), device="cpu", progress=False, seeds=1)
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
    assert len(list((tmp_path / "here" / "runs").glob("*/claims.json"))) == 1


@pytest.mark.parametrize("damage", ["{", "[" * 100_000, '{"numbers": {"samples": "x"}, "time_s": 1, "plugins": {}}'])
def test_a_damaged_record_is_made_again(tmp_path: Path, damage: str) -> None:
    reproduce(carrying(LONGER), out=tmp_path, device="cpu", progress=False)
    for file in (*tmp_path.glob("*/evaluations/*/result.json"), tmp_path / "claims.json"):
        file.write_text(damage)
    assert reproduce(carrying(LONGER), out=tmp_path, device="cpu", progress=False)[0].verdict == "held"


def test_mistakes(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='"dcgan-rooms" carries no claims'):
        reproduce(carrying(), out=tmp_path)
    with pytest.raises(UserError, match="has the claims 1 to 1, and no claim 2"):
        reproduce(carrying(LONGER), out=tmp_path, only=2)
    wrong = carrying(evolve(LONGER, ours=evolve(arm(), number="score")))
    with pytest.raises(UserError, match='gives no number "score", only samples, seed, share'):
        reproduce(wrong, out=tmp_path, device="cpu", progress=False)
    with pytest.raises(UserError, match="Claim: relation is 'over'"):
        Claim(states="x", relation="over")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (evolve(arm(), options=("ad=1",)), 'no option "ad"'),
        (evolve(arm(), evaluator="clok"), 'no evaluator "clok"'),
        (evolve(arm(), options=("weights=false",)), "There are no weights."),
        (arm(("sample=8",)), 'no option "sample"'),
        (arm(recipe="dcgan-rums"), 'no recipe "dcgan-rums"'),
    ],
)
def test_mistakes_cost_no_training(tmp_path: Path, wrong: Arm, said: str) -> None:
    """Those in the last claim are told before anything is trained for the first."""
    with pytest.raises(UserError, match=rf'Claim 2 of "dcgan-rooms": .*{said}'):
        reproduce(carrying(LONGER, evolve(LONGER, baseline=wrong)), out=tmp_path / "out", device="cpu", progress=False)
    assert not (tmp_path / "out").exists()


def test_only_what_is_still_to_be_measured_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that are gone by now are no matter, nor are those of a claim that nobody asks for."""
    reproduce(carrying(LONGER), out=tmp_path, device="cpu", progress=False)
    monkeypatch.setattr(Clock, "check", lambda self, recipe: pytest.fail("nothing is to be measured"))
    outcomes = reproduce(carrying(LONGER, evolve(LONGER, by=0)), out=tmp_path, device="cpu", progress=False)
    assert [each.verdict for each in outcomes] == ["held", "held"]
    unasked = evolve(LONGER, ours=evolve(arm(), options=("add=1",)))
    assert len(reproduce(carrying(LONGER, unasked), out=tmp_path, only=1, device="cpu", progress=False)) == 2


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


@pytest.mark.parametrize("file", sorted(RECORDS.glob("*.json")), ids=lambda file: file.stem)
def test_the_records_in_the_documentation_are_of_the_claims_that_recipes_carry(file: Path) -> None:
    from ganskit.reproduce import tried_on

    found = json.loads(file.read_text(encoding="utf-8"))
    if found["recipe"] not in {entry.name for entry in registry().entries("recipe")}:
        pytest.skip(f"{found['recipe']} is a plugin's, which is not installed, or left out by GANSKIT_PLUGINS")
    recipe = ganskit.named(found["recipe"])
    again = f"run ganskit reproduce {recipe.name}, and copy its claims.json to {file.name}"
    assert len(found["claims"]) == len(recipe.claims), again
    for told, claim in zip(found["claims"], recipe.claims, strict=True):
        assert told["claim"] == json.loads(json.dumps(asdict(claim))), again
        assert told["expects"] == claim.expects(), again
        assert told["tried"] == tried_on(recipe, claim), again


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
