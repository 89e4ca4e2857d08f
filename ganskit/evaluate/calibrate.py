"""Freezing batch normalisation, so that an image does not depend on the others it is made with."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import nn

from ganskit.nets import BatchNorm


@torch.no_grad()
def freeze_statistics(net: nn.Module, passes: Iterable[Callable[[], object]]) -> None:
    """Set every `BatchNorm` in the net to its mean and variance averaged over these forward passes; all else in `eval()`.

    Each pass normalises by its own batch, as in training; the averages are those of the DCGAN authors' evaluation
    (svhn_semisup_analysis.py: batch means and variances, averaged over the batches). Layers that no
    pass reaches go on as before.
    """
    norms = [module for module in net.modules() if isinstance(module, BatchNorm)]
    net.eval()  # layers with statistics of their own must not learn here
    if norms:
        for norm in norms:
            norm.train()
            norm.seen = []
        try:
            for one_pass in passes:
                one_pass()
            for norm in norms:
                if norm.seen:  # a discriminator's layers see nothing when only samples are drawn
                    means, variances = zip(*norm.seen, strict=True)
                    norm.mean, norm.var = torch.stack(means).mean(0), torch.stack(variances).mean(0)
        finally:
            for norm in norms:
                norm.eval()
                norm.seen = None
