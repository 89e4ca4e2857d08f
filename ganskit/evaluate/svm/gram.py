"""Gram matrices of blocks of rows in bfloat16."""

from __future__ import annotations

import torch

from ganskit.evaluate.svm.rows import Rows

TO_CENTRE = 256
"""Rows whose mean is taken out; any vector that is near most rows will do."""


class QuickGram:
    """<x_i, x_j>, about: products of what is left of the rows without their mean, which is put back in float32.

    A discriminator's features are mostly above zero, so that their products are large and much alike. Rounded to bfloat16, they
    would have an error as large as the Gram matrix's least eigenvalues; without the mean it is a sixth of that (28,672 features
    of CIFAR-10, 256 rows).
    """

    def __init__(self, rows: Rows, most: int, ridge: torch.Tensor) -> None:
        """For blocks of `most` rows at most, whose Gram matrices are used with `ridge` I, or more, added."""
        chosen = torch.linspace(0, len(rows) - 1, min(TO_CENTRE, len(rows))).long().to(rows.device)
        self._mean = rows.block(chosen).mean(0).bfloat16()
        self._left = self._mean.new_empty(most, rows.width)  # memory to use again: fresh memory costs more than the difference
        mean = self._mean.float()[None]
        self._shares = rows.scores(rows.joined(mean, mean.new_zeros(1, 1)))[0] - mean.square().sum() / 2
        self._intercept, self._ridge = float(rows.intercept), ridge

    def of(self, x: torch.Tensor, here: torch.Tensor) -> torch.Tensor | None:
        """(M, M), float32, of the block x (M, F) of the rows `here` (M,); None where it is not positive with the ridge added."""
        left = torch.sub(x, self._mean, out=self._left[: len(x)])
        shares = self._shares[here]
        gram = _with_itself(left).float().add_(shares).add_(shares[:, None]).add_(self._intercept)
        positive = gram + self._ridge * torch.eye(len(gram), device=gram.device)
        return None if torch.linalg.cholesky_ex(positive).info else gram


def _with_itself(x: torch.Tensor) -> torch.Tensor:
    """x x^T by three products of halves: the fourth is the transpose of one of them."""
    top, bottom = x.tensor_split(2)
    across = top @ bottom.T
    return torch.cat([torch.cat([top @ top.T, across], 1), torch.cat([across.T, bottom @ bottom.T], 1)])
