"""WGAN-GP: a loss, a penalty and a recipe."""

from __future__ import annotations

import torch
from attrs import frozen

from ganskit import Adam, Batch, Loss, Nets, Penalty, Recipe, TwoPlayer

from toys import Blobs, tiny_nets


@frozen
class Wasserstein(Loss):
    """Arjovsky 2017, eq. 2: the critic maximises E[f(x)] - E[f(g(z))]."""

    def discriminator(self, real: torch.Tensor, fake: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"distance": fake.mean() - real.mean()}

    def generator(self, fake: torch.Tensor, real: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
        return {"fake": -fake.mean()}


@frozen
class GradientPenalty(Penalty):
    """Gulrajani 2017, eq. 3: weight * E[(||grad D(x_hat)|| - 1)^2], x_hat between real and generated samples."""

    weight: float = 10.0

    def __call__(self, player: str, nets: Nets, b: Batch, judge, fake: torch.Tensor) -> torch.Tensor | None:
        if player != "D":
            return None
        eps = torch.rand(len(fake), 1, 1, 1, device=fake.device)
        x_hat = (eps * b.x + (1 - eps) * fake).requires_grad_()
        (grad,) = torch.autograd.grad(judge(x_hat).sum(), x_hat, create_graph=True)
        return self.weight * ((grad.flatten(1).norm(dim=1) - 1) ** 2).mean()


def recipe() -> Recipe:
    """Algorithm 1, with two critic steps."""
    adam = Adam(lr=1e-3, beta1=0.0, beta2=0.9)
    return Recipe(
        name="wgan-gp",
        game=TwoPlayer(loss=Wasserstein(), penalties=(GradientPenalty(),), d_steps=2, G_opt=adam, D_opt=adam),
        nets=tiny_nets(norm="none"),
        data=Blobs(),
        batch_size=8,
        samples=8 * 3 * 6,
        ema=0.9,
    )
