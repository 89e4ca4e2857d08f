"""The L2-SVM for many more examples than features: Newton's method in the weights.

Keerthi & DeCoste 2005, "A Modified Finite Newton Method for Fast Solution of Large Scale Linear SVMs": fit least squares to the
examples inside the margin, go to the best point on the line to that, look again which are inside. The least squares are solved
by conjugate gradients for all (class, C) together. Their preconditioner is the Nystrom approximation of the Hessian from some of
the examples, restricted to those inside and inverted exactly.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch

from ganskit.evaluate.svm.rows import Rows

LANDMARKS = 512
MOST_STEPS, MOST_GRADIENTS = 60, 60
PATIENCE = 6
"""Steps without progress, after which single precision has reached its end."""
FIRST_ACCURACY, LAST_ACCURACY = 0.1, 0.2
"""How near to their minimum the least squares are solved: of their value at first, and of `tol` in the end."""


def descend(
    rows: Rows, signs: torch.Tensor, c: torch.Tensor, tol: float, trained: Callable[[int, float], None]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """signs (k, N), c (k, 1) -> w (k, D), objectives (k,), and how far they are from the least, relatively (k,).

    The latter is half the squared gradient, measured by the inverse of the preconditioner, which is no smaller than that of the
    Hessian: so far away is the minimum of the least squares, at most. `trained` is told how many problems are solved, and the
    largest gap; infinite is that of a problem for which single precision is not enough.
    """
    z, u = _landmarks(rows)
    w, scores = torch.zeros(len(c), rows.dimensions, device=rows.device), torch.zeros_like(signs)
    objective, gap = torch.full_like(c[:, 0], torch.inf), torch.full_like(c[:, 0], torch.inf)
    accuracy, waited = torch.full_like(c[:, 0], FIRST_ACCURACY), torch.zeros_like(c[:, 0])
    left = torch.arange(len(c), device=rows.device)
    for _ in range(MOST_STEPS):
        y, now_c = signs[left], c[left]
        loss = (1 - y * scores[left]).clamp_(min=0)
        gradient = w[left] - rows.combined(2 * now_c * y * loss)
        before = objective[left]
        objective[left] = 0.5 * w[left].square().sum(1) + now_c[:, 0] * loss.square().sum(1)
        gained = LAST_ACCURACY * (before - objective[left]) / objective[left]
        accuracy[left] = torch.minimum(accuracy[left], gained.clamp_(min=LAST_ACCURACY * tol))
        near = _Near(z, u, (loss > 0).float(), now_c)
        now = 0.5 * (gradient * near.solve(gradient)).sum(1) / objective[left]
        waited[left] = torch.where(now < gap[left], 0, waited[left] + 1)
        # P is positive definite, and what is below zero, or NaN, says that single precision was not enough for so large a C
        gap[left] = torch.where(now >= -tol, now, torch.inf)
        on = (now > tol) & (waited[left] < PATIENCE)
        trained(len(c) - int(on.sum()), float(gap.max()))
        if not on.any():
            break
        left, y, now_c = left[on], y[on], now_c[on]
        step = _newton(rows, near.of(on), -gradient[on], objective[left], accuracy[left])
        ahead = rows.scores(step)
        length = _line_search(w[left], scores[left], step, ahead, y, now_c)
        w[left] += length * step
        scores[left] += length * ahead
    return w, objective, gap


def _landmarks(rows: Rows) -> tuple[torch.Tensor, torch.Tensor]:
    """z (r, D), orthonormal, spanning some equally spaced examples; and the scores u (r, N) of all examples under it."""
    chosen = torch.linspace(0, len(rows) - 1, min(LANDMARKS, len(rows))).long().to(rows.device)
    x = rows.block(chosen)
    x = rows.joined(x, x.new_ones(len(x), 1))
    z = torch.linalg.qr(x.T).Q.T.contiguous()
    return z, rows.scores(z)


class _Near:
    """P = I + 2C z^T (u M u^T) z, near the Hessian H = I + 2C sum of x x^T over the examples inside, of which M is the mask."""

    def __init__(self, z: torch.Tensor, u: torch.Tensor, inside: torch.Tensor, c: torch.Tensor) -> None:
        self.z, self.inside, self.c = z, inside, c
        parts = (u[:, mask > 0] for mask in inside)
        small = 2 * c[:, :, None] * torch.stack([part @ part.T for part in parts])
        small.diagonal(dim1=1, dim2=2).add_(1)
        self.factor = torch.linalg.cholesky(small)

    def of(self, chosen: torch.Tensor) -> _Near:
        """Of some of the problems."""
        part = copy.copy(self)
        part.inside, part.c, part.factor = self.inside[chosen], self.c[chosen], self.factor[chosen]
        return part

    def solve(self, v: torch.Tensor) -> torch.Tensor:
        """v (k, D) -> P^-1 v."""
        known = v @ self.z.T
        return v + (torch.cholesky_solve(known[:, :, None], self.factor)[:, :, 0] - known) @ self.z


def _newton(rows: Rows, near: _Near, r: torch.Tensor, objective: torch.Tensor, accuracy: torch.Tensor) -> torch.Tensor:
    """d (k, D) with H d = r, about: until it is no farther from the least squares' minimum than `accuracy` of its value."""
    d, v = torch.zeros_like(r), near.solve(r)
    p, old = v, (r * v).sum(1, keepdim=True)
    value = objective[:, None].clone()
    for _ in range(MOST_GRADIENTS):
        hp = p + rows.combined(2 * near.c * near.inside * rows.scores(p))
        length = old / (p * hp).sum(1, keepdim=True)
        length = torch.where(0.5 * old > accuracy[:, None] * value, length, 0)
        if not length.any():
            break
        value -= 0.5 * length * old
        d, r = d + length * p, r - length * hp
        v = near.solve(r)
        new = (r * v).sum(1, keepdim=True)
        p, old = v + new / old * p, new
    return d


def _line_search(
    w: torch.Tensor, scores: torch.Tensor, step: torch.Tensor, ahead: torch.Tensor, y: torch.Tensor, c: torch.Tensor
) -> torch.Tensor:
    """t (k, 1) at which P(w + t step) is least: the root of its derivative, which rises piece by piece linearly."""
    constant, slope = (w * step).sum(1, keepdim=True), step.square().sum(1, keepdim=True)
    margin, change = 1 - y * scores, y * ahead
    t = torch.ones_like(c)
    low, high = torch.zeros_like(c), torch.full_like(c, torch.inf)
    for _ in range(30):
        loss = margin - t * change
        inside = (loss > 0).float() * change
        derivative = constant + t * slope - 2 * c * (inside * loss).sum(1, keepdim=True)
        curvature = slope + 2 * c * inside.square().sum(1, keepdim=True)
        low, high = torch.where(derivative < 0, t, low), torch.where(derivative > 0, t, high)
        newton = t - derivative / curvature
        middle = torch.where(high.isinf(), 2 * t, (low + high) / 2)
        t = torch.where((newton > low) & (newton < high), newton, middle)
    return t
