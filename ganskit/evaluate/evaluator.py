"""What an evaluator is: it looks at a trained model and returns numbers, pictures and how they were made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from attrs import field, frozen

from ganskit.evaluate.model import Model
from ganskit.registry import Pluggable


@frozen
class Result:
    """What an evaluation found.

    `numbers` by name; `protocol` is what one must know to repeat them (samples, seeds, splits, weights), as values that JSON can
    hold; `pictures` by name, each (N, 1 or 3, H, W) in [-1, 1], are shown as grids.
    """

    numbers: Mapping[str, float]
    protocol: Mapping[str, Any] = field(factory=dict)
    pictures: Mapping[str, torch.Tensor] = field(factory=dict)


@frozen
class Evaluator(Pluggable):
    """A measurement of trained models. Its fields are its options; seeds are among them."""

    def evaluate(self, model: Model) -> Result:
        """Measure `model`, and leave it and torch's random numbers as they were.

        `model.sample(num, seed)` draws samples, `model.real(num, seed)` gives real data, `model.nets` are the nets. Raises
        UserError for a model that cannot be measured so.
        """
        raise NotImplementedError
