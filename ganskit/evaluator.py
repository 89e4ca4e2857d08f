"""What an evaluator is: it looks at a trained model and returns numbers, pictures and how they were made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from attrs import field, frozen
from attrs.validators import optional

from ganskit.errors import UserError
from ganskit.registry import Pluggable
from ganskit.validators import at_least

if TYPE_CHECKING:
    from ganskit.evaluate.model import Model
    from ganskit.recipe import Recipe


@frozen(eq=False)
class Picture:
    """Pictures to show together: `x` (N, 1 or 3, H, W) in [-1, 1], `columns` to a row (None: as square as can be)."""

    x: torch.Tensor
    columns: int | None = None
    caption: str = ""


@frozen(eq=False)
class Result:
    """What an evaluation found.

    `numbers` by name; `protocol` is what one must know to repeat them (samples, seeds, splits, weights), as values that JSON can
    hold; `details`, also JSON, has tables and whatever else is no single number. `pictures` by name are shown as grids, a
    tensor (N, 1 or 3, H, W) in [-1, 1] or a `Picture`; `plots` by name are SVG texts.
    """

    numbers: Mapping[str, float]
    protocol: Mapping[str, Any] = field(factory=dict)
    pictures: Mapping[str, torch.Tensor | Picture] = field(factory=dict)
    plots: Mapping[str, str] = field(factory=dict)
    details: Mapping[str, Any] = field(factory=dict)


@frozen
class Evaluator(Pluggable):
    """A measurement of trained models. Its fields are its options; seeds are among them."""

    def check(self, recipe: Recipe) -> None:
        """Raise UserError if no model of `recipe` can be measured so, or if a file is missing.

        It is asked before `evaluate`, and before a training with this evaluation begins.
        """

    def real_examples(self) -> int:
        """So many different examples of the data that the model was trained on are needed.

        A training with this evaluation does not begin with fewer.
        """
        return 0

    def evaluate(self, model: Model) -> Result:
        """Measure `model`, and leave it and torch's random numbers as they were.

        `model.sample(num, seed)` draws samples, `model.real(num, seed)` gives real data, `model.nets` are the nets. Raises
        UserError for a model that cannot be measured so.
        """
        raise NotImplementedError


def is_name(name: str) -> bool:
    """Whether an evaluation can be kept under this name: it is a folder's."""
    return bool(re.fullmatch(r"\w[\w.-]{,99}", name))


def find_number(numbers: Mapping[str, float], name: str, whose: str) -> str:
    """The full name of a number: "fd" stands for "fd[NET]". Raises UserError, naming those there are."""
    found = [key for key in numbers if key == name or key.partition("[")[0] == name]
    if len(found) != 1:
        raise UserError(f'{whose} gives no number "{name}", only {", ".join(numbers)}.')
    return found[0]


@frozen(kw_only=True)
class Evaluation:
    """An evaluator in a training: at its end, and `every` so many samples before (None: at its end only).

    `ema`: of the moving averages, where the run has them. `best` is the number by which the best checkpoint is kept beside the
    last ("": none is; "fd" stands for "fd[NET]", whatever the net); the lowest is best, or with `higher` the highest.
    """

    evaluator: Evaluator
    every: int | None = field(default=None, validator=optional(at_least(1)))
    ema: bool = True
    best: str = ""
    higher: bool = False
