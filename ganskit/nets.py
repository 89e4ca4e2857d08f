"""Layers that several papers share."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from ganskit.errors import UserError


class BatchNorm(nn.Module):
    """Batch normalisation as the DCGAN authors wrote it: biased variance, eps 1e-8, no running statistics.

    x (N, C) or (N, C, H, W). It normalises by the batch at hand, until `frozen` statistics are set: see
    `ganskit.evaluate.calibrate`. Those are buffers outside the state, because they follow from the weights.
    """

    mean: torch.Tensor | None
    var: torch.Tensor | None

    def __init__(self, num_features: int, eps: float = 1e-8) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.empty(num_features).normal_(1.0, 0.02))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("mean", None, persistent=False)
        self.register_buffer("var", None, persistent=False)
        self.seen: list[tuple[torch.Tensor, torch.Tensor]] | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.mean is not None and not self.training:
            return F.batch_norm(x, self.mean, self.var, self.weight, self.bias, training=False, eps=self.eps)
        if x.numel() == x.shape[1]:
            raise UserError("Batch normalisation over a batch of one sample has no meaning: use a (micro-)batch of at least 2.")
        if self.seen is not None:
            dims = [d for d in range(x.ndim) if d != 1]
            var, mean = torch.var_mean(x.float(), dims, correction=0)
            self.seen.append((mean, var))
        return F.batch_norm(x, None, None, self.weight, self.bias, training=True, eps=self.eps)
