"""What a plugin must not do, each in one small class, for the tests of the conformance kit."""

from __future__ import annotations

import random

import numpy as np
import torch
from attrs import field, frozen

from ganskit import Dataset, Evaluator, Field, Loss, NonSaturating, Result, TwoPlayer
from ganskit.testing import TinyData

calls = 0
generator = torch.Generator()


def count() -> int:
    global calls
    calls += 1
    return calls


@frozen
class MovesTheOther(TwoPlayer):
    """In D's turn, after the step, G moves as well."""

    def turns(self, stage):
        d, g = super().turns(stage)
        return (type(d)(d.player, d.loss, after=lambda nets: next(nets["G"].parameters()).mul_(0.9)), g)


@frozen
class MovesWhileComputing(TwoPlayer):
    def d_loss(self, nets, b):
        with torch.no_grad():
            next(nets["G"].parameters()).add_(0.01)
        return super().d_loss(nets, b)


@frozen
class LeavesGBehind(TwoPlayer):
    def turns(self, stage):
        return super().turns(stage)[:1]


@frozen
class Counts(TwoPlayer):
    """Its loss depends on how often it was computed."""

    def g_loss(self, nets, b):
        return {name: part * (1 + 0.1 * count()) for name, part in super().g_loss(nets, b).items()}


@frozen
class CountsSlowly(TwoPlayer):
    """Hidden state that two calls in a row do not show."""

    def g_loss(self, nets, b):
        factor = 1 + 0.1 * (count() // 7)
        return {name: part * factor for name, part in super().g_loss(nets, b).items()}


@frozen
class OwnGenerator(TwoPlayer):
    def d_loss(self, nets, b):
        noise = torch.rand(b.x.shape, generator=generator)
        b.tensors["x"] = b.x + 0.1 * noise
        return super().d_loss(nets, b)


@frozen
class PythonsRandom(TwoPlayer):
    def d_loss(self, nets, b):
        return {name: part * random.random() for name, part in super().d_loss(nets, b).items()}


@frozen
class NumpysRandom(TwoPlayer):
    def d_loss(self, nets, b):
        return {name: part * np.random.rand() for name, part in super().d_loss(nets, b).items()}


@frozen
class Overflows(NonSaturating):
    def generator(self, fake, real=None):
        return {"fake": (fake * 1e30).exp().mean()}


@frozen
class Couples(Loss):
    """Relative to the batch's mean, and says nothing of it."""

    def discriminator(self, real, fake):
        return {"real": ((real - fake.mean()) ** 2).mean(), "fake": ((fake - real.mean()) ** 2).mean()}

    def generator(self, fake, real=None):
        return {"fake": (fake - fake.mean()).square().mean() - fake.mean()}


@frozen
class SaysThatItCouples(Couples):
    couples_batch = True


@frozen
class Draws(NonSaturating):
    """Honest: random numbers from torch's default generator, one for each sample."""

    def discriminator(self, real, fake):
        return {"real": (real * torch.rand_like(real)).mean(), "fake": fake.square().mean()}


@frozen
class MutableDefault(Loss):
    betas: list[float] = field(factory=lambda: [0.5, 0.9])


@frozen
class OddDefault(Loss):
    shape: complex = 1j


@frozen
class WrongDefault(Loss):
    weight: int = 0.5


@frozen
class UnknownType(Loss):
    weight: Nothing = 1  # noqa: F821 - the fault


class NotFrozen(Loss):
    pass


@frozen
class ImpureData(Dataset):
    """Example i depends on what was read before."""

    def provides(self):
        return TinyData().provides()

    def open(self):
        source = TinyData().open()
        source.read = lambda index: {"x": np.full((3, 8, 8), count() % 256, np.uint8)}
        return source


@frozen
class WrongShape(Dataset):
    def provides(self):
        return {"x": Field((3, 9, 9), pixels=True)}

    def open(self):
        return TinyData().open()


@frozen
class Honest(Evaluator):
    num: int = 8

    def evaluate(self, model):
        x = model.sample(self.num)
        real = model.real(self.num)["x"]
        return Result({"distance": float((x - real).abs().mean())}, {"num": self.num}, {"samples": x})


@frozen
class Fickle(Evaluator):
    def evaluate(self, model):
        return Result({"luck": count()})


@frozen
class TurnsGradientsOff(Evaluator):
    def evaluate(self, model):
        torch.set_grad_enabled(False)
        return Result({"one": 1.0})


@frozen
class Unwritable(Evaluator):
    def evaluate(self, model):
        return Result({"one": 1.0}, {"net": model.nets})
