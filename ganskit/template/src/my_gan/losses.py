"""Losses: what each player minimises, given the discriminator's logits."""

import torch
from attrs import frozen

from ganskit import Loss


@frozen
class LeastSquares(Loss):
    """Mao 2017, eq. 2, with a = 0 and b = c = 1 as in eq. 9: D says 1 for real samples and 0 for generated ones."""

    real_target: float = 1.0
    fake_target: float = 0.0

    def discriminator(self, real: torch.Tensor, fake: torch.Tensor) -> dict[str, torch.Tensor]:
        """1/2 E[(D(x) - b)^2] + 1/2 E[(D(G(z)) - a)^2]."""
        b, a = self.real_target, self.fake_target
        return {"real": ((real - b) ** 2).mean() / 2, "fake": ((fake - a) ** 2).mean() / 2}

    def generator(self, fake: torch.Tensor, real: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
        """1/2 E[(D(G(z)) - c)^2]."""
        c = self.real_target
        return {"fake": ((fake - c) ** 2).mean() / 2}
