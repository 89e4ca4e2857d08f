"""What a plugin must not do, each in one small class, for the tests of the conformance kit."""

from __future__ import annotations

import random

import numpy as np
import torch
from attrs import field, frozen
from torch import nn

from ganskit import Architecture, Dataset, Evaluator, Field, Loss, NonSaturating, Player, Result, Shape, TwoPlayer, View
from ganskit.data import Skip
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
class HalfMoves(TwoPlayer):
    """Q belongs to G and is in no loss."""

    def players(self):
        return super().players() | {"G": Player(("G", "Q"), self.G_opt)}

    def shapes(self, provides):
        return super().shapes(provides) | {"Q": Shape(provides["x"].shape, (1,))}


@frozen
class IsNaN(TwoPlayer):
    def d_loss(self, nets, b):
        return super().d_loss(nets, b) | {"fake": nets.D(b.x).mean() * float("nan")}


@frozen
class NoMean(TwoPlayer):
    def d_loss(self, nets, b):
        return super().d_loss(nets, b) | {"fake": nets.D(b.x)}


@frozen
class Consensus(TwoPlayer):
    """Honest: Mescheder 2017 adds the norm of a player's own gradient."""

    def d_loss(self, nets, b):
        parts = super().d_loss(nets, b)
        gradients = torch.autograd.grad(sum(parts.values()), list(nets["D"].parameters()), create_graph=True)
        return parts | {"norm": sum((g**2).sum() for g in gradients)}

    couples_batch = True


@frozen
class Labelled(TwoPlayer):
    """Honest: both nets are called with a label as well."""

    def needs(self):
        return ("x", "y")

    def generate(self, nets, b):
        return nets.G(b.z, b.y if "y" in b else None)

    def judge(self, nets, x, b):
        return nets.D(x, b.y).float()


@frozen
class Seeded(TwoPlayer):
    """Honest: a generator of its own that begins anew each time is a constant."""

    def d_loss(self, nets, b):
        weight = torch.rand((), generator=torch.Generator().manual_seed(5))
        return {name: part * weight for name, part in super().d_loss(nets, b).items()}


@frozen
class FirstBatch(View):
    """Subtracts the mean of the first batch that it ever saw, which it keeps."""

    seen: dict = field(factory=dict, init=False, eq=False)

    def __call__(self, nets, x, b):
        return x - self.seen.setdefault("mean", x.detach().mean(0))


class Counter(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.linear = nn.Linear(shape.input[0], int(np.prod(shape.output)))
        self.register_buffer("count", torch.zeros(()))
        self.shape = shape.output

    def forward(self, z):
        self.count += 1
        return (self.linear(z) * (1 + 0.1 * self.count)).unflatten(1, self.shape)


@frozen
class Counting(Architecture):
    def build(self, shape):
        if len(shape.input) != 1:
            raise ValueError("a generator")
        return Counter(shape)


@frozen
class InstanceNormed(Architecture):
    """Honest: the bias before the normalisation has no gradient but for rounding."""

    def build(self, shape):
        if len(shape.input) != 3:
            raise ValueError("a discriminator")
        conv = nn.Conv2d(3, 8, 3)
        return nn.Sequential(conv, nn.InstanceNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 1))


@frozen
class Explodes(Architecture):
    def build(self, shape):
        raise RuntimeError("boom")


@frozen
class KnowsTheCompiler(NonSaturating):
    def generator(self, fake, real=None):
        return {"fake": fake.mean() * (2.0 if torch.compiler.is_compiling() else -1.0)}


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
class Scalar(Loss):
    """Honest: one number instead of named parts."""

    def discriminator(self, real, fake):
        return (fake - real).mean()

    def generator(self, fake, real=None):
        return -fake.mean()


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
class NoType(Loss):
    weight = field(default=1.0)


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


memory: dict[int, int] = {}


class RememberingSource:
    """What is read first gets the first value, in each process."""

    fingerprint = "memory"

    def __len__(self):
        return 3

    def read(self, index):
        return {"x": np.full((3, 8, 8), memory.setdefault(index, random.SystemRandom().randrange(256)), np.uint8)}


@frozen
class Remembers(Dataset):
    def provides(self):
        return TinyData().provides()

    def open(self):
        return RememberingSource()


class OpeningSource:
    """Opens a file when it is read, as the contract asks, and keeps it open."""

    fingerprint = "opens"
    file = None

    def __len__(self):
        return 3

    def read(self, index):
        if index == 1:
            raise Skip("not this one")
        self.file = self.file or open(__file__, "rb")  # noqa: SIM115 - stays open
        return {"x": np.full((3, 8, 8), index, np.uint8)}

    def __del__(self):
        if self.file:
            self.file.close()


@frozen
class Opens(Dataset):
    def provides(self):
        return TinyData().provides()

    def open(self):
        return OpeningSource()


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
class TellsWhatItFound(Evaluator):
    def evaluate(self, model):
        found = float(model.sample(2).mean())
        return Result({"mean": found}, {"num": 2, "about": {"mean": found}} | model.identity)


@frozen
class TurnsGradientsOff(Evaluator):
    def evaluate(self, model):
        torch.set_grad_enabled(False)
        return Result({"one": 1.0})


@frozen
class HooksEverything(Evaluator):
    def evaluate(self, model):
        nn.modules.module.register_module_forward_hook(lambda module, x, y: y * 1.01)
        return Result({"one": 1.0})


@frozen
class Plain(Evaluator):
    """Honest: numbers only, one of them infinite."""

    def evaluate(self, model):
        return Result({"one": np.float32(1.0), "worst": float("inf")})


@frozen
class Unwritable(Evaluator):
    def evaluate(self, model):
        return Result({"one": 1.0}, {"net": model.nets})


@frozen
class ReturnsText(Evaluator):
    def evaluate(self, model):
        return Result({"one": "1"})


@frozen
class ReturnsNothing(Evaluator):
    def evaluate(self, model):
        return Result({})


@frozen
class ReturnsADict(Evaluator):
    def evaluate(self, model):
        return {"one": 1.0}


@frozen
class ClimbsUp(Evaluator):
    def evaluate(self, model):
        return Result({}, {}, {"../../up": torch.zeros(1, 3, 8, 8)})


@frozen
class ShowsNothing(Evaluator):
    def evaluate(self, model):
        return Result({}, {}, {"empty": torch.zeros(0, 3, 8, 8)})


ODD_RESULTS = {
    "Unwritable": "The protocol of Unwritable.evaluate cannot be written as JSON",
    "ReturnsText": "returned '1' as the number \"one\": expected a float",
    "ReturnsNothing": "neither numbers nor pictures",
    "ReturnsADict": "returned dict, and not a ganskit.Result",
    "ClimbsUp": 'a picture named "../../up"',
    "ShowsNothing": 'the picture "empty" of shape',
}
