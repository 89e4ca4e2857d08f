"""A small convolutional classifier, with features before its last layer."""

from __future__ import annotations

import math

import torch
from attrs import field, frozen
from torch import nn

from ganskit.errors import UserError
from ganskit.game import Architecture, Shape
from ganskit.validators import at_least

SIDE, SMALLEST = 4, 8
"""Pictures are halved until they are so small; none may be smaller than 8 to begin with."""


@frozen
class Convolutional(Architecture):
    """Strided convolutions with group norm (Wu & He 2018) and ReLU, a hidden layer of features, and one of logits.

    Each convolution halves the picture, until 4x4 or less is left, and has twice as many channels as the one before it. The last
    has 4 * `width`, and so many are the features, zero or above. Group norm treats each picture by itself, in training and
    afterwards.
    """

    width: int = field(default=32, validator=at_least(1))

    def build(self, shape: Shape) -> nn.Module:
        """x (N, C, H, W) -> logits (N, *output). Raises UserError for anything but pictures of 8x8 or more."""
        if len(shape.input) != 3 or min(shape.input[1:]) < SMALLEST:
            raise UserError(f"classifier.net sees pictures (C, H, W) of {SMALLEST}x{SMALLEST} or more, not {shape.input}.")
        return ConvNet(shape, self.width)


class ConvNet(nn.Module):
    """`features(x)` (N, 4 * width), and the logits made from them by `head`."""

    def __init__(self, shape: Shape, width: int) -> None:
        super().__init__()
        channels, *sides = shape.input
        features = 4 * width
        layers: list[nn.Module] = []
        for left in reversed(range(_halvings(min(sides)))):
            out = max(features >> left, min(8, width))
            layers += [nn.Conv2d(channels, out, 3, stride=2, padding=1, bias=False), group_norm(out), nn.ReLU()]
            channels, sides = out, [_half(side) for side in sides]
        hidden = [Flatten(), nn.Linear(channels * math.prod(sides), features), nn.ReLU()]
        self.features = nn.Sequential(*layers, *hidden)
        self.head = nn.Sequential(nn.Linear(features, math.prod(shape.output)), nn.Unflatten(1, shape.output))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x (N, C, H, W) in [-1, 1] -> logits."""
        return self.head(self.features(x))  # type: ignore[no-any-return]  # modules are untyped


class Flatten(nn.Flatten):
    """From whatever order in memory: torch 2.14 compiles with the wrong one after a group norm, and then cannot flatten."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, C * H * W)."""
        return super().forward(input.clone(memory_format=torch.contiguous_format))


def _half(side: int) -> int:
    """What a convolution of 3x3 with stride 2 and a border of one makes of it."""
    return (side + 1) // 2


def _halvings(side: int) -> int:
    """How many of them leave SIDE or less."""
    return 0 if side <= SIDE else 1 + _halvings(_half(side))


def group_norm(channels: int) -> nn.GroupNorm:
    """Groups of 8 channels, or one of all where 8 do not divide them."""
    return nn.GroupNorm(channels // 8 if channels % 8 == 0 else 1, channels)
