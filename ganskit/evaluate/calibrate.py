"""Freezing batch normalisation, so that an image does not depend on the others it is made with."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import nn

from ganskit.nets import BatchNorm


@torch.no_grad()
def freeze_statistics(net: nn.Module, passes: Iterable[Callable[[], object]]) -> None:
    """Set every `BatchNorm` in the net to its mean and variance averaged over these forward passes; then `eval()`.

    Each pass normalises by its own batch, as in training; the averages are those of the DCGAN authors' evaluation
    (svhn_semisup_analysis.py: batch means and variances, averaged over the batches). Nets without such layers are
    only set to `eval()`.
    """
    norms = [module for module in net.modules() if isinstance(module, BatchNorm)]
    if norms:
        net.train()
        sums: list[list[torch.Tensor]] = [[] for _ in norms]
        count = 0
        for norm in norms:
            norm.seen = []
        try:
            for one_pass in passes:
                one_pass()
                count += 1
                for total, norm in zip(sums, norms, strict=True):
                    (mean, var), norm.seen = norm.seen[-1], []  # type: ignore[index]  # a list, set above
                    total[:] = [total[0] + mean, total[1] + var] if total else [mean, var]
        finally:
            for norm in norms:
                norm.seen = None
        for total, norm in zip(sums, norms, strict=True):
            norm.mean, norm.var = total[0] / count, total[1] / count
    net.eval()
