"""A trained classifier, as evaluators use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from attrs import frozen
from torch import nn

from ganskit.errors import UserError

AT_ONCE = 256
"""Pictures are always seen so many at a time, so that results repeat to the last bit."""


@frozen(eq=False)
class Classifier:
    """A network trained by ganskit: what it knows, and how well.

    `names` are those of the classes, or of the attributes. `accuracy` is the share of right answers on examples that it was not
    trained on (of attributes: of all answers), `accuracies` that of each class or attribute. `label` is short, for names of
    numbers: "conv-cifar10-1f3a9c". `protocol` says, in values for JSON, how it was made. `module` makes features of pictures.
    """

    module: nn.Module
    head: nn.Module
    shape: tuple[int, ...]
    names: tuple[str, ...]
    accuracy: float
    accuracies: Mapping[str, float]
    label: str
    protocol: Mapping[str, Any]
    device: torch.device

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        """x (N, C, H, W) in [-1, 1] -> logits (N, K) float32, on the CPU. Raises UserError for pictures of another shape."""
        return self._seen(x, self.head)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """x (N, C, H, W) in [-1, 1] -> features (N, F) float32, zero or above, on the CPU. Raises UserError as `logits` does."""
        return self._seen(x, nn.Identity())

    @torch.no_grad()
    def _seen(self, x: torch.Tensor, head: nn.Module) -> torch.Tensor:
        if x.shape[1:] != self.shape or not len(x):
            raise UserError(f"{self.label} sees pictures (N, {', '.join(map(str, self.shape))}), and not {tuple(x.shape)}.")
        made = [head(self.module(part.to(self.device, torch.float32))).cpu() for part in torch.split(x, AT_ONCE)]
        return torch.cat(made)
