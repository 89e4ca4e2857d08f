"""Optimisers as values: what a recipe says of them. The engine builds and steps them."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from attrs import field, frozen

from ganskit.errors import UserError
from ganskit.registry import Pluggable
from ganskit.validators import fraction, not_negative, positive

NamedParameters = Iterable[tuple[str, torch.nn.Parameter]]


@frozen
class Decay:
    """A learning rate that falls linearly, from its full value at `start` to `final` times it at `stop` (real samples dealt)."""

    start: int
    stop: int
    final: float = 0.0

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.start < self.stop:
            raise UserError(f"A schedule from {self.start} to {self.stop}: expected 0 <= start < stop, in real samples dealt.")

    def factor(self, samples: int) -> float:
        """What the learning rate is multiplied by. A pure function of the clock, so nothing of it needs saving."""
        done = (samples - self.start) / (self.stop - self.start)
        return 1.0 + (self.final - 1.0) * min(max(done, 0.0), 1.0)


@frozen(kw_only=True)
class Optimizer(Pluggable):
    """`clip_norm` bounds the norm of the whole gradient before the step. `weight_decay` is added to the gradient (L2)."""

    lr: float = field(default=2e-4, validator=positive)
    weight_decay: float = field(default=0.0, validator=not_negative)
    clip_norm: float | None = field(default=None, validator=positive)
    schedule: Decay | None = None

    def build(self, parameters: NamedParameters) -> torch.optim.Optimizer:
        """The torch optimiser, with fused kernels where torch has them."""
        raise NotImplementedError

    def lr_at(self, samples: int) -> float:
        """The learning rate once `samples` real samples have been dealt."""
        return self.lr * (self.schedule.factor(samples) if self.schedule else 1.0)


@frozen(kw_only=True)
class Adam(Optimizer):
    """Kingma & Ba 2015. Defaults: Radford 2016, section 4.

    "the suggested learning rate of 0.001, to be too high, using 0.0002 instead. Additionally, we found leaving the
    momentum term beta1 at the suggested value of 0.9 resulted in training oscillation and instability while reducing
    it to 0.5 helped stabilize training."
    """

    beta1: float = field(default=0.5, validator=fraction)
    beta2: float = field(default=0.999, validator=fraction)
    eps: float = field(default=1e-8, validator=positive)

    def build(self, parameters: NamedParameters) -> torch.optim.Optimizer:
        """torch.optim.Adam with L2 in the gradient."""
        betas = (self.beta1, self.beta2)
        return torch.optim.Adam(parameters, self.lr, betas, self.eps, self.weight_decay, fused=True)


@frozen(kw_only=True)
class SGD(Optimizer):
    """Stochastic gradient descent; `momentum` as in torch (not Nesterov's)."""

    momentum: float = field(default=0.0, validator=not_negative)

    def build(self, parameters: NamedParameters) -> torch.optim.Optimizer:
        """torch.optim.SGD."""
        return torch.optim.SGD(parameters, self.lr, self.momentum, weight_decay=self.weight_decay, fused=True)


@frozen(kw_only=True)
class RMSprop(Optimizer):
    """Tieleman & Hinton 2012, in torch's form (`alpha` is the decay of the mean square)."""

    alpha: float = field(default=0.99, validator=fraction)
    eps: float = field(default=1e-8, validator=positive)

    def build(self, parameters: NamedParameters) -> torch.optim.Optimizer:
        """torch.optim.RMSprop, which has no fused kernel."""
        return torch.optim.RMSprop(parameters, self.lr, self.alpha, self.eps, self.weight_decay)
