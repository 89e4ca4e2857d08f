"""Trying the claims that a recipe carries: each in its small form, with several seeds, and what came out as one table."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from attrs import asdict, field, frozen

from ganskit.claims import Arm, Claim
from ganskit.config import unstructure
from ganskit.data.files import write_whole
from ganskit.engine import checkpoint as checkpoints
from ganskit.engine.device import processor, resolve_device
from ganskit.engine.run import run
from ganskit.engine.rundir import RunDir, folder_name
from ganskit.errors import UserError
from ganskit.evaluate.choosing import chosen_checkpoint
from ganskit.evaluate.evaluation import RESULT, evaluate_run
from ganskit.evaluator import Evaluator, find_number
from ganskit.recipe import Recipe, evolve, named, override, to_toml, use

CLAIMS = "claims.json"
DAMAGED = (OSError, ValueError, KeyError, TypeError, RecursionError)
"""What a JSON file raises that is not there, or not what was written."""


@frozen
class Outcome:
    """What was found of a claim: the numbers of both sides, a value for each seed, and whether it holds in all of them.

    `time_s` is what the trainings and evaluations took that these numbers come from, each by its own clock and counted once,
    whichever call or claim they were made for. `made_with` are the versions and the processors of all of them, as far as
    their files tell: of a run that was trained in parts those of the last one, of an evaluation that was there only the plugins.
    """

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
    has no such claim; before anything is trained, for settings and options of any claim that do not fit, and for what cannot
    be evaluated so; and what training and evaluating raise.
    """
    if not recipe.claims:
        raise UserError(f'The recipe "{recipe.name}" carries no claims. Its page in the documentation says what it is for.')
    if only is not None and not 1 <= only <= len(recipe.claims):
        raise UserError(f'The recipe "{recipe.name}" has the claims 1 to {len(recipe.claims)}, and no claim {only}.')
    folder = Path(out) if out is not None else usual_folder(recipe)
    plans = [_plan(recipe, number, folder, seeds, only) for number in range(1, len(recipe.claims) + 1)]
    outcomes = [_earlier(folder, plan) for plan in plans]
    for index, plan in enumerate(plans):
        if plan.ours:
            say(f"Claim {index + 1} of {len(plans)}: {plan.claim}")
            outcomes[index] = _tried(plan, outcomes[index], device, progress)
        _write(folder, recipe, plans, outcomes)
    return outcomes


def usual_folder(recipe: Recipe) -> Path:
    """Where runs and claims.json go that are given no other place."""
    return Path("runs") / f"claims-{folder_name(recipe.name)}"


@frozen
class _Try:
    """One arm with one seed: what is trained, where, and how it is evaluated."""

    arm: Arm
    small: Recipe
    evaluator: Evaluator
    place: Path

    @classmethod
    def of(cls, recipe: Recipe, arm: Arm, seed: int, folder: Path) -> _Try:
        """Raises UserError for settings and options that do not fit."""
        small = small_form(recipe, arm, seed)
        place = folder / f"{folder_name(small.name)}-{_digest(to_toml(small))}"
        return cls(arm, small, override(use(arm.evaluator, "evaluator"), arm.options), place)

    @property
    def evaluation(self) -> str:
        """The name under which it is kept."""
        return f"{self.arm.evaluator}-{_digest(json.dumps(unstructure(self.evaluator), sort_keys=True))}"

    @property
    def result(self) -> Path:
        """The file in which it is kept."""
        return RunDir(self.place).evaluation(self.evaluation) / RESULT

    def read(self) -> dict[str, Any]:
        """What was found. Raises one of DAMAGED unless it is there and whole."""
        record = json.loads(self.result.read_bytes())
        numbers = {key: float(value) for key, value in dict(record["numbers"]).items()}
        return {"numbers": numbers, "time_s": float(record["time_s"]), "plugins": dict(record["plugins"])}

    def found(self) -> dict[str, Any] | None:
        """The same, if there is any."""
        with suppress(*DAMAGED):
            return self.read()
        return None


@frozen
class _Plan:
    """A claim, and what is to be tried for it: nothing, if there is no small form or nobody asks for it."""

    claim: Claim
    tried: str
    ours: tuple[_Try, ...] = ()
    baseline: tuple[_Try, ...] = ()


def _plan(recipe: Recipe, number: int, folder: Path, seeds: int | None, only: int | None) -> _Plan:
    claim = recipe.claims[number - 1]
    try:
        tried = tried_on(recipe, claim)
        if claim.ours is None or only not in (None, number):
            return _Plan(claim, tried)
        sides = [
            tuple(_Try.of(recipe, arm, seed, folder) for seed in range(seeds or claim.seeds)) if arm else ()
            for arm in (claim.ours, claim.baseline)
        ]
        for side in sides:
            for each in [one for one in side if one.found() is None][:1]:  # the first will do: seeds are nothing to check
                each.evaluator.check(each.small)
    except UserError as error:
        raise UserError(f'Claim {number} of "{recipe.name}": {error}') from error
    return _Plan(claim, tried, *sides)


def _earlier(folder: Path, plan: _Plan) -> Outcome:
    """What claims.json says of this very claim, tried on these very recipes; nothing if it was not."""
    with suppress(*DAMAGED):
        for told in json.loads((folder / CLAIMS).read_bytes())["claims"]:
            if told["claim"] == json.loads(json.dumps(asdict(plan.claim))) and told["tried"] == plan.tried:
                made_with = {key: str(value) for key, value in told["made_with"].items()}
                ours, baseline = (tuple(map(float, told[side])) for side in ("ours", "baseline"))
                return Outcome(plan.claim, ours, baseline, float(told["time_s"]), made_with)
    return Outcome(plan.claim)


def tried_on(recipe: Recipe, claim: Claim) -> str:
    """Changes whenever something else is trained for the claim. Raises UserError for settings that do not fit."""
    arms = [arm for arm in (claim.ours, claim.baseline) if arm]
    return _digest("".join(to_toml(small_form(recipe, arm, 0)) for arm in arms))


@frozen
class _Measured:
    """A number, the seconds that it took by the file that tells of them, and the versions and machines it was made with."""

    number: float
    times_s: Mapping[Path, float]
    plugins: tuple[Mapping[str, str], ...]
    machines: tuple[Mapping[str, str], ...]


def _tried(plan: _Plan, earlier: Outcome, device: str, progress: bool) -> Outcome:
    ours, baseline = ([_measured(each, device, progress) for each in side] for side in (plan.ours, plan.baseline))
    numbers = tuple(each.number for each in ours), tuple(each.number for each in baseline)
    if all(repr(old[: len(new)]) == repr(new) for old, new in zip((earlier.ours, earlier.baseline), numbers, strict=True)):
        return earlier  # it says all of this, and maybe more seeds; by repr, for nan is not equal to itself
    both = [*ours, *baseline]
    times_s = {file: seconds for each in both for file, seconds in each.times_s.items()}
    plugins = _together(table for each in both for table in each.plugins)
    machines = _together(table for each in both for table in each.machines)
    return Outcome(plan.claim, *numbers, round(sum(times_s.values()), 1), {"ganskit": version("ganskit")} | plugins | machines)


def _measured(wanted: _Try, device: str, progress: bool) -> _Measured:
    """Train and evaluate one arm with one seed, as far as that was not done before."""
    path = run(wanted.small, out=wanted.place, resume=True, device=device, progress=progress)
    here = {}
    found = wanted.found()
    if found is None:
        evaluate_run(path, wanted.evaluator, device=device, name=wanted.evaluation)
        here = {"torch": str(torch.__version__), "processor": processor(resolve_device(device))}
        found = wanted.read()
    checkpoint = chosen_checkpoint(RunDir(path), None)
    meta = checkpoints.read(checkpoint).meta
    there = {key: str(value) for key, value in meta["environment"].items()}
    plugins = {key.removeprefix("plugin "): value for key, value in there.items() if key.startswith("plugin ")}
    machine = {key: there[key] for key in ("torch", "processor") if key in there}
    number = find_number(found["numbers"], wanted.arm.number, f'The evaluator "{wanted.arm.evaluator}"')
    times_s = {checkpoint: float(meta["time_s"]), wanted.result: found["time_s"]}
    return _Measured(found["numbers"][number], times_s, (plugins, found["plugins"]), (machine, here))


def _together(tables: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """One table of them all: every value that a key has, once."""
    found: dict[str, dict[str, None]] = {}
    for table in tables:
        for key, value in table.items():
            found.setdefault(key, {})[value] = None
    return {key: " and ".join(values) for key, values in found.items()}


def small_form(recipe: Recipe, arm: Arm, seed: int) -> Recipe:
    """What is trained for one arm with one seed. Raises UserError for settings that do not fit."""
    plain = evolve(named(arm.recipe) if arm.recipe else recipe, claims=(), evaluations={})
    return override(plain, [*arm.settings, f"seed={seed}"])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _write(folder: Path, recipe: Recipe, plans: list[_Plan], outcomes: list[Outcome]) -> None:
    """Everything that a page of claims needs."""
    told = [_told(plan, outcome) for plan, outcome in zip(plans, outcomes, strict=True)]
    folder.mkdir(parents=True, exist_ok=True)
    table = {"recipe": recipe.name, "paper": recipe.paper, "claims": told}
    write_whole(folder / CLAIMS, (json.dumps(table, indent=2) + "\n").encode())


def _told(plan: _Plan, outcome: Outcome) -> dict[str, Any]:
    sides = {"ours": _as_json(outcome.ours), "baseline": _as_json(outcome.baseline)}
    found = {**sides, "verdict": outcome.verdict, "time_s": outcome.time_s}
    about = {"claim": asdict(plan.claim), "tried": plan.tried, "expects": plan.claim.expects()}
    return {**about, **found, "made_with": dict(outcome.made_with)}


def _as_json(values: tuple[float, ...]) -> list[float | str]:
    """Numbers as JSON can hold them: "nan" is a text."""
    return [value if math.isfinite(value) else str(value) for value in values]


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
