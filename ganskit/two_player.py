"""A generator against a discriminator: most GANs are this game plus a loss, a penalty or a view."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from attrs import field, frozen

from ganskit.data.dataset import Field
from ganskit.errors import UserError
from ganskit.game import Batch, Game, Nets, Noise, Player, Shape, Turn
from ganskit.losses import Loss, NonSaturating, Parts, parts_of
from ganskit.optim import Adam, Optimizer
from ganskit.registry import Pluggable

Judge = Callable[[torch.Tensor], torch.Tensor]


@frozen
class Penalty(Pluggable):
    """A term added to a player's loss."""

    def __call__(self, player: str, nets: Nets, b: Batch, judge: Judge, fake: torch.Tensor) -> torch.Tensor | None:
        """The term as a scalar, or None when this player has none.

        `judge(x)` gives D's logits (N, 1); `fake` is G's output, detached in D's turn.
        """
        raise NotImplementedError


@frozen
class View(Pluggable):
    """What the discriminator is shown instead of the bare samples."""

    def __call__(self, nets: Nets, x: torch.Tensor, b: Batch) -> torch.Tensor:
        """The view of x; differentiable, for G learns through it."""
        raise NotImplementedError

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of one viewed sample."""
        return shape


@frozen
class TwoPlayer(Game):
    """Goodfellow 2014, algorithm 1, with every choice that papers make since as a field.

    `order` "GD" lets G move first, as the DCGAN authors do. With `same_batch` both players use the same samples and
    noise; in order "GD" the generated samples are then made once and handed over.
    """

    loss: Loss = field(factory=NonSaturating)
    penalties: tuple[Penalty, ...] = ()
    views: tuple[View, ...] = ()
    noise: Noise = field(factory=Noise)
    d_steps: int = 1
    order: str = "DG"
    same_batch: bool = False
    G_opt: Optimizer = field(factory=Adam)
    D_opt: Optimizer = field(factory=Adam)

    def __attrs_post_init__(self) -> None:
        if self.order not in ("DG", "GD"):
            raise UserError(f'game.order is "{self.order}": expected "DG" (D first) or "GD" (G first).')
        if self.d_steps < 1:
            raise UserError(f"game.d_steps is {self.d_steps}: expected at least 1.")
        if self.same_batch and self.d_steps > 1:
            raise UserError("game.same_batch is for d_steps = 1: with more steps every turn needs samples of its own.")

    def players(self) -> dict[str, Player]:
        """D and G."""
        return {"D": Player(("D",), self.D_opt), "G": Player(("G",), self.G_opt, ema=True)}

    def turns(self, stage: Any) -> Sequence[Turn]:  # noqa: ANN401 - any Stage
        """D's `d_steps` turns and G's one, by `order`."""
        second = {self.order[1]: self.same_batch}
        d = Turn("D", self.d_loss, times=self.d_steps, reuse=second.get("D", False))
        g = Turn("G", self.g_loss, reuse=second.get("G", False))
        return (d, g) if self.order == "DG" else (g, d)

    def noises(self) -> dict[str, Noise]:
        """z."""
        return {"z": self.noise}

    def shapes(self, provides: Mapping[str, Field]) -> dict[str, Shape]:
        """G: z -> x. D: what it is shown -> one logit."""
        x = seen = provides["x"].shape
        for view in self.views:
            seen = view.shape(seen)
        return {"G": Shape(self.noise.shape, x), "D": Shape(seen, (1,))}

    def generate(self, nets: Nets, b: Batch) -> torch.Tensor:
        """G(z). Override for labels, mixing, a fade-in."""
        return nets.G(b.z)

    def seen(self, nets: Nets, x: torch.Tensor, b: Batch) -> torch.Tensor:
        """x through all views."""
        for view in self.views:
            x = view(nets, x, b)
        return x

    def judge(self, nets: Nets, x: torch.Tensor, b: Batch) -> torch.Tensor:
        """D's logits for x, in float32 whatever D computes in. Override for labels."""
        return nets.D(self.seen(nets, x, b)).float()

    def d_loss(self, nets: Nets, b: Batch) -> Parts:
        """What D minimises. Real and generated samples pass D as separate batches, as in the DCGAN authors' code."""
        fake = b.fake if "fake" in b else self.generate(nets, b).detach()
        judge = partial(self.judge, nets, b=b)
        return parts_of(self.loss.discriminator(judge(b.x), judge(fake))) | self.penalty("D", nets, b, judge, fake)

    def g_loss(self, nets: Nets, b: Batch) -> Parts:
        """What G minimises."""
        fake = self.generate(nets, b)
        if self.same_batch and self.order == "GD":
            b.keep(fake=fake)
        judge = partial(self.judge, nets, b=b)
        real = judge(b.x) if self.loss.needs_real else None
        return parts_of(self.loss.generator(judge(fake), real)) | self.penalty("G", nets, b, judge, fake)

    def penalty(self, player: str, nets: Nets, b: Batch, judge: Judge, fake: torch.Tensor) -> Parts:
        """Every penalty that concerns this player, by name; those of one name are added up."""
        parts: Parts = {}
        for penalty in self.penalties:
            term = penalty(player, nets, b, judge, fake)
            if term is not None:
                name = type(penalty).__name__
                parts[name] = parts[name] + term if name in parts else term
        return parts

    def sample(self, nets: Nets, b: Batch) -> torch.Tensor:
        """G(z)."""
        return self.generate(nets, b)
