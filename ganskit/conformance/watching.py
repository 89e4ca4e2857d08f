"""An engine that watches the turns while it plays them, and says what a game does that it must not."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import torch
from attrs import evolve
from torch.overrides import TorchFunctionMode

from ganskit.conformance.tiny import dealer
from ganskit.engine.accelerate import checked_parts, off_the_record
from ganskit.engine.device import autocast
from ganskit.engine.engine import NEVER, Engine
from ganskit.game import Batch, Nets, Turn
from ganskit.losses import Parts
from ganskit.recipe import Recipe


class Failed(AssertionError):
    """An entry breaks the contract; the text says how."""


class NotApplicable(Exception):
    """A check that says nothing about this entry; the text says why."""


NOT_RESUMED = "which no resume brings back. Draw from torch's default generator, which the engine seeds in each round."

Weights = dict[str, dict[str, torch.Tensor]]
AnEngine = TypeVar("AnEngine", bound=Engine)


def played(recipe: Recipe, rounds: int, kind: Callable[..., AnEngine]) -> AnEngine:
    """An engine after so many rounds on the CPU, with data straight from their source. Raises Failed as `play` does."""
    engine = kind(recipe, recipe.data.provides(), dealer(recipe.data))
    play(engine, rounds)
    return engine


def play(engine: Engine, rounds: int) -> None:
    """So many rounds more. Raises Failed for a loss or gradient that is not finite."""
    for _ in range(rounds):
        engine.play_round()
    if int(engine.nonfinite_round) != NEVER:
        losses = ", ".join(f"{name} = {float(loss):.4g}" for name, loss in engine.losses.items())
        number = int(engine.nonfinite_round)
        raise Failed(f"The loss or a gradient is not finite in round {number} in {engine.precision}: {losses}.")


class Watched(Engine):
    """Raises Failed when a turn moves another player's nets, or when its loss is no function of nets, batch and seed."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - the engine's
        super().__init__(*args, **options)
        self.moved: set[str] = set()

    def move(self, turn: Turn, index: int, batches: list[Batch]) -> None:
        """The turn, between two looks at all weights."""
        self.freeze_all_but(turn.player)
        self._play_twice(turn, batches[0])
        before = copied(self.nets)
        super().move(turn, index, batches)
        own = self.players[turn.player].nets
        owned = {net for player in self.players.values() for net in player.nets}
        for net in changed(before, copied(self.nets)):
            if net in owned and net not in own:
                raise Failed(f"{turn.player}'s turn moved the net {net}, which is not {turn.player}'s: it has {', '.join(own)}.")
            self.moved.add(net)

    def _play_twice(self, turn: Turn, b: Batch) -> None:
        """The same nets, batch and seed must give the same loss, bit by bit."""
        python, numpy, before = random.getstate(), _numpy_state(), copied(self.nets)
        generators = OwnGenerators()
        with generators:
            first, second = self._evaluated(turn, b), self._evaluated(turn, b)
        if stirred := changed(before, copied(self.nets)):
            raise Failed(
                f"Computing {turn.player}'s loss changed the weights of {stirred[0]}: a loss computes, the engine moves."
            )
        for module, same in (("Python's random", python == random.getstate()), ("numpy.random", numpy == _numpy_state())):
            if not same:
                raise Failed(f"{turn.player}'s turn draws from {module}, {NOT_RESUMED}")
        for name, value in first.items():
            if not value.isfinite():
                raise Failed(f"{turn.player}'s loss ({name}) is {float(value)} in round {self.round} in {self.precision}.")
            if torch.equal(value, second[name]):
                continue
            if generators.found:
                raise Failed(f"{turn.player}'s turn draws from a torch.Generator of its own (generator=...), {NOT_RESUMED}")
            raise Failed(
                f"{turn.player}'s loss ({name}) was {float(value):.6g} and then {float(second[name]):.6g} for the same nets, "
                "batch and seed. It keeps state in Python, or draws random numbers from elsewhere than torch's default "
                "generator; neither comes back on resume. State belongs in nets, as buffers."
            )

    def _evaluated(self, turn: Turn, b: Batch) -> Parts:
        with off_the_record(self.nets), autocast(self.precision, self.device):
            torch.manual_seed(0)
            parts = checked_parts(turn, self.nets, Batch(b.tensors, b.stage))
            return {name: part.detach().clone() for name, part in parts.items()}


class OwnGenerators(TorchFunctionMode):
    """Sees whether anything draws from a generator that is not torch's default."""

    found = False

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401 - torch's signature
        kwargs = kwargs or {}
        if kwargs.get("generator") is not None:
            self.found = True
        return func(*args, **kwargs)


class Gradients(Engine):
    """Computes the gradients of every turn of a round, and steps none: what different ways of computing can be compared by."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - the engine's
        super().__init__(*args, **options)
        self.seen: list[tuple[str, dict[str, torch.Tensor]]] = []

    def _step(self, turn: Turn, parameters: list[torch.nn.Parameter], loss: torch.Tensor) -> None:
        owned = self.owned[turn.player].items()
        self.seen.append((turn.player, {name: p.grad.clone() for name, p in owned if p.grad is not None}))


class StillGradients(Gradients):
    """The same with random draws inside a loss held still, so that a batch and its micro-batches see the same."""

    def move(self, turn: Turn, index: int, batches: list[Batch]) -> None:
        """The turn with its loss held still."""
        super().move(evolve(turn, loss=_held_still(turn.loss)), index, batches)


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
    """Every sample of a batch gets the same random numbers, whatever the batch's size."""

    REAL = ("rand", "rand_like", "randn", "randn_like", "normal", "uniform_", "normal_")
    BITS = ("bernoulli", "bernoulli_")
    WHOLE = ("randint", "randint_like", "random_")

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401 - torch's signature
        name, kwargs = getattr(func, "__name__", ""), kwargs or {}
        if name not in self.REAL + self.BITS + self.WHOLE:
            return func(*args, **kwargs)
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            drawn = func(*args, **kwargs)
            if name in self.REAL:
                of_one = drawn.shape[1:]
                return drawn.copy_(torch.linspace(0.1, 0.9, max(1, of_one.numel())).reshape(of_one))
            whole = [arg for arg in args if isinstance(arg, int)]
            return drawn.fill_(1 if name in self.BITS else kwargs.get("low", whole[0] if len(whole) > 1 else 0))


def _numpy_state() -> tuple[bytes, int]:
    state = np.random.get_state(legacy=False)["state"]
    return state["key"].tobytes(), state["pos"]


def copied(nets: Nets) -> Weights:
    """All parameters, by net and name."""
    return {name: {path: p.detach().clone() for path, p in net.named_parameters()} for name, net in nets.items()}


def changed(before: Weights, after: Weights) -> list[str]:
    """The nets whose parameters differ."""
    return [net for net in before if any(not torch.equal(p, after[net][path]) for path, p in before[net].items())]
