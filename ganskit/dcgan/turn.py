"""Fig. 8 of the DCGAN paper: a vector that turns faces."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from attrs import field, frozen
from attrs.validators import optional

from ganskit import Dataset, Evaluator, Model, Picture, Recipe, Result, UserError
from ganskit.dcgan.exemplars import Judge, Pool, Term, Z, check_attributes, check_exemplars, combined, judge
from ganskit.validators import at_least, fraction, not_empty, not_negative, positive

FARTHEST = 1000
"""Times the vector; noise in (-1, 1) has nothing to find so far outside of it."""


@frozen(kw_only=True)
class Turn(Evaluator):
    """Radford 2016, fig. 8: 'A "turn" vector was created from four averaged samples of faces looking left vs looking right. By
    adding interpolations along this axis to random samples we were able to reliably transform their pose.'

    The vector is the mean z of the samples in `right` less that of those in `left`: numbers of the first `num` samples of `seed`.
    Without them `exemplars` of each are picked at random among those of which a classifier says with `confidence` that
    `attribute` holds, or does not. It is trained by ganskit on `data` with a field "attributes" (None: the run's own; portraits
    have "turn": to the viewer's right), for `classifier_samples`. One can move along any other attribute in the same way.

    Each row of the picture is a random sample z, in the middle, and z + t * vector for `steps` values t from -`reach` to `reach`.
    Over `rows` random samples, of another seed: `correlation` of t with the classifier's logit along a row, on average;
    `monotone`, the share of rows along which it never falls; `turned`, the share that goes from left to right. Each of them also
    for a vector made of samples drawn at random, another one for each row (`..._by_chance`). With exemplars by number and no
    `data`, there is only the picture.

    Raises UserError for samples that do not exist, data without attributes, an unknown one, and fewer samples than exemplars.
    """

    left: tuple[int, ...] | None = field(default=None, validator=optional(not_empty))
    right: tuple[int, ...] | None = field(default=None, validator=optional(not_empty))
    attribute: str = "turn"
    data: Dataset | None = None
    exemplars: int = field(default=4, validator=at_least(1))
    num: int = field(default=2000, validator=at_least(1))
    seed: int = field(default=0, validator=not_negative)
    confidence: float = field(default=0.9, validator=fraction)
    reach: float = field(default=1.0, validator=positive)
    steps: int = field(default=9, validator=at_least(2))
    rows: int = field(default=100, validator=at_least(1))
    shown: int = field(default=8, validator=at_least(1))
    classifier_samples: int | None = None

    def __attrs_post_init__(self) -> None:
        if self.reach > FARTHEST:
            raise UserError(
                f"reach is {self.reach:g}: expected {FARTHEST:,} at most; the paper goes to the samples' own poses, 1."
            )

    def check(self, recipe: Recipe) -> None:
        """Raises UserError for exemplars that do not exist, data without attributes, and an unknown one."""
        check_exemplars(recipe, self.num, self.seed, (*(self.left or ()), *(self.right or ())))
        if bool(self.left) != bool(self.right):
            raise UserError("left and right are the exemplars of two poses: give both, or neither.")
        if self.left and sorted(self.left) == sorted(self.right or ()):
            raise UserError("left and right are the same samples, so the vector between them is zero: give samples of two poses.")
        if self._is_judged:
            check_attributes(self.data or recipe.data, Term.of(self.attribute))

    def evaluate(self, model: Model) -> Result:
        """The picture, and how the classifier's opinion changes along its rows. Raises UserError for too few exemplars."""
        pool, rng = Pool.of(model, self.num, self.seed), np.random.default_rng(self.seed)
        says = self._judge(model)
        left, right = (np.array(each or (), dtype=np.int64) for each in (self.left, self.right))
        numbers: dict[str, float] = {}
        protocol: dict[str, Any] = {"attribute": self.attribute}
        details: dict[str, Any] = {}
        if says is not None and not self.left:
            x, term = model.sample(self.num, self.seed), Term.of(self.attribute)
            found = [says.pick(x, self.confidence, self.exemplars, each) for each in (term.opposite, term)]
            left, right = (rng.choice(each, self.exemplars, replace=False) for each in found)
            protocol["confidence"] = self.confidence
            details["found"] = dict(zip(("left", "right"), map(len, found), strict=True))
        vector = _vector(pool, left[None], right[None])
        along = self._rows(model, vector)
        if says is not None:
            anyone = (rng.integers(self.num, size=(self.rows, len(each))) for each in (left, right))
            numbers |= self._numbers(says, along)
            by_chance = self._numbers(says, self._rows(model, _vector(pool, *anyone)))
            numbers |= {f"{name}_by_chance": value for name, value in by_chance.items()}
            protocol["classifier"] = dict(says.protocol)
        lengths = [each.flatten().double().norm().item() for each in vector.values()]
        protocol |= {
            "num": self.num,
            "seed": self.seed,
            "rows": self.rows,
            "rows_seed": self.seed + 1,
            "t": self._t().tolist(),
        }
        details |= {"left": left.tolist(), "right": right.tolist()}
        caption = "Each row: a random sample in the middle, moved along the vector from left to right."
        picture = Picture(along[: self.shown].flatten(0, 1), self.steps, caption)
        return Result(numbers | {"vector_length": math.hypot(*lengths)}, protocol, {"turn": picture}, details=details)

    @property
    def _is_judged(self) -> bool:
        """By a classifier: unless exemplars are given and no data for it."""
        return not self.left or self.data is not None

    def _judge(self, model: Model) -> Judge | None:
        """The classifier, if there is to be one. Raises UserError for an attribute that it has not learnt."""
        if not self._is_judged:
            return None
        says = judge(model, self.data, self.classifier_samples)
        says.check(Term.of(self.attribute))
        return says

    def _t(self) -> torch.Tensor:
        return torch.linspace(-self.reach, self.reach, self.steps)

    def _rows(self, model: Model, vector: Z) -> torch.Tensor:
        """Pictures (rows, steps, C, H, W) along one vector (1, ...), or along one for each row (rows, ...)."""
        t = self._t()
        z = {
            name: (rows[:, None] + t.view(1, -1, *[1] * (rows.ndim - 1)) * vector[name][:, None]).flatten(0, 1)
            for name, rows in model.z(self.rows, self.seed + 1).items()
        }
        x = model.from_z(z, self.seed + 1)
        return x.view(self.rows, self.steps, *x.shape[1:])

    def _numbers(self, says: Judge, along: torch.Tensor) -> dict[str, float]:
        """Of pictures (rows, steps, C, H, W)."""
        logits = says.score(along.flatten(0, 1), Term.of(self.attribute)).view(along.shape[:2]).double()
        apart = logits - logits.mean(1, keepdim=True)
        t = self._t().double()
        correlation = (apart @ t) / (apart.norm(dim=1) * t.norm()).clamp(min=1e-12)
        return {
            "correlation": correlation.mean().item(),
            "monotone": (logits.diff(dim=1) >= 0).all(1).double().mean().item(),
            "turned": ((logits[:, 0] < 0) & (logits[:, -1] > 0)).double().mean().item(),
        }


def _vector(pool: Pool, left: np.ndarray, right: np.ndarray) -> Z:
    """The mean z of each row of `right` (R, E) less that of `left`: (R, ...)."""
    return combined((1, pool.mean(right)), (-1, pool.mean(left)))
