"""The first Wasserstein GAN: a critic whose weights are kept in a box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import evolve, field, frozen

from ganskit import Loss, Nets, Optimizer, RMSprop, Turn, TwoPlayer
from ganskit.validators import positive
from ganskit_stabilizers.losses import Wasserstein


@frozen
class WGANClipping(TwoPlayer):
    """Arjovsky 2017, algorithm 1: after each of the critic's steps w <- clip(w, -c, c).

    "All experiments in the paper used the default values alpha = 0.00005, c = 0.01, m = 64, n_critic = 5", with
    RMSProp for both. w is every parameter of the critic, also those of batch normalisation, as in the authors'
    code (main.py). That code departs from algorithm 1 in two ways, and this game does not: it clips before each of the
    critic's steps, and takes 100 of them in each of the first 25 rounds and in every 500th.
    """

    clip: float = field(default=0.01, validator=positive)
    loss: Loss = field(factory=Wasserstein)
    d_steps: int = 5
    G_opt: Optimizer = field(factory=lambda: RMSprop(lr=5e-5))
    D_opt: Optimizer = field(factory=lambda: RMSprop(lr=5e-5))

    def turns(self, stage: Any) -> Sequence[Turn]:  # noqa: ANN401 - any Stage
        """Those of two players; D's turns end with clipping."""
        return [evolve(turn, after=self.clip_critic) if turn.player == "D" else turn for turn in super().turns(stage)]

    def clip_critic(self, nets: Nets) -> None:
        """w <- clip(w, -c, c), in place."""
        for w in nets["D"].parameters():
            w.clamp_(-self.clip, self.clip)
