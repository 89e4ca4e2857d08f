"""Differentiable augmentation: D sees real and generated pictures through random distortions of the same kinds.

The ranges are those of the authors' code (DiffAugment_pytorch.py), which has pixels in [-1, 1], too.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from attrs import field, frozen

from ganskit import Batch, Nets, UserError, View

TRANSLATION = 1 / 8
CUTOUT = 1 / 2


def uniform(x: torch.Tensor, low: float, high: float) -> torch.Tensor:
    """One number for each picture of x (N, C, H, W): (N, 1, 1, 1), from torch's default generator."""
    return low + (high - low) * torch.rand(len(x), 1, 1, 1, device=x.device)


def color(x: torch.Tensor) -> torch.Tensor:
    """Brightness, saturation and contrast, in this order: plus a number in [-0.5, 0.5], then the distance from each pixel's
    mean over channels times one in [0, 2], then that from the picture's mean times one in [0.5, 1.5].
    """
    x = x + uniform(x, -0.5, 0.5)
    grey = x.mean(1, keepdim=True)
    x = grey + uniform(x, 0.0, 2.0) * (x - grey)
    mean = x.mean((1, 2, 3), keepdim=True)
    return mean + uniform(x, 0.5, 1.5) * (x - mean)


def translation(x: torch.Tensor) -> torch.Tensor:
    """A shift by whole pixels, up to an eighth of the side in each direction; zeros come in."""
    n, _, h, w = x.shape
    most_down, most_right = round(h * TRANSLATION), round(w * TRANSLATION)
    padded = F.pad(x, (most_right, most_right, most_down, most_down))
    rows = torch.arange(h, device=x.device) + torch.randint(2 * most_down + 1, (n, 1), device=x.device)
    columns = torch.arange(w, device=x.device) + torch.randint(2 * most_right + 1, (n, 1), device=x.device)
    each = torch.arange(n, device=x.device)
    # every pixel is read at most once, so that the gradient, too, is the same however it is added up
    moved = padded.permute(0, 2, 3, 1)[each[:, None, None], rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def cutout(x: torch.Tensor) -> torch.Tensor:
    """Zeros in a square of half the side; its centre is anywhere, so that some of it may lie outside."""
    n, _, h, w = x.shape
    hidden_rows = _window(n, h, round(h * CUTOUT), x.device)
    hidden_columns = _window(n, w, round(w * CUTOUT), x.device)
    hidden = hidden_rows[:, None, :, None] & hidden_columns[:, None, None, :]
    return x.masked_fill(hidden, 0.0)


def _window(num: int, side: int, length: int, device: torch.device) -> torch.Tensor:
    """(num, side), true in a window of `length` pixels around a random centre; both ends are cut off equally often."""
    centre = torch.randint(side + 1 - length % 2, (num, 1), device=device)
    offset = torch.arange(side, device=device) - (centre - length // 2)
    return (offset >= 0) & (offset < length)


DISTORTIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {"color": color, "translation": translation, "cutout": cutout}


@frozen
class DiffAugment(View):
    """Zhao 2020: D sees T(x) and T(G(z)), in D's turn and in G's, where T is differentiable and random.

    `policy` names the distortions, in the order in which they are applied; every picture gets random numbers of its own.
    """

    policy: tuple[str, ...] = field(default=("color", "translation", "cutout"))

    @policy.validator
    def _known(self, attribute: object, value: tuple[str, ...]) -> None:
        for name in value:
            if name not in DISTORTIONS:
                raise UserError(f'diff-augment has no distortion "{name}": policy is a list of {", ".join(DISTORTIONS)}.')

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The same. Raises UserError for data that are no pictures."""
        if len(shape) != 3:
            raise UserError(f"diff-augment is for pictures (C, H, W), not for data of shape {shape}.")
        return shape

    def __call__(self, nets: Nets, x: torch.Tensor, b: Batch) -> torch.Tensor:
        """x (N, C, H, W) in [-1, 1] -> the same shape, float32; colours may leave [-1, 1]."""
        x = x.float()
        for name in self.policy:
            x = DISTORTIONS[name](x)
        return x
