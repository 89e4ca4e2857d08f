"""Learning to find objects in pictures, as a game with one player."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from attrs import field, frozen
from torch import nn

from ganskit.data.dataset import Field
from ganskit.data.rooms.boxes import RoomBoxes
from ganskit.errors import UserError
from ganskit.evaluate.learned.net import group_norm
from ganskit.game import Architecture, Batch, Game, Nets, Player, Shape, Turn
from ganskit.optim import Adam, Optimizer
from ganskit.recipe import Recipe
from ganskit.validators import at_least, not_negative

NET = "detector"
SIDE, CELLS = 64, 8
"""Pictures are seen as 64x64, and described by 8x8 cells."""
NUMBERS = 5
"""Of each kind in each cell: the logit of its presence, and its box."""


@frozen
class Detection(Game):
    """In each cell and for each kind of object: is it there, and where are its edges?

    One-stage detection without anchors, as in FCOS (Tian et al. 2019, section 3): cells near the middle of an object answer for
    it, of two objects for the smaller one. Binary cross-entropy for the presence, and the absolute error of the four edges in
    cells. `noise` is the standard deviation of what is added to the values in [-1, 1] in training: generated pictures are noisy.
    """

    noise: float = field(default=0.1, validator=not_negative)
    opt: Optimizer = field(factory=lambda: Adam(lr=2e-3, beta1=0.9))

    def players(self) -> dict[str, Player]:
        """One."""
        return {NET: Player((NET,), self.opt)}

    def turns(self, stage: Any) -> Sequence[Turn]:  # noqa: ANN401 - any Stage
        """One turn."""
        return (Turn(NET, self.error),)

    def needs(self) -> tuple[str, ...]:
        """Pictures, boxes in fractions of the side, and what each box is of, 0 for nothing."""
        return ("x", "boxes", "kinds")

    def conditions(self) -> tuple[str, ...]:
        """What is drawn of it are maps of real pictures."""
        return ("x",)

    def shapes(self, provides: Mapping[str, Field]) -> dict[str, Shape]:
        """A picture -> 5 numbers for each kind in each cell. Raises UserError for data without pictures or kinds."""
        x, kinds = provides["x"], provides["kinds"]
        if not x.pixels or len(x.shape) != 3 or len(kinds.classes) < 2:
            raise UserError(f"A detector learns from pictures (C, H, W) and named kinds, not {x.shape} and {kinds.classes}.")
        return {NET: Shape((x.shape[0], SIDE, SIDE), (len(kinds.classes) - 1, NUMBERS, CELLS, CELLS))}

    def error(self, nets: Nets, b: Batch) -> dict[str, torch.Tensor]:
        """Means over the pictures of the cross-entropy over all cells, and of the edges' errors over the cells of objects."""
        maps = nets.detector(seen(b.x + self.noise * torch.randn_like(b.x))).float()
        there, boxes = targets(b.boxes, b.kinds, maps.shape[1])
        presence = F.binary_cross_entropy_with_logits(maps[:, :, 0], there.float(), reduction="sum")
        edges = ((placed(maps[:, :, 1:]) - boxes).abs().sum(2) * there).sum() * CELLS
        return {"presence": presence / len(maps), "edges": edges / len(maps)}

    def sample(self, nets: Nets, b: Batch) -> torch.Tensor:
        """The net's maps (N, K, 5, 8, 8)."""
        return nets.detector(seen(b.x))


def seen(x: torch.Tensor) -> torch.Tensor:
    """x (N, C, H, W) -> (N, C, 64, 64)."""
    return x if x.shape[2:] == (SIDE, SIDE) else F.interpolate(x, size=(SIDE, SIDE), mode="bilinear", antialias=True)


def centres(like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Across (1, 8) and down (8, 1), in fractions of the side."""
    middle = (torch.arange(CELLS, device=like.device, dtype=like.dtype) + 0.5) / CELLS
    return middle[None], middle[:, None]


def placed(edges: torch.Tensor) -> torch.Tensor:
    """What the net says of the edges (N, K, 4, 8, 8) -> boxes in fractions of the side.

    It says, in cells, how far they are from a box that reaches one cell in each direction from the middle of its own.
    """
    across, down = (each.expand(CELLS, CELLS) for each in centres(edges))
    return torch.stack([across - 1 / CELLS, down - 1 / CELLS, across + 1 / CELLS, down + 1 / CELLS]) + edges / CELLS


@torch.no_grad()
def targets(boxes: torch.Tensor, kinds: torch.Tensor, num_kinds: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes (N, M, 4) of kinds (N, M) -> which cells answer for one (N, K, 8, 8), and for which box (N, K, 4, 8, 8)."""
    across, down = centres(boxes)
    left, top, right, bottom = (edge[:, :, None, None] for edge in boxes.unbind(2))
    reach = 0.5 / CELLS  # the cell that an object's middle lies in answers, however small the object is
    inside = (across - (left + right) / 2).abs() <= ((right - left) / 4).clamp(min=reach)
    inside = inside & ((down - (top + bottom) / 2).abs() <= ((bottom - top) / 4).clamp(min=reach))
    of_kind = kinds[:, :, None] == torch.arange(1, num_kinds + 1, device=kinds.device)
    answers = inside[:, :, None] & of_kind[..., None, None]
    areas = ((right - left) * (bottom - top))[:, :, None].expand_as(answers)
    smallest, which = torch.where(answers, areas, torch.inf).min(1)
    num, most = kinds.shape
    rows = which + most * torch.arange(num, device=which.device)[:, None, None, None]
    return smallest < torch.inf, boxes.flatten(0, 1)[rows].movedim(-1, 2)


@frozen
class DetectorNet(Architecture):
    """Three strided convolutions to 8x8 cells, three more that look around, and one to the answers.

    Group norm (Wu & He 2018), because it treats each picture by itself, and ReLU.
    """

    width: int = field(default=16, validator=at_least(1))

    def build(self, shape: Shape) -> nn.Module:
        """x (N, C, 64, 64) -> maps (N, K, 5, 8, 8)."""
        kinds, numbers, *_ = shape.output
        widths = [shape.input[0], self.width, 2 * self.width, 4 * self.width]
        layers = [layer(before, after, stride=2) for before, after in pairwise(widths)]
        layers += [layer(widths[-1], widths[-1], dilation=dilation) for dilation in (1, 2, 2)]
        last = nn.Conv2d(widths[-1], kinds * numbers, 1)
        return nn.Sequential(*layers, last, nn.Unflatten(1, (kinds, numbers)))


def layer(before: int, after: int, stride: int = 1, dilation: int = 1) -> nn.Module:
    """A 3x3 convolution, group norm, ReLU."""
    conv = nn.Conv2d(before, after, 3, stride, padding=dilation, dilation=dilation, bias=False)
    return nn.Sequential(conv, group_norm(after), nn.ReLU())


def recipe() -> Recipe:
    """Trained on drawn rooms; `ganskit eval RUN forget` trains it where it is needed."""
    return Recipe(
        name="room-detector",
        game=Detection(),
        nets={NET: DetectorNet()},
        data=RoomBoxes(num_images=8000, seed=1_000_003, blur_every=8),  # rooms that no generator was trained on
        batch_size=64,
        samples=50_000,
        precision="fp32",
        paper="Tian, Shen, Chen & He 2019 (FCOS), arXiv 1904.01355, section 3, much smaller",
    )
