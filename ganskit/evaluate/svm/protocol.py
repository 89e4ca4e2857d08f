"""Choosing C and testing: on all labels, or on a few of each class, many times over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from attrs import frozen
from tqdm import tqdm

from ganskit.evaluate.svm.draws import Draws
from ganskit.evaluate.svm.parts import Part, Parts
from ganskit.evaluate.svm.reference import predictions, train
from ganskit.evaluate.svm.rows import Rows

CHOOSING = 1e-4
"""How near to the least objective, relatively, classifiers must be that are only compared with each other."""

Extract = Callable[[Part, str], Rows]
"""The features of a part, standardised as the protocol says; the text is for the progress bar."""


@frozen(eq=False)
class Outcome:
    """Errors are shares in [0, 1]. `by_c` has for each C the validation errors of its draws; `test` the errors of the test's."""

    c: float
    by_c: dict[float, list[float]]
    test: np.ndarray
    confusion: np.ndarray
    """(K, K): true classes by predicted ones, over all tests."""

    def details(self, names: Sequence[str]) -> dict[str, Any]:
        """For a result."""
        by_class = 1 - np.diag(self.confusion) / np.maximum(1, self.confusion.sum(1))
        return {
            "validation_error_by_C": {f"{c:g}": [round(100 * each, 4) for each in errors] for c, errors in self.by_c.items()},
            "test_error_by_draw": [round(100 * each, 4) for each in self.test],
            "test_error_by_class": {name: round(100 * each, 4) for name, each in zip(names, by_class.tolist(), strict=True)},
            "confusion": self.confusion.tolist(),
        }


def on_all_labels(parts: Parts, extract: Extract, solver: str, cs: Sequence[float]) -> Outcome:
    """Train on the training data with each C, choose by the validation data, test.

    Validation examples that we have set aside are put back for a final training. To choose, our solver need not go to the end;
    then the final training does.
    """
    names, y = parts.train.names, parts.train.y
    rows, validation = extract(parts.train, "Training features"), extract(parts.validation, "Validation features")
    test = extract(parts.test, "Test features")
    tol = CHOOSING if solver == "torch" else None
    weights = train(solver, rows, y, len(names), cs, tol)
    errors = _errors(validation, weights, parts.validation.y)
    best = int(np.argmin(errors))
    final = weights[best : best + 1]
    if parts.set_aside:
        rows, y = Rows.of([*rows.blocks, *validation.blocks], rows.device), torch.cat([y, parts.validation.y])
    if parts.set_aside or tol is not None:
        final = train(solver, rows, y, len(names), cs[best : best + 1])
    found = predictions(test, final)[0]
    return Outcome(
        c=cs[best],
        by_c={c: [error] for c, error in zip(cs, errors.tolist(), strict=True)},
        test=np.array([(found != parts.test.y).double().mean().item()]),
        confusion=_confusion(parts.test.y, found, len(names)),
    )


def on_draws(
    parts: Parts, extract: Extract, solver: str, cs: Sequence[float], per_class: int, draws: int, tests: int, seed: int
) -> Outcome:
    """`per_class` examples of each class: `draws` times for each C, judged on the validation data; then `tests` times, tested.

    As the authors' svhn/svhn_semisup_analysis.py: every C has draws of its own, from one stream, and the tests go on with it.
    """
    names, stream = parts.train.names, Draws(parts.train.labels, parts.train.names, per_class, seed)
    for_c = [[stream.next() for _ in range(draws)] for _ in cs]
    for_test = [stream.next() for _ in range(tests)]
    used, index = np.unique(np.concatenate([*(each for one in for_c for each in one), *for_test]), return_inverse=True)
    drawn = iter(index.reshape(-1, per_class * len(names)))
    pool = parts.train.at(used)
    rows, validation = extract(pool, "Training features"), extract(parts.validation, "Validation features")
    test = extract(parts.test, "Test features")
    y, bar = pool.y, tqdm(total=len(cs) * draws + tests, desc="Training on draws", disable=None, leave=False)

    def trained(c: float) -> torch.Tensor:
        chosen = torch.from_numpy(next(drawn))
        bar.update()
        return train(solver, rows.chosen(chosen), y[chosen], len(names), [c])

    with bar:
        weights = torch.cat([trained(c) for c in cs for _ in range(draws)])
        errors = _errors(validation, weights, parts.validation.y).reshape(len(cs), draws)
        c = cs[int(errors.mean(1).argmin())]
        found = predictions(test, torch.cat([trained(c) for _ in range(tests)]))
    return Outcome(
        c=c,
        by_c=dict(zip(cs, errors.tolist(), strict=True)),
        test=(found != parts.test.y).double().mean(1).numpy(),
        confusion=sum(_confusion(parts.test.y, each, len(names)) for each in found),  # type: ignore[arg-type]  # there is one
    )


def _errors(rows: Rows, weights: torch.Tensor, y: torch.Tensor) -> np.ndarray:
    """Shares of wrong predictions (M,) of each of the classifiers."""
    errors: np.ndarray = (predictions(rows, weights) != y).double().mean(1).numpy()
    return errors


def _confusion(y: torch.Tensor, found: torch.Tensor, num_classes: int) -> np.ndarray:
    counts: np.ndarray = torch.bincount(y * num_classes + found, minlength=num_classes**2).view(num_classes, -1).numpy()
    return counts
