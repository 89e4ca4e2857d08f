"""Exemplars of visual concepts among a model's samples: chosen by their number, or picked by what a classifier says of them.

Radford 2016, section 6.3.2: "We performed similar arithmetic on the Z vectors of sets of exemplar samples for visual concepts."
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from attrs import frozen

from ganskit import Dataset, Model, Recipe, UserError
from ganskit.data.attributes import with_attributes
from ganskit.errors import nearest
from ganskit.evaluate.learned import Classifier, classifier

Z = dict[str, torch.Tensor]


@frozen(eq=False)
class Pool:
    """The first `num` samples of a seed, which exemplars are taken from: their noise z by name, (num, ...)."""

    model: Model
    num: int
    seed: int
    z: Z

    @classmethod
    def of(cls, model: Model, num: int, seed: int) -> Pool:
        """Their noise is drawn."""
        return cls(model, num, seed, model.z(num, seed))

    def rows(self, chosen: Sequence[int] | np.ndarray) -> Z:
        """The noise of these samples."""
        return {name: rows[np.asarray(chosen, dtype=np.int64)] for name, rows in self.z.items()}

    def mean(self, groups: np.ndarray) -> Z:
        """The mean noise of each row of groups (R, E) of samples: (R, ...)."""
        return {name: rows[torch.from_numpy(groups)].mean(1) for name, rows in self.z.items()}


def check_exemplars(recipe: Recipe, num: int, seed: int, chosen: Iterable[int]) -> None:
    """Raise UserError for a game without noise, and for exemplars that are not among so many samples."""
    if not recipe.game.noises():
        raise UserError(f'"{recipe.name}" makes its samples without noise: there is nothing to calculate with.')
    for each in chosen:
        if not 0 <= each < num:
            raise UserError(
                f"There is no sample {each} among the {num:,} of seed {seed}: they are numbered from 0 to {num - 1:,}. "
                "Choose another, or set num."
            )


def combined(*weighted: tuple[float, Z]) -> Z:
    """The weighted sum of noises, by name."""
    return {name: torch.stack([weight * z[name] for weight, z in weighted]).sum(0) for name in weighted[0][1]}


@frozen
class Term:
    """An attribute that is wanted, or with `wanted` false is not: "smile", "not man"."""

    attribute: str
    wanted: bool = True

    @classmethod
    def of(cls, text: str) -> Term:
        """Reads "smile" or "not smile"."""
        words = text.split(maxsplit=1)
        negated = len(words) == 2 and words[0].lower() == "not"
        return cls(words[1].strip() if negated else text.strip(), not negated)

    @property
    def opposite(self) -> Term:
        """The attribute is wanted the other way."""
        return Term(self.attribute, not self.wanted)

    def __str__(self) -> str:
        return self.attribute if self.wanted else f"not {self.attribute}"


@frozen(eq=False)
class Judge:
    """A classifier of attributes that says of samples whether they are what was intended."""

    classifier: Classifier

    def check(self, *terms: Term) -> None:
        """Raises UserError for an attribute that it does not know."""
        _check_terms(self.classifier.names, *terms)

    def score(self, x: torch.Tensor, *terms: Term) -> torch.Tensor:
        """x (N, C, H, W) -> (N, T): the logit of each term, above zero where it holds.

        Raises UserError for unknown attributes.
        """
        self.check(*terms)
        columns = [self.classifier.names.index(term.attribute) for term in terms]
        signs = torch.tensor([1.0 if term.wanted else -1.0 for term in terms])
        return self.classifier.logits(x)[:, columns] * signs

    def agrees(self, x: torch.Tensor, *terms: Term) -> torch.Tensor:
        """Whether all terms hold, (N,) bool."""
        return (self.score(x, *terms) > 0).all(1)

    def pick(self, x: torch.Tensor, confidence: float, least: int, *terms: Term) -> np.ndarray:
        """Which pictures of x all terms hold for, each with this probability at least.

        Raises UserError for fewer than `least`.
        """
        sure = self.score(x, *terms).sigmoid() >= confidence
        found = sure.all(1).nonzero().flatten().numpy()
        if len(found) < least:
            what = " and ".join(f'"{term}"' for term in terms)
            raise UserError(
                f"{len(found)} of the {len(x):,} samples looked through are {what} with a probability of {confidence:g} or more, "
                f"and {least} are needed: look through more (num), lower confidence, or choose exemplars by their numbers."
            )
        return found

    @property
    def protocol(self) -> Mapping[str, Any]:
        """How the classifier was made."""
        return self.classifier.protocol


def _check_terms(names: Sequence[str], *terms: Term) -> None:
    for term in terms:
        if term.attribute not in names:
            raise UserError(f'There is no attribute "{term.attribute}". {nearest(term.attribute, names)}')


def check_attributes(data: Dataset, *terms: Term) -> None:
    """Raise UserError for data without attributes, and for terms that are not among those whose names are known beforehand."""
    names = with_attributes(data).provides()["attributes"].classes
    if names:
        _check_terms(names, *terms)


def judge(model: Model, data: Dataset | None, samples: int | None) -> Judge:
    """The judge trained on `data` (None: what the model was trained on), for so many `samples` (None: the classifier's budget).

    Raises UserError for data without attributes.
    """
    return Judge(classifier(with_attributes(data or model.recipe.data), "attributes", samples=samples, device=str(model.device)))
