"""What every entry must do: each check takes a tiny recipe, raises Failed with what is wrong, and returns nothing."""

from __future__ import annotations

import copy
import math
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from tempfile import TemporaryDirectory
from unittest.mock import patch

import torch
from attrs import evolve

from ganskit.conformance.elsewhere import digest, digest_elsewhere, go_on_elsewhere
from ganskit.conformance.watching import Failed, Gradients, NotApplicable, StillGradients, Watched, play, played
from ganskit.data.dataset import Dataset, Skip
from ganskit.engine.device import forked_rng, torch_settings
from ganskit.engine.engine import Engine
from ganskit.engine.sampling import fixed_samples
from ganskit.engine.state import save_state
from ganskit.errors import DataNotFound, UserError
from ganskit.evaluate.evaluation import measured
from ganskit.evaluate.model import Model
from ganskit.evaluator import Evaluator, Result
from ganskit.game import Nets
from ganskit.recipe import Recipe, pluggables
from ganskit.report.comparing import OF_THE_MODEL
from ganskit.report.words import leaves

TOLERANCE = 1e-3


def plays(recipe: Recipe, rounds: int = 3) -> None:
    """Three rounds: finite, each net moves in its player's turns only, each loss is a function of nets, batch and seed."""
    engine = played(recipe, rounds, Watched)
    for player, settings in engine.players.items():
        for net in settings.nets:
            trainable = any(name.startswith(f"{net}.") for name in engine.owned[player])
            if trainable and net not in engine.moved:
                raise Failed(f"The net {net} of {player} did not move in {rounds} rounds: no loss of {player} depends on it.")


def resumes(recipe: Recipe, rounds: int = 2) -> None:
    """N rounds and N more in a fresh process equal 2N, bit by bit."""
    first, second, fresh = (copy.deepcopy(recipe) for _ in range(3))  # what a recipe's values keep must not travel
    whole, half = played(first, 2 * rounds, Engine), played(second, rounds, Engine)
    there = go_on_elsewhere(fresh, half, rounds)
    if different := differences(save_state(whole)[0], there):
        raise Failed(
            f"After a resume in a fresh process {len(different)} tensors differ, such as {different[0]}. State belongs in nets, "
            "as parameters or buffers, and random numbers come from torch's default generator; what a module, a class or a game "
            "keeps elsewhere is in no checkpoint."
        )


def micro_batches_add_up(recipe: Recipe) -> None:
    """Two micro-batches give the gradients of the whole batch, unless something declares `couples_batch`."""
    coupled = dict.fromkeys(type(value).__name__ for value in pluggables(recipe) if value.couples_batch)
    if coupled:
        raise NotApplicable(f"the samples of a batch are coupled by {', '.join(coupled)}")
    whole = _gradients(recipe, StillGradients)
    if not all(gradient.isfinite().all() for _, gradients in whole.seen for gradient in gradients.values()):
        raise NotApplicable("its random numbers cannot be held still")
    why = (
        "A loss is a mean over the batch, and not a sum. What must mix the samples of a batch, or changes a net in every "
        "forward pass, says couples_batch = True."
    )
    _compare(whole, _gradients(evolve(recipe, accumulate=2), StillGradients), "as two micro-batches", why)


def is_finite_in_bf16(recipe: Recipe) -> None:
    """Three rounds under bf16 autocast."""
    played(evolve(recipe, precision="bf16"), 3, Engine)


def compiles(recipe: Recipe, backend: str = "aot_eager") -> None:
    """The compiled turns give the gradients of the eager ones."""
    why = "A loss must be a function of its arguments that torch.compile can trace."
    eager, compiled = _gradients(recipe, Gradients), _gradients(evolve(recipe, compile=backend), Gradients)
    _compare(eager, compiled, f"compiled with {backend}", why)


def sampling_leaves_training_alone(recipe: Recipe) -> None:
    """Rounds with samples drawn between them equal rounds without; drawn from the nets themselves, not from averages."""
    recipe = evolve(recipe, ema=None)
    without, between = played(recipe, 3, Engine), played(recipe, 0, Engine)
    for _ in range(3):
        fixed_samples(between, 8)
        play(between, 1)
    if different := differences(save_state(without)[0], save_state(between)[0]):
        raise Failed(f"Drawing samples between rounds changes the training: {', '.join(different[:3])} differ.")


def evaluates(evaluator: Evaluator, recipe: Recipe) -> None:
    """It returns a Result, the same twice, and training goes on as if it had not been there."""
    without, between = played(recipe, 3, Engine), played(recipe, 1, Engine)
    settings = torch_settings()
    with TemporaryDirectory(prefix="ganskit-") as folder, patch.dict(os.environ, GANSKIT_DATA=folder, GANSKIT_OFFLINE="1"):
        try:
            first, second = (measured(evaluator, _model(between)) for _ in range(2))
        except DataNotFound as error:
            raise NotApplicable("it needs weights that are not here") from error
        with suppress(UserError):  # the other one may be no model to measure
            _says_how(first, measured(evaluator, _model(without)))
    for name, now in torch_settings().items():
        if now != settings[name]:
            raise Failed(f"It leaves torch's {name} at {now}: it was {settings[name]}.")
    play(between, 2)
    if different := differences(save_state(without)[0], save_state(between)[0]):
        raise Failed(f"Evaluating between rounds changes the training: {', '.join(different[:3])} differ.")
    for name, value in first.numbers.items():
        if repr(float(value)) != repr(float(second.numbers.get(name, math.nan))):
            raise Failed(f"It gives other numbers the second time: {name} is {value} and then {second.numbers.get(name)}.")


def _says_how(one: Result, other: Result) -> None:
    """Two models that were measured alike have the same protocol: else no two runs could be compared."""
    said, and_said = (dict(leaves(each.protocol)) for each in (one, other))
    for key in said.keys() | and_said.keys():
        if key.rpartition(".")[2] not in OF_THE_MODEL and said.get(key) != and_said.get(key):
            raise Failed(
                f"Its protocol tells what was found: {key} is {said.get(key)} of one model and {and_said.get(key)} of another. "
                "A protocol says how one measures; what one finds goes into details."
            )


def deals(data: Dataset, fresh: bool = True) -> None:
    """Example i is a pure function of (options, i), and fits what the dataset says it provides."""
    try:
        source, again = data.open(), data.open()
    except DataNotFound as error:
        raise NotApplicable("it needs files that are not here") from error
    if not len(source) or source.fingerprint != again.fingerprint:
        raise Failed(f"It has {len(source)} examples and the fingerprint {source.fingerprint}, opened again {again.fingerprint}.")
    indices = sorted({0, len(source) // 2, len(source) - 1})
    promised = {key: (field.dtype, field.shape) for key, field in data.provides().items()}
    for index in indices:
        with suppress(Skip):
            found = {key: (str(array.dtype), array.shape) for key, array in source.read(index).items()}
            if found != promised:
                raise Failed(f"Example {index} is {found}, and provides() says {promised}.")
    one_by_one = [digest(source, [index]) for index in indices]
    if one_by_one != [digest(again, [index]) for index in reversed(indices)][::-1]:
        raise Failed("An example differs when it is read again, or in another order.")
    if fresh and digest(source, indices) != digest_elsewhere(data.open(), indices):
        raise Failed("An example differs in a fresh process: it must follow from the options and the index alone.")


def lists_without_torch(plugin: str | None = None) -> None:
    """Listing what is registered imports no torch, with this plugin (its entry point's name) or with all."""
    code = "import sys; from ganskit.plugins import registry; list(registry().entries()); sys.exit('torch' in sys.modules and 3)"
    environment = os.environ | ({} if plugin is None else {"GANSKIT_PLUGINS": plugin})
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    if done.returncode == 3:
        raise Failed("Listing imports torch. Register import strings, and import nothing heavy in the module of the entry point.")
    if done.returncode:
        raise Failed(f"Listing fails: {done.stderr.strip()[-300:]}")


def _model(engine: Engine) -> Model:
    nets = Nets({**engine.nets, **engine.averages})
    return Model(engine.recipe, copy.deepcopy(nets), engine.samples, engine.device)


def _gradients(recipe: Recipe, kind: type[Gradients]) -> Gradients:
    with forked_rng(torch.device("cpu")):
        return played(recipe, 1, kind)


def _compare(one: Gradients, other: Gradients, how: str, why: str) -> None:
    """Raise Failed when a gradient differs by more than a thousandth of its size.

    One that is zero but for rounding, such as that of a bias before a normalisation, is measured by the turn's largest.
    """
    for (player, expected), (_, found) in zip(one.seen, other.seen, strict=True):
        largest = max((float(gradient.abs().max()) for gradient in expected.values()), default=0.0)
        for name in expected.keys() | found.keys():
            a, b = (each.get(name, torch.zeros(())) for each in (expected, found))
            scale = max(float(a.abs().max()), 1e-3 * largest, 1e-8)
            error = float((a - b).abs().max()) / scale
            if not error <= TOLERANCE:
                raise Failed(f"In {player}'s turn the gradient of {name} differs by {error:.2g} of its size {how}. {why}")


def differences(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> list[str]:
    """Names of tensors that are not bitwise equal, or are in one only."""
    return [n for n in sorted(one.keys() | other.keys()) if n not in one or n not in other or not _same(one[n], other[n])]


def _same(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Equal, where NaN equals NaN."""
    return (a.shape, a.dtype) == (b.shape, b.dtype) and bool(torch.isclose(a, b, rtol=0, atol=0, equal_nan=True).all())
