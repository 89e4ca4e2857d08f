"""The classifiers by either solver: ours in torch, or LIBLINEAR through scikit-learn, the reference."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import torch

from ganskit.errors import UserError
from ganskit.evaluate.svm.rows import Rows
from ganskit.evaluate.svm.solver import TOL, fit

SOLVERS = ("torch", "sklearn")
LOOSE = 1e-3
"""What is farther from the least objective is no solution; relative."""


def train(
    solver: str, rows: Rows, y: torch.Tensor, num_classes: int, cs: Sequence[float], tol: float | None = None
) -> torch.Tensor:
    """One-vs-rest weights (len(cs), K, D) for labels y (N,) in [0, K). `tol` None is the solver's own default.

    Raises UserError for rows that are not finite, and where our own solver does not come near the least objective.
    """
    if not all(bool(block.isfinite().all()) for block in rows.blocks):
        raise UserError("The features are not all finite numbers: the L2-SVM needs other data, or another net.")
    if solver == "sklearn":
        return torch.stack([_liblinear(rows, y, num_classes, c, tol) for c in cs])
    signs = torch.where(y[None] == torch.arange(num_classes)[:, None], 1.0, -1.0).repeat(len(cs), 1)
    c = torch.tensor(cs).repeat_interleave(num_classes)
    try:
        found = fit(rows, signs, c, tol or TOL)
    except torch.linalg.LinAlgError as error:  # type: ignore[attr-defined]  # it is public, but not declared so
        raise _too_large(max(cs)) from error
    if not (near := (found.gap <= LOOSE).cpu()).all():  # NaN is not near either
        raise _too_large(float(c[~near].min()))
    return found.w.view(len(cs), num_classes, -1).cpu()


def _too_large(c: float) -> UserError:
    return UserError(
        f"The L2-SVM with C = {c:g} cannot be trained to within {LOOSE:.1%} of its least objective on these features. Leave so "
        "large a C out of Cs, or take solver=sklearn, which is slower."
    )


def predictions(rows: Rows, weights: torch.Tensor) -> torch.Tensor:
    """weights (M, K, D) -> the classes (M, N) with the highest scores."""
    scores = rows.scores(weights.flatten(0, 1).to(rows.device))
    return scores.view(*weights.shape[:2], -1).argmax(1).cpu()


def _liblinear(rows: Rows, y: torch.Tensor, num_classes: int, c: float, tol: float | None) -> torch.Tensor:
    """(K, D). The objective is ours: LIBLINEAR regularises the intercept, too, and `intercept_scaling` is 1."""
    from sklearn.exceptions import ConvergenceWarning  # slow to import, and most runs never need it
    from sklearn.svm import LinearSVC

    x = torch.cat([block.float().cpu() for block in rows.blocks]).numpy()
    out = torch.zeros(num_classes, rows.dimensions)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the authors' code leaves it at 1,000 passes as well
        for k in range(num_classes):
            ours = (y == k).numpy()
            if ours.all() or not ours.any():
                out[k, -1] = 1.0 if ours.all() else -1.0
                continue
            options = {} if tol is None else {"tol": tol, "max_iter": 1_000_000}
            model = LinearSVC(C=c, loss="squared_hinge", dual="auto", random_state=0, **options).fit(x, ours)
            out[k] = torch.from_numpy(np.concatenate([model.coef_[0], model.intercept_]).astype(np.float32))
    return out
