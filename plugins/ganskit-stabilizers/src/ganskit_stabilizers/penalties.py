"""Penalties on the gradient of the discriminator with respect to its input. They are differentiated twice."""

from __future__ import annotations

from collections.abc import Callable

import torch
from attrs import field, frozen

from ganskit import Batch, Nets, Penalty
from ganskit.validators import not_negative

Judge = Callable[[torch.Tensor], torch.Tensor]


def gradient(judge: Judge, x: torch.Tensor) -> torch.Tensor:
    """The gradient of D at every sample, x (N, ...) -> (N, F); itself differentiable.

    The sum over the batch is differentiated at once: without batch normalisation a logit depends on its own sample only.
    """
    x = x.detach().requires_grad_()
    (grad,) = torch.autograd.grad(judge(x).sum(), x, create_graph=True)
    return grad.flatten(1)


@frozen
class GradientPenalty(Penalty):
    """Gulrajani 2017, eq. 3: weight * E[(||grad D(x_hat)|| - target)^2].

    "We implicitly define P_x_hat sampling uniformly along straight lines between pairs of points sampled from the data
    distribution P_r and the generator distribution P_g." "All experiments in this paper use lambda = 10". The
    discriminator must be one without batch normalisation, "since we penalize the norm of the critic's gradient with
    respect to each input independently, and not the entire batch" (all in section 4).
    """

    weight: float = field(default=10.0, validator=not_negative)
    target: float = field(default=1.0, validator=not_negative)

    def __call__(self, player: str, nets: Nets, b: Batch, judge: Judge, fake: torch.Tensor) -> torch.Tensor | None:
        """The term in D's turn."""
        if player != "D":
            return None
        x, x_tilde = b.x, fake.detach()
        eps = torch.rand(len(x), *[1] * (x.ndim - 1), device=x.device)
        x_hat = eps * x + (1 - eps) * x_tilde
        norm: torch.Tensor = torch.linalg.vector_norm(gradient(judge, x_hat), dim=1)
        return self.weight * ((norm - self.target) ** 2).mean()


@frozen
class R1(Penalty):
    """Mescheder 2018, eq. 9: gamma / 2 * E[||grad D(x)||^2] on real data alone.

    gamma = 10 is ganskit's choice, and a common one. The authors' code has 10, too, but without the half
    (`reg_param: 10.` in configs/default.yaml, gan_training/train.py): in the letters of eq. 9 that is gamma = 20.
    """

    gamma: float = field(default=10.0, validator=not_negative)

    def __call__(self, player: str, nets: Nets, b: Batch, judge: Judge, fake: torch.Tensor) -> torch.Tensor | None:
        """The term in D's turn."""
        if player != "D":
            return None
        return self.gamma / 2 * (gradient(judge, b.x) ** 2).sum(1).mean()
