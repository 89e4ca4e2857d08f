"""Two objectives for a discriminator whose output is no probability."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from attrs import frozen

from ganskit import Loss


@frozen
class Wasserstein(Loss):
    """Arjovsky 2017, eq. 2 and algorithm 1: the critic f maximises E[f(x)] - E[f(g(z))], and g minimises it.

    f has to be kept Lipschitz by something else: the game `wgan-clipping`, the penalty `gradient-penalty`, or
    the architecture `spectral-norm`.
    """

    def discriminator(self, real: torch.Tensor, fake: torch.Tensor) -> dict[str, torch.Tensor]:
        """E[f(g(z))] - E[f(x)]; its negative is the paper's estimate of the distance, up to the Lipschitz constant."""
        return {"distance": fake.mean() - real.mean()}

    def generator(self, fake: torch.Tensor, real: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
        """-E[f(g(z))]."""
        return {"fake": -fake.mean()}


@frozen
class Hinge(Loss):
    """Lim & Ye 2017, in the form of Miyato 2018, eq. 16 and 17."""

    def discriminator(self, real: torch.Tensor, fake: torch.Tensor) -> dict[str, torch.Tensor]:
        """Eq. 16, negated: -E[min(0, -1 + D(x))] - E[min(0, -1 - D(G(z)))], where -min(0, -t) = max(0, t)."""
        return {"real": F.relu(1 - real).mean(), "fake": F.relu(1 + fake).mean()}

    def generator(self, fake: torch.Tensor, real: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
        """Eq. 17: -E[D(G(z))]."""
        return {"fake": -fake.mean()}
