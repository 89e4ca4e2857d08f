"""All classes and all C of a linear L2-SVM at once, in torch, on any device.

min_w  P(w) = 1/2 |w|^2 + C sum_i max(0, 1 - y_i w x_i)^2
"""

from __future__ import annotations

import torch
from attrs import frozen
from tqdm import tqdm

from ganskit.evaluate.svm.ascent import ascend
from ganskit.evaluate.svm.newton import descend
from ganskit.evaluate.svm.rows import Rows

TOL = 1e-6
"""With it predictions are those of LIBLINEAR converged tightly, but for one row in a thousand."""


@frozen(eq=False)
class Fit:
    """Of k problems: w (k, D), the intercept last; the objective P(w) (k,); and how far it is from the least, relatively."""

    w: torch.Tensor
    objective: torch.Tensor
    gap: torch.Tensor


def fit(rows: Rows, signs: torch.Tensor, c: torch.Tensor, tol: float = TOL) -> Fit:
    """Solve k problems: signs (k, N) of -1 and 1, c (k,). Each objective ends within about `tol`, relatively, of the least.

    Where there are many more examples than features, the blocks of the dual get in each other's way; then it is the primal.
    """
    solve = ascend if len(rows) <= 2 * rows.width else descend
    with tqdm(total=len(c), desc="Classifiers", delay=5, disable=None, leave=False) as bar:

        def trained(num: int, gap: float) -> None:
            bar.set_postfix_str(f"up to {gap:.1e} above the least", refresh=False)
            bar.update(num - bar.n)

        return Fit(*solve(rows, signs.to(rows.device, torch.float32), c.to(rows.device, torch.float32)[:, None], tol, trained))
