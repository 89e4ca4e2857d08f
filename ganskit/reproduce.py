"""Trying the claims that a recipe carries: each in its small form, with several seeds, and what came out as one table."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from attrs import asdict, field, frozen

from ganskit.claims import Arm, Claim
from ganskit.config import unstructure
from ganskit.data.files import write_whole
from ganskit.engine.device import processor, resolve_device
from ganskit.engine.run import run
from ganskit.engine.rundir import RunDir, folder_name
from ganskit.errors import UserError
from ganskit.evaluate.evaluation import RESULT, evaluate_run
from ganskit.evaluator import Evaluator, find_number
from ganskit.recipe import Recipe, evolve, named, override, to_toml, use, versions

CLAIMS = "claims.json"


@frozen
class Outcome:
    """What was found of a claim: the numbers of both sides, a value for each seed, and whether it holds in all of them."""

    claim: Claim
    ours: tuple[float, ...] = ()
    baseline: tuple[float, ...] = ()
    time_s: float = 0.0
    made_with: Mapping[str, str] = field(factory=dict)

    @property
    def held(self) -> tuple[bool, ...]:
        """By seed."""
        others = self.baseline or (0.0,) * len(self.ours)
        return tuple(self.claim.holds(ours, other) for ours, other in zip(self.ours, others, strict=True))

    @property
    def verdict(self) -> str:
        """In words."""
        if not self.ours:
            return "unrun"
        num = len(self.held)
        if not all(self.held):
            return f"not held ({sum(self.held)} of {num} seeds)"
        return "held" if num >= self.claim.seeds else f"held (in {num} of {self.claim.seeds} seeds, the others unrun)"


def reproduce(
    recipe: Recipe,
    *,
    out: str | Path | None = None,
    seeds: int | None = None,
    only: int | None = None,
    device: str = "auto",
    progress: bool = True,
    say: Callable[[str], None] = lambda text: None,
) -> list[Outcome]:
    """Try the claims of a recipe, and write OUT/claims.json (runs/claims-NAME by default).

    Runs and evaluations that are there are used again, those that were interrupted go on: the same call ends what was begun.
    `seeds` instead of each claim's own number; `only` the claim with this number, from 1. Raises UserError when the recipe
    has no such claim, and what training and evaluating raise.
    """
    if not recipe.claims:
        raise UserError(f'The recipe "{recipe.name}" carries no claims. Its page in the documentation says what it is for.')
    if only is not None and not 1 <= only <= len(recipe.claims):
        raise UserError(f'The recipe "{recipe.name}" has the claims 1 to {len(recipe.claims)}, and no claim {only}.')
    folder = Path(out) if out is not None else usual_folder(recipe)
    outcomes = [_earlier(folder, recipe, claim) for claim in recipe.claims]
    for number, claim in enumerate(recipe.claims, 1):
        if only in (None, number) and claim.ours is not None:
            say(f"Claim {number} of {len(recipe.claims)}: {claim}")
            outcomes[number - 1] = _tried(recipe, outcomes[number - 1], folder, seeds or claim.seeds, device, progress)
        _write(folder, recipe, outcomes)
    return outcomes


def usual_folder(recipe: Recipe) -> Path:
    """Where runs and claims.json go that are given no other place."""
    return Path("runs") / f"claims-{folder_name(recipe.name)}"


def _earlier(folder: Path, recipe: Recipe, claim: Claim) -> Outcome:
    """What claims.json says of this very claim, tried on these very recipes; nothing if it was not."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        for told in json.loads((folder / CLAIMS).read_bytes())["claims"]:
            if told["claim"] == json.loads(json.dumps(asdict(claim))) and told["tried"] == _tried_on(recipe, claim):
                made_with = {key: str(value) for key, value in told["made_with"].items()}
                return Outcome(claim, tuple(told["ours"]), tuple(told["baseline"]), float(told["time_s"]), made_with)
    return Outcome(claim)


def _tried_on(recipe: Recipe, claim: Claim) -> str:
    """Changes whenever something else is trained for the claim."""
    arms = [arm for arm in (claim.ours, claim.baseline) if arm]
    return _digest("".join(to_toml(small_form(recipe, arm, 0)) for arm in arms))


def _tried(recipe: Recipe, earlier: Outcome, folder: Path, seeds: int, device: str, progress: bool) -> Outcome:
    started, claim = time.monotonic(), earlier.claim
    sides = [
        tuple(_number(recipe, arm, seed, folder, device, progress) for seed in range(seeds)) if arm else ()
        for arm in (claim.ours, claim.baseline)
    ]
    if (earlier.ours, earlier.baseline) == (sides[0], sides[1]):  # nothing was trained, so the time says nothing
        return earlier
    made_with = {
        "ganskit": version("ganskit"),
        **versions(recipe),
        "torch": version("torch"),
        "processor": processor(resolve_device(device)),
    }
    return Outcome(claim, sides[0], sides[1], round(time.monotonic() - started, 1), made_with)


def _number(recipe: Recipe, arm: Arm, seed: int, folder: Path, device: str, progress: bool) -> float:
    """Train and evaluate one arm with one seed, as far as that was not done before."""
    small = small_form(recipe, arm, seed)
    place = folder / f"{folder_name(small.name)}-{_digest(to_toml(small))}"
    path = run(small, out=place, resume=True, device=device, progress=progress)
    evaluator: Evaluator = override(use(arm.evaluator, "evaluator"), arm.options)
    name = f"{arm.evaluator}-{_digest(json.dumps(unstructure(evaluator), sort_keys=True))}"
    numbers = _found(RunDir(path).evaluation(name) / RESULT)
    if numbers is None:
        numbers = evaluate_run(path, evaluator, device=device, name=name).numbers
    return float(numbers[find_number(numbers, arm.number, f'The evaluator "{arm.evaluator}"')])


def _found(file: Path) -> Mapping[str, float] | None:
    """What an earlier call has found, if it is whole."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        numbers: dict[str, float] = json.loads(file.read_bytes())["numbers"]
        return numbers
    return None


def small_form(recipe: Recipe, arm: Arm, seed: int) -> Recipe:
    """What is trained for one arm with one seed. Raises UserError for settings that do not fit."""
    plain = evolve(named(arm.recipe) if arm.recipe else recipe, claims=(), evaluations={})
    return override(plain, [*arm.settings, f"seed={seed}"])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _write(folder: Path, recipe: Recipe, outcomes: list[Outcome]) -> None:
    """Everything that a page of claims needs."""
    table = {"recipe": recipe.name, "paper": recipe.paper, "claims": [_told(recipe, each) for each in outcomes]}
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / CLAIMS, (json.dumps(table, indent=2) + "\n").encode())


def _told(recipe: Recipe, outcome: Outcome) -> dict[str, Any]:
    found = {"ours": outcome.ours, "baseline": outcome.baseline, "verdict": outcome.verdict, "time_s": outcome.time_s}
    about = {"claim": asdict(outcome.claim), "tried": _tried_on(recipe, outcome.claim), "expects": outcome.claim.expects()}
    return {**about, **found, "made_with": dict(outcome.made_with)}


def rows(outcomes: list[Outcome]) -> Iterator[tuple[str, str, str, str, str]]:
    """For a table: claim, the paper's figure, ours, the baseline's, held or not."""
    for each in outcomes:
        yield str(each.claim), each.claim.figure or "-", _mean(each.ours), _mean(each.baseline), each.verdict


def _mean(values: tuple[float, ...]) -> str:
    """Mean and range."""
    if not values:
        return "-"
    mean = sum(values) / len(values)
    return f"{mean:.4g}" if len(values) == 1 else f"{mean:.4g} ({min(values):.4g} to {max(values):.4g})"
