"""The L2-SVM for not many more examples than features: ascent of the dual problem, a block of examples at a time.

    max_a  D(a) = sum_i y_i a_i - 1/2 |w|^2 - |a|^2 / 4C,  w = sum_i a_i x_i,  y_i a_i >= 0

This is eq. 4 of Hsieh et al. 2008, "A Dual Coordinate Descent Method for Large-scale Linear SVM", whose alpha_i is y_i a_i here.
LIBLINEAR ascends it by one example at a time. Blocks are Yu et al. 2010, "Large Linear Classification When Data Cannot Fit
In Memory", algorithm 1: while a block is in the cache, its part of the problem is solved for all (class, C) together, by an
active-set method on the block's own Gram matrix. So nearly all work is products of matrices. Blocks are drawn anew in every
pass, which takes a third of the passes that the same blocks would. Between, examples that no problem needs are left out for a
while, as LIBLINEAR does ("shrinking"). Where bfloat16 is quick, products are in it until the gap P(w) - D(a) is small, and Gram
matrices always: they only say in which direction to go, and how far is measured.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from ganskit.engine.device import multiplies_bf16_fast
from ganskit.evaluate.svm.gram import QuickGram
from ganskit.evaluate.svm.rows import Rows

BLOCK = 256
MOST_PASSES = 400
PATIENCE = 6
"""Times that the gap may be found where it was, before single precision is said to have reached its end."""
MOST_CHANGES = 6
"""Of a block's active set in one visit; what is left to change waits for the next."""
WHOLE, EVERY = 2, 6
"""All examples are visited in so many passes at first, and then in every so-manieth."""
NEARLY, MOST_UNSEEN = 2, 16
"""The gap is measured, which costs a pass, when it seems to be so many times `tol`, and else after so many passes."""
COARSE = 2e-3
"""The gap to which two digits in the products are enough."""


def ascend(
    rows: Rows, signs: torch.Tensor, c: torch.Tensor, tol: float, trained: Callable[[int, float], None]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """signs (k, N), c (k, 1) -> w (k, D), objectives P (k,), and the gaps (P - D) / P (k,).

    `trained` is told how many problems are solved, and the largest gap, whenever that is known.
    """
    generator = torch.Generator().manual_seed(0)
    quick = QuickGram(rows, BLOCK, 1 / (2 * c.max())) if multiplies_bf16_fast(rows.device) else None
    a, w = torch.zeros_like(signs), torch.zeros(len(c), rows.dimensions, device=rows.device)
    scores = torch.zeros_like(signs)  # as they were when the example was last visited
    objective, gap = torch.full_like(c[:, 0], torch.inf), torch.ones_like(c[:, 0])
    waited, left, stuck = torch.zeros_like(gap), torch.arange(len(c), device=rows.device), False
    places = torch.arange(len(rows))
    for number in range(MOST_PASSES):
        fast = bool((gap[left] > COARSE).any()) and not stuck
        for block in torch.split(places[torch.randperm(len(places), generator=generator)], BLOCK):
            here = block.sort().values.to(rows.device)
            x = rows.block(here, fast)
            at = left[:, None], here
            scores[at] = rows.products(w[left], x)
            gram = quick.of(x, here) if quick else None
            step, slope = _direction(rows.gram(x) if gram is None else gram, signs[at], c[left], a[at], scores[at])
            along = rows.sums(step, x)
            curvature = along.square().sum(1, keepdim=True) + step.square().sum(1, keepdim=True) / (2 * c[left])
            length = (slope / curvature.clamp(min=1e-30)).clamp(0, 1)
            a[at] += length * step
            w[left] += length * along
        about = _gap(a[left], w[left], scores[left], signs[left], c[left])[1]  # with older scores, so mostly too much
        if (about <= max(NEARLY * tol, COARSE * fast)).any() or number % MOST_UNSEEN == MOST_UNSEEN - 1:
            w[left] = rows.combined(a[left])  # what rounding has added up goes
            scores[left] = rows.scores(w[left])
            objective[left], now = _gap(a[left], w[left], scores[left], signs[left], c[left])
            stuck |= fast and bool((now > gap[left] / 2).any())  # two digits have reached their end before COARSE
            waited[left] = torch.where(now < gap[left], 0, waited[left] + 1)
            gap[left] = now
            left = left[(now > tol) & (waited[left] < PATIENCE)]
            trained(len(c) - len(left), float(gap.max()))
            if not len(left):
                break
        needed = (a[left] != 0) | (signs[left] * scores[left] < 1)
        whole = number + 1 < WHOLE or (number + 1) % EVERY == 0
        places = torch.arange(len(rows)) if whole else needed.any(0).nonzero()[:, 0].cpu()
    return w, objective, gap


def _gap(
    a: torch.Tensor, w: torch.Tensor, scores: torch.Tensor, y: torch.Tensor, c: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """P(w) (k,) and (P(w) - D(a)) / P(w), w being the sum of a_i x_i, and its scores (k, N)."""
    half = 0.5 * w.square().sum(1)
    primal = half + c[:, 0] * (1 - y * scores).clamp_(min=0).square_().sum(1)
    dual = (y * a).sum(1) - half - (a.square() / (4 * c)).sum(1)
    return primal, (primal - dual) / primal


def _direction(
    k: torch.Tensor, y: torch.Tensor, c: torch.Tensor, a: torch.Tensor, scores: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """A step of a (k, n) along which D rises, and its slope (k, 1) there; all the way, and any part of it, is feasible.

    It is for a block with Gram matrix K (n, n), or one that is about that, given the scores (k, n) of all examples' w. Those
    whose a is not 0, or that are inside the margin, are active. On these (K + I / 2C) a = y - the others' share in these. Those
    whose a gets the wrong sign leave and those that come inside the margin enter, until none does.
    """
    others = scores - a @ k
    active = (y * a > 0) | (y * scores < 1)
    for _ in range(MOST_CHANGES):
        found = _solved(k, active, y - others, c)
        following = torch.where(active, y * found > 0, y * (others + found @ k) < 1)
        if torch.equal(following, active):
            break
        active = following
    gradient = y - scores - a / (2 * c)
    step = y * (y * found).clamp(min=0) - a  # feasible at its end, and so all along
    downhill = (step * gradient).sum(1, keepdim=True) <= 0  # where the active set is far from settled
    cautious = y * (y * (a + gradient / (k.diagonal() + 1 / (2 * c)))).clamp(min=0) - a
    step = torch.where(downhill, cautious, step)
    return step, (step * gradient).sum(1, keepdim=True)


def _solved(k: torch.Tensor, active: torch.Tensor, wanted: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    """a (k, n), 0 where not active, with (K + I / 2C) a = wanted on what is active."""
    most = max(1, int(active.sum(1).max()))
    first = active.float().argsort(dim=1, descending=True, stable=True)[:, :most]  # what is active, and some others to fill up
    mask = active.gather(1, first).float()
    systems = k[first].gather(2, first[:, None, :].expand(-1, most, -1)).mul_(mask[:, :, None]).mul_(mask[:, None, :])
    systems.diagonal(dim1=1, dim2=2).add_(1 / (2 * c))
    right = (mask * wanted.gather(1, first))[:, :, None]
    factor, failed = torch.linalg.cholesky_ex(systems)
    if failed.any():  # so large a C that single precision is not enough
        factor, right = torch.linalg.cholesky(systems.double()), right.double()
    found = torch.cholesky_solve(right, factor)[:, :, 0].float() * mask
    return torch.zeros_like(wanted).scatter_(1, first, found)
