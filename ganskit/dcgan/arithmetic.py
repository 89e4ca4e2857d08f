"""Fig. 7 of the DCGAN paper: arithmetic on concepts."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import torch
from attrs import field, frozen
from attrs.validators import optional

from ganskit import Dataset, Evaluator, Model, Picture, Recipe, Result, UserError
from ganskit.dcgan.exemplars import Judge, Pool, Term, Z, check_attributes, check_exemplars, combined, judge
from ganskit.validators import at_least, fraction, not_empty, not_negative

NOISE = 0.25
"""Fig. 7: "uniform noise sampled with scale +-0.25 was added to Y to produce the 8 other samples"."""
WHITE = 1.0


@frozen(kw_only=True)
class Arithmetic(Evaluator):
    """Radford 2016, section 6.3.2 and fig. 7: a - b + c, on the means of the exemplars' z; then G makes a picture of it.

    "Experiments working on only single samples per concept were unstable, but averaging the Z vector for three examplars showed
    consistent and stable generations that semantically obeyed the arithmetic."

    Exemplars are numbers of the first `num` samples of `seed`: `a`, `b` and `c`, all three of them. Or, without them, a
    classifier of attributes picks them: `change` is what a has and b and c have not, `onto` is what c has and a and b have not;
    the result should have both. The paper's smiling woman - neutral woman + neutral man is change = "smile", onto = "man", and
    its man with glasses - man without glasses + woman without glasses is change = "glasses", onto = "not man".

    The classifier is trained by ganskit on `data` with a field "attributes" (None: the run's own; portraits and CelebA have
    some), for `classifier_samples`. Samples of a `confidence` or more are exemplars. It then says how often the result is what
    was intended, over `repeats` draws of `exemplars` for each concept, over as many of single ones, and by chance: when all
    exemplars are drawn from all samples. With exemplars by number there is only the picture.

    Raises UserError for exemplars that do not exist, data without attributes, unknown ones, and fewer samples than exemplars.
    """

    a: tuple[int, ...] | None = field(default=None, validator=optional(not_empty))
    b: tuple[int, ...] | None = field(default=None, validator=optional(not_empty))
    c: tuple[int, ...] | None = field(default=None, validator=optional(not_empty))
    change: str = "smile"
    onto: str = "man"
    data: Dataset | None = None
    exemplars: int = field(default=3, validator=at_least(1))
    num: int = field(default=2000, validator=at_least(1))
    seed: int = field(default=0, validator=not_negative)
    confidence: float = field(default=0.9, validator=fraction)
    repeats: int = field(default=200, validator=at_least(1))
    scale: float = field(default=NOISE, validator=not_negative)
    classifier_samples: int | None = None

    def check(self, recipe: Recipe) -> None:
        """Raises UserError for exemplars that do not exist, data without attributes, and unknown ones."""
        chosen = [each for each in (self.a, self.b, self.c) if each is not None]
        check_exemplars(recipe, self.num, self.seed, itertools.chain(*chosen))
        if len(chosen) in (1, 2):
            raise UserError("a, b and c are the exemplars of three concepts: give all of them, or none.")
        if chosen:
            return
        change, onto = Term.of(self.change), Term.of(self.onto)
        if change.attribute == onto.attribute:
            raise UserError(f'change and onto are both "{change.attribute}": expected two attributes.')
        check_attributes(self.data or recipe.data, change, onto)

    def evaluate(self, model: Model) -> Result:
        """The picture, and how often a classifier agrees. Raises UserError for attributes that too few samples have."""
        chosen = [each for each in (self.a, self.b, self.c) if each is not None]
        pool = Pool.of(model, self.num, self.seed)
        numbers: dict[str, float] = {}
        protocol: dict[str, Any] = {}
        details: dict[str, Any] = {}
        if chosen:
            groups = [np.array([each]) for each in chosen]
        else:
            groups, numbers, protocol, details = self._judged(model, pool)
        protocol |= {"num": self.num, "seed": self.seed, "scale": self.scale}
        details |= {name: groups[i][0].tolist() for i, name in enumerate("abc")}
        return Result(numbers, protocol, self._pictures(pool, [group[0] for group in groups]), details=details)

    def _judged(self, model: Model, pool: Pool) -> tuple[list[np.ndarray], dict[str, float], dict[str, Any], dict[str, Any]]:
        """Groups of exemplars (repeats, exemplars) for a, b and c; the numbers; the protocol; how many were found."""
        change, onto = Term.of(self.change), Term.of(self.onto)
        says = judge(model, self.data, self.classifier_samples)
        says.check(change, onto)
        rng = np.random.default_rng(self.seed)
        x = model.sample(self.num, self.seed)
        concepts = ((change, onto.opposite), (change.opposite, onto.opposite), (change.opposite, onto))
        found = [says.pick(x, self.confidence, self.exemplars, *terms) for terms in concepts]
        groups = [_groups(rng, each, self.repeats, self.exemplars) for each in found]
        single = [_groups(rng, each, self.repeats, 1) for each in found]
        anyone = [_groups(rng, np.arange(self.num), self.repeats, min(self.exemplars, self.num)) for _ in concepts]
        intended = (change, onto)
        numbers = _shares(says, pool, groups, intended)
        numbers |= {f"{name}_single": value for name, value in _shares(says, pool, single, intended).items()}
        numbers["agreement_by_chance"] = _shares(says, pool, anyone, intended)["agreement"]
        numbers["samples_as_intended"] = says.agrees(x, *intended).float().mean().item()
        protocol = {
            "concepts": {name: [str(term) for term in terms] for name, terms in zip("abc", concepts, strict=True)},
            "intended": [str(term) for term in intended],
            "exemplars": self.exemplars,
            "confidence": self.confidence,
            "repeats": self.repeats,
            "classifier": dict(says.protocol),
        }
        return groups, numbers, protocol, {"found": dict(zip("abc", map(len, found), strict=True))}

    def _pictures(self, pool: Pool, chosen: list[np.ndarray]) -> dict[str, Picture]:
        """The paper's layout: a column for each concept with its mean at the foot; beside them the result amid its neighbours."""
        model, deep = pool.model, max(3, *map(len, chosen))
        means = [pool.mean(each[None]) for each in chosen]
        y = _arithmetic(*means)
        x_mean, x_y = (
            torch.cat([model.from_z(z, self.seed) for z in zs]) for zs in (means, [_neighbours(y, self.scale, self.seed)])
        )
        exemplars = [model.from_z(pool.rows(each), self.seed) for each in chosen]
        blank = torch.full_like(x_mean[0], WHITE)
        rows = []
        for i in range(deep):
            beside = list(x_y[3 * i : 3 * i + 3]) if i < 3 else [blank] * 3
            rows += [each[i] if i < len(each) else blank for each in exemplars] + [blank] + beside
        rows += [*x_mean] + [blank] * 4
        pixels = (exemplars[0].mean(0) - exemplars[1].mean(0) + exemplars[2].mean(0)).clamp(-1, 1)
        return {
            "arithmetic": Picture(
                torch.stack(rows),
                7,
                "Columns a, b and c: exemplars, and at the foot what G makes of their mean z. Right: a - b + c, and around it "
                f"eight neighbours at uniform noise of +-{self.scale:g}.",
            ),
            "pixels": Picture(
                torch.stack([x_y[4], pixels]),
                2,
                "a - b + c of z, and of the exemplars' pixels: in the input space things overlap.",
            ),
        }


def _groups(rng: np.random.Generator, among: np.ndarray, num: int, size: int) -> np.ndarray:
    """(num, size) samples, different ones within a group."""
    return np.stack([rng.choice(among, size, replace=False) for _ in range(num)])


def _arithmetic(a: Z, b: Z, c: Z) -> Z:
    return combined((1, a), (-1, b), (1, c))


def _neighbours(y: Z, scale: float, seed: int) -> Z:
    """Nine times y (1, ...); to all but the fifth, which is the centre of 3x3, uniform noise is added."""
    generator = torch.Generator().manual_seed(seed)
    made = {}
    for name, centre in y.items():
        noise = (torch.rand(9, *centre.shape[1:], generator=generator) * 2 - 1) * scale
        noise[4] = 0
        made[name] = centre + noise
    return made


def _shares(says: Judge, pool: Pool, groups: list[np.ndarray], intended: tuple[Term, Term]) -> dict[str, float]:
    """In which share of the results both terms hold, the change was made, and what it was made onto was kept."""
    x = pool.model.from_z(_arithmetic(*(pool.mean(each) for each in groups)), pool.seed)
    right = says.score(x, *intended) > 0
    changed, kept = right.float().mean(0).tolist()
    return {"agreement": right.all(1).float().mean().item(), "changed": changed, "kept": kept}
