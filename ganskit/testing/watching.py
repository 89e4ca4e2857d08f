"""An engine that watches the turns while it plays them, and says what a game does that it must not."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from attrs import evolve
from torch.overrides import TorchFunctionMode

from ganskit.engine.accelerate import evaluate, off_the_record
from ganskit.engine.device import autocast
from ganskit.engine.engine import NEVER, Engine
from ganskit.game import Batch, Nets, Turn
from ganskit.losses import Parts
from ganskit.recipe import Recipe
from ganskit.testing.tiny import dealer


class Failed(AssertionError):
    """An entry breaks the contract; the text says how."""


class NotApplicable(Exception):
    """A check that says nothing about this entry; the text says why."""


NOT_RESUMED = "which no resume brings back. Draw from torch's default generator, which the engine seeds in each round."

Weights = dict[str, dict[str, torch.Tensor]]


def engine_of(recipe: Recipe, kind: type[Engine] = Engine) -> Engine:
    """An engine for the recipe on the CPU, with data straight from their source."""
    return kind(recipe, recipe.data.provides(), dealer(recipe.data))


def played(recipe: Recipe, rounds: int, kind: type[Engine] = Engine) -> Engine:
    """The engine after so many rounds. Raises Failed for a loss or gradient that is not finite."""
    engine = engine_of(recipe, kind)
    play(engine, rounds)
    return engine


def play(engine: Engine, rounds: int) -> None:
    """So many rounds more. Raises Failed for a loss or gradient that is not finite."""
    for _ in range(rounds):
        engine.play_round()
    if int(engine.nonfinite_round) != NEVER:
        losses = ", ".join(f"{name} = {float(loss):.4g}" for name, loss in engine.losses.items())
        raise Failed(
            f"The loss or a gradient is not finite in round {int(engine.nonfinite_round)} in {engine.precision}: {losses}."
        )


class Watched(Engine):
    """Raises Failed when a turn moves another player's nets, or when its loss is no function of nets, batch and seed."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - the engine's
        super().__init__(*args, **options)
        self.moved: set[str] = set()
        self._after_last_move = copied(self.nets)

    def move(self, turn: Turn, index: int, batches: list[Batch]) -> None:
        """The turn, between two looks at all weights."""
        before = copied(self.nets)
        if stirred := changed(self._after_last_move, before):
            raise Failed(f"The net {stirred} changed between turns: only a turn of its player may move it.")
        self._play_twice(turn, batches[0])
        super().move(turn, index, batches)
        self._after_last_move = copied(self.nets)
        own = self.players[turn.player].nets
        for net in before:
            if not changed({net: before[net]}, {net: self._after_last_move[net]}):
                continue
            if net not in own:
                raise Failed(f"{turn.player}'s turn moved the net {net}, which is not {turn.player}'s: it has {', '.join(own)}.")
            self.moved.add(turn.player)

    def _play_twice(self, turn: Turn, b: Batch) -> None:
        """The same nets, batch and seed must give the same loss, bit by bit."""
        python, numpy, before = random.getstate(), _numpy_state(), copied(self.nets)
        first, second = self._evaluated(turn, b), self._evaluated(turn, b)
        if stirred := changed(before, copied(self.nets)):
            raise Failed(f"Computing {turn.player}'s loss changed the weights of {stirred}: a loss computes, the engine moves.")
        for module, same in (("Python's random", python == random.getstate()), ("numpy.random", numpy == _numpy_state())):
            if not same:
                raise Failed(f"{turn.player}'s turn draws from {module}, {NOT_RESUMED}")
        for name, value in first.items():
            if not torch.equal(value, second[name]):
                raise Failed(
                    f"{turn.player}'s loss ({name}) was {float(value):.6g} and then {float(second[name]):.6g} for the same nets, "
                    "batch and seed. It keeps state in Python, or draws random numbers from elsewhere than torch's default "
                    "generator; neither comes back on resume. State belongs in nets, as buffers."
                )

    def _evaluated(self, turn: Turn, b: Batch) -> Parts:
        with off_the_record(self.nets), autocast(self.precision, self.device), OwnGenerators(turn.player):
            torch.manual_seed(0)
            return {name: part.detach().clone() for name, part in evaluate(turn, self.nets, Batch(b.tensors, b.stage))[1].items()}


class OwnGenerators(TorchFunctionMode):
    """Raises Failed when anything draws from a generator that is not torch's default."""

    def __init__(self, player: str) -> None:
        super().__init__()
        self.player = player

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401 - torch's signature
        kwargs = kwargs or {}
        if kwargs.get("generator") is not None:
            raise Failed(f"{self.player}'s turn draws from a torch.Generator of its own (generator=...), {NOT_RESUMED}")
        return func(*args, **kwargs)


class Gradients(Engine):
    """Computes the gradients of every turn of a round, and steps none: what different ways of computing can be compared by.

    `still` keeps random draws inside a loss at one value, so that a batch and its micro-batches see the same.
    """

    def __init__(self, *args: Any, still: bool = False, **options: Any) -> None:  # noqa: ANN401 - the engine's
        super().__init__(*args, **options)
        self.still = still
        self.seen: list[tuple[str, dict[str, torch.Tensor]]] = []

    def move(self, turn: Turn, index: int, batches: list[Batch]) -> None:
        """The turn without its step."""
        super().move(evolve(turn, loss=_held_still(turn.loss), after=None) if self.still else turn, index, batches)

    def _step(self, turn: Turn, parameters: list[torch.nn.Parameter], loss: torch.Tensor) -> None:
        owned = self.owned[turn.player].items()
        self.seen.append((turn.player, {name: p.grad.clone() for name, p in owned if p.grad is not None}))


def _held_still(loss: Callable[[Nets, Batch], Any]) -> Callable[[Nets, Batch], Any]:
    def held(nets: Nets, b: Batch) -> Any:  # noqa: ANN401 - what the loss returns
        before = torch.get_rng_state()
        with Still():
            result = loss(nets, b)
        if not torch.equal(before, torch.get_rng_state()):
            raise NotApplicable("it draws random numbers that cannot be held still")
        return result

    return held


class Still(TorchFunctionMode):
    """Every random draw of a batch gives the same value, whatever the batch's size."""

    UNIFORM = ("rand", "rand_like", "randn", "randn_like", "normal", "uniform_", "normal_")
    BITS = ("bernoulli", "bernoulli_")
    WHOLE = ("randint", "randint_like", "random_")

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401 - torch's signature
        name = getattr(func, "__name__", "")
        known = name in self.UNIFORM + self.BITS + self.WHOLE
        if not known:
            return func(*args, **(kwargs or {}))
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            drawn = func(*args, **(kwargs or {}))
            if name in self.UNIFORM:
                return drawn.fill_(0.37)
            return drawn.fill_(1) if name in self.BITS else drawn.fill_(drawn.flatten()[0] * 0)


def _numpy_state() -> tuple[bytes, int]:
    state = np.random.get_state(legacy=False)["state"]
    return state["key"].tobytes(), state["pos"]


def copied(nets: Nets) -> Weights:
    """All parameters, by net and name."""
    return {name: {path: p.detach().clone() for path, p in net.named_parameters()} for name, net in nets.items()}


def changed(before: Weights, after: Weights) -> str:
    """The first net whose parameters differ, or ""."""
    for net, parameters in before.items():
        if any(not torch.equal(p, after[net][path]) for path, p in parameters.items()):
            return net
    return ""


def differences(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> list[str]:
    """Names of tensors that are not bitwise equal, or are in one only."""
    return [n for n in sorted(one.keys() | other.keys()) if n not in one or n not in other or not torch.equal(one[n], other[n])]
