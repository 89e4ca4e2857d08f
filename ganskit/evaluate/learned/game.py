"""Learning labels, as a game with one player."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from attrs import field, frozen

from ganskit.data.dataset import Field
from ganskit.errors import UserError
from ganskit.game import Batch, Game, Nets, Player, Shape, Turn
from ganskit.optim import Adam, Optimizer
from ganskit.validators import not_negative

PLAYER = "C"


@frozen
class Classification(Game):
    """Softmax cross-entropy for classes, or the sum of the attributes' binary cross-entropies.

    `key` is the label's field: whole numbers () are classes, a vector (A,) of zeros and ones is attributes, of which only the
    `columns` are learnt (none named: all). `num` is the number of classes where the dataset does not name them. In training,
    pictures are shifted by up to `shift` pixels in each direction, with their border repeated.
    """

    key: str = "y"
    num: int | None = None
    columns: tuple[int, ...] = ()
    shift: int = field(default=2, validator=not_negative)
    opt: Optimizer = field(factory=lambda: Adam(lr=2e-3, beta1=0.9))

    def players(self) -> dict[str, Player]:
        """One."""
        return {PLAYER: Player((PLAYER,), self.opt)}

    def turns(self, stage: Any) -> Sequence[Turn]:  # noqa: ANN401 - any Stage
        """One turn."""
        return (Turn(PLAYER, self.cross_entropy),)

    def needs(self) -> tuple[str, ...]:
        """Pictures and their labels."""
        return ("x", self.key)

    def conditions(self) -> tuple[str, ...]:
        """What is drawn of it are the logits of real pictures."""
        return ("x",)

    def shapes(self, provides: Mapping[str, Field]) -> dict[str, Shape]:
        """C: a picture -> one logit for each class or attribute. Raises UserError for data without pictures or labels."""
        x, y = provides["x"], provides[self.key]
        if not x.pixels or len(x.shape) != 3:
            raise UserError(f"A classifier sees pictures (C, H, W), and not data {x.shape}.")
        if len(y.shape) == 1:
            return {PLAYER: Shape(x.shape, (len(self.columns) or y.shape[0],))}
        num = self.num or len(y.classes)
        if y.shape or not num:
            raise UserError(f'"{self.key}" {y.dtype} {y.shape} is no label of a known number of classes: set num.')
        return {PLAYER: Shape(x.shape, (num,))}

    def cross_entropy(self, nets: Nets, b: Batch) -> torch.Tensor:
        """-E[log p(y | x)]; of attributes the sum."""
        y = b.tensors[self.key]
        logits = nets.C(shifted(b.x, self.shift)).float()
        if y.ndim == 1:
            return F.cross_entropy(logits, y.long())
        y = y[:, list(self.columns)] if self.columns else y
        return F.binary_cross_entropy_with_logits(logits, y.float(), reduction="none").sum(1).mean()

    def sample(self, nets: Nets, b: Batch) -> torch.Tensor:
        """Logits (N, K)."""
        return nets.C(b.x)


def shifted(x: torch.Tensor, most: int) -> torch.Tensor:
    """Each picture of x (N, C, H, W) moved by up to `most` pixels, its border repeated."""
    if not most:
        return x
    num, _, height, width = x.shape
    by = (torch.rand(num, 2, device=x.device) * (2 * most + 1)).long() - most
    rows = (torch.arange(height, device=x.device) + by[:, :1]).clamp(0, height - 1)
    columns = (torch.arange(width, device=x.device) + by[:, 1:]).clamp(0, width - 1)
    each = torch.arange(num, device=x.device)
    moved = x.permute(0, 2, 3, 1)[each[:, None, None], rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)  # in channels_last, as it came
