"""What each player of a two-player game minimises, given the discriminator's logits."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from attrs import frozen

from ganskit.registry import Pluggable

Parts = dict[str, torch.Tensor]


def parts_of(loss: torch.Tensor | Parts) -> Parts:
    """A loss as named parts, whose sum is minimised."""
    return loss if isinstance(loss, dict) else {"loss": loss}


@frozen
class Loss(Pluggable):
    """A pair of objectives. Logits are (N, 1) and float32; the result is a scalar, or named scalars whose sum is minimised."""

    needs_real: ClassVar[bool] = False
    """True: `generator` gets the real logits too."""

    def discriminator(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor | Parts:
        """What D minimises."""
        raise NotImplementedError

    def generator(self, fake: torch.Tensor, real: torch.Tensor | None = None) -> torch.Tensor | Parts:
        """What G minimises. `real` is given when `needs_real`."""
        raise NotImplementedError


@frozen
class Minimax(Loss):
    """Goodfellow 2014, eq. 1: min_G max_D  E[log D(x)] + E[log(1 - D(G(z)))], with D = sigmoid(logit).

    -log sigmoid(t) = softplus(-t) and -log(1 - sigmoid(t)) = softplus(t).
    """

    def discriminator(self, real: torch.Tensor, fake: torch.Tensor) -> Parts:
        """-E[log D(x)] - E[log(1 - D(G(z)))]."""
        return {"real": F.softplus(-real).mean(), "fake": F.softplus(fake).mean()}

    def generator(self, fake: torch.Tensor, real: torch.Tensor | None = None) -> Parts:
        """E[log(1 - D(G(z)))]."""
        return {"fake": -F.softplus(fake).mean()}


@frozen
class NonSaturating(Minimax):
    """Goodfellow 2014, section 3: "we can train G to maximize log D(G(z))". The loss of the DCGAN authors' code."""

    def generator(self, fake: torch.Tensor, real: torch.Tensor | None = None) -> Parts:
        """-E[log D(G(z))]."""
        return {"fake": F.softplus(-fake).mean()}
