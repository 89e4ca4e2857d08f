"""What every entry must do: each check takes a tiny recipe, raises Failed with what is wrong, and returns nothing."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from tempfile import TemporaryDirectory
from unittest.mock import patch

import torch
from attrs import evolve

from ganskit.data.dataset import Dataset
from ganskit.engine.device import forked_rng
from ganskit.engine.engine import Engine
from ganskit.engine.state import save_state
from ganskit.engine.training import fixed_samples
from ganskit.errors import DataNotFound
from ganskit.evaluate.evaluation import measured
from ganskit.evaluate.evaluator import Evaluator
from ganskit.evaluate.model import Model
from ganskit.game import Nets
from ganskit.pictures import is_pictures
from ganskit.recipe import Recipe, pluggables
from ganskit.testing.elsewhere import digest, digest_elsewhere, go_on_elsewhere
from ganskit.testing.watching import Failed, Gradients, NotApplicable, Watched, differences, engine_of, play, played


def plays(recipe: Recipe, rounds: int = 3) -> None:
    """Three rounds: finite, each player moves and nobody else, and each loss is a function of nets, batch and seed."""
    engine = played(recipe, rounds, Watched)
    assert isinstance(engine, Watched)
    for player in engine.players:
        if player not in engine.moved:
            raise Failed(f"{player} did not move in {rounds} rounds: its loss does not depend on its nets, or it has no turn.")


def resumes(recipe: Recipe, rounds: int = 2) -> None:
    """N rounds and N more in a fresh process equal 2N, bit by bit."""
    whole, half = played(recipe, 2 * rounds), played(recipe, rounds)
    there = go_on_elsewhere(recipe, half, rounds)
    if different := differences(save_state(whole)[0], there):
        raise Failed(
            f"After a resume in a fresh process {len(different)} tensors differ, such as {different[0]}. State belongs in nets, "
            "as parameters or buffers, and random numbers come from torch's default generator; what a module, a class or a game "
            "keeps elsewhere is in no checkpoint."
        )


def micro_batches_add_up(recipe: Recipe) -> None:
    """Two micro-batches give the gradients of the whole batch, unless something declares `couples_batch`."""
    coupled = [type(value).__name__ for value in pluggables(recipe) if value.couples_batch]
    if coupled:
        raise NotApplicable(f"{', '.join(coupled)} couples the samples of a batch")
    whole = _gradients(recipe, still=True)
    _compare(
        whole,
        _gradients(evolve(recipe, accumulate=2), still=True),
        1e-3,
        "as two micro-batches",
        "Something mixes the samples of a batch: it should say couples_batch = True.",
    )


def is_finite_in_bf16(recipe: Recipe) -> None:
    """Three rounds under bf16 autocast."""
    played(evolve(recipe, precision="bf16"), 3)


def compiles(recipe: Recipe, backend: str = "aot_eager") -> None:
    """The compiled turns give the gradients of the eager ones."""
    why = "A loss must be a function of its arguments that torch.compile can trace."
    _compare(_gradients(recipe), _gradients(evolve(recipe, compile=backend)), 1e-3, f"compiled with {backend}", why)


def sampling_leaves_training_alone(recipe: Recipe) -> None:
    """Rounds with samples drawn between them equal rounds without."""
    without, between = played(recipe, 3), engine_of(recipe)
    for _ in range(3):
        fixed_samples(between, 8)
        play(between, 1)
    if different := differences(save_state(without)[0], save_state(between)[0]):
        raise Failed(f"Drawing samples between rounds changes the training: {', '.join(different[:3])} differ.")


def evaluates(evaluator: Evaluator, recipe: Recipe) -> None:
    """It returns numbers, a protocol and pictures; the same ones twice; and training goes on as if it had not been there."""
    without, between = played(recipe, 3), played(recipe, 1)
    threads, dtype, gradients = torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled()
    with TemporaryDirectory(prefix="ganskit-") as folder, patch.dict(os.environ, {"GANSKIT_DATA": folder}):  # for model.real
        results = [measured(evaluator, _model(between)) for _ in range(2)]
    if (threads, dtype, gradients) != (torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled()):
        raise Failed("It leaves torch's threads, default dtype or grad mode other than they were.")
    play(between, 2)
    if different := differences(save_state(without)[0], save_state(between)[0]):
        raise Failed(f"Evaluating between rounds changes the training: {', '.join(different[:3])} differ.")
    first = results[0]
    numbers = [{name: repr(float(value)) for name, value in result.numbers.items()} for result in results]
    if not first.numbers and not first.pictures:
        raise Failed("It returns neither numbers nor pictures.")
    if numbers[0] != numbers[1]:
        raise Failed(f"It gives other numbers the second time: {numbers[0]} and {numbers[1]}.")
    try:
        json.dumps(dict(first.protocol))
    except (TypeError, ValueError) as error:
        raise Failed(f"Its protocol cannot be written as JSON: {error}.") from error
    for name, x in first.pictures.items():
        if not is_pictures(x):
            raise Failed(f'Its picture "{name}" is {tuple(x.shape)}: expected (N, 1 or 3, H, W).')


def deals(data: Dataset, fresh: bool = True) -> None:
    """Example i is a pure function of (options, i), and fits what the dataset says it provides."""
    try:
        source, again = data.open(), data.open()
    except DataNotFound as error:
        raise NotApplicable("it needs files that are not here") from error
    if not len(source) or source.fingerprint != again.fingerprint:
        raise Failed(f"It has {len(source)} examples and the fingerprint {source.fingerprint}, opened again {again.fingerprint}.")
    indices = sorted({0, len(source) // 2, len(source) - 1})
    provides = data.provides()
    for index in indices:
        example = source.read(index)
        found = {key: (str(array.dtype), array.shape) for key, array in example.items()}
        promised = {key: (field.dtype, field.shape) for key, field in provides.items()}
        if found != promised:
            raise Failed(f"Example {index} is {found}, and provides() says {promised}.")
    one_by_one = [digest(source, [index]) for index in indices]
    if one_by_one != [digest(again, [index]) for index in reversed(indices)][::-1]:
        raise Failed("An example differs when it is read again, or in another order.")
    if fresh and digest(source, indices) != digest_elsewhere(source, indices):
        raise Failed("An example differs in a fresh process: it must follow from the options and the index alone.")


def lists_without_torch() -> None:
    """Listing what is registered imports no torch."""
    code = "import sys; from ganskit.plugins import registry; list(registry().entries()); sys.exit('torch' in sys.modules and 3)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode == 3:
        raise Failed("Listing imports torch. Register import strings, and import nothing heavy in the module of the entry point.")
    if done.returncode:
        raise Failed(f"Listing fails: {done.stderr.strip().splitlines()[-1]}")


def _model(engine: Engine) -> Model:
    nets = Nets({**engine.nets, **engine.averages})
    return Model(engine.recipe, copy.deepcopy(nets), engine.samples, engine.device)


def _gradients(recipe: Recipe, still: bool = False) -> Gradients:
    with forked_rng(torch.device("cpu")):
        engine = Gradients(recipe, recipe.data.provides(), engine_of(recipe).deal, still=still)
        play(engine, 1)
    return engine


def _compare(one: Gradients, other: Gradients, tolerance: float, how: str, why: str) -> None:
    """Raise Failed when a gradient differs by more than `tolerance` of its largest value."""
    for (player, expected), (_, found) in zip(one.seen, other.seen, strict=True):
        for name, gradient in expected.items():
            scale = max(float(gradient.abs().max()), 1e-6)
            error = float((gradient - found[name]).abs().max()) / scale
            if not error <= tolerance:
                raise Failed(f"In {player}'s turn the gradient of {name} differs by {error:.2g} of its size {how}. {why}")
