"""A multilayer perceptron, generator or discriminator of vectors, and of anything small."""

from __future__ import annotations

import itertools
import math

import torch
from attrs import field, frozen
from torch import nn

from ganskit import Architecture, Shape
from ganskit.validators import positive


@frozen
class MLP(Architecture):
    """`layers` hidden layers of `width` units with ReLU, and a linear output. Any shapes: they are flattened."""

    width: int = field(default=128, validator=positive)
    layers: int = field(default=3, validator=positive)

    def build(self, shape: Shape) -> nn.Module:
        """x (N, *input) -> (N, *output). Weights before a ReLU are N(0, 2 / inputs), as in He 2015, eq. 10, and those of the
        output N(0, 1 / inputs), which is ganskit's choice; biases 0.
        """
        sizes = [math.prod(shape.input), *[self.width] * self.layers]
        net: list[nn.Module] = [nn.Flatten()]
        for inputs, outputs in itertools.pairwise(sizes):
            net += [_linear(inputs, outputs, "relu"), nn.ReLU()]
        net += [_linear(sizes[-1], math.prod(shape.output), "linear"), nn.Unflatten(1, shape.output)]
        return nn.Sequential(*net)


def _linear(inputs: int, outputs: int, before: str) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    gain = math.sqrt(2) if before == "relu" else 1.0
    with torch.no_grad():
        layer.weight.normal_(0.0, gain / math.sqrt(inputs))
        layer.bias.zero_()
    return layer
