"""min over x, max over y of x y, from (1, 1): how far from the equilibrium (0, 0) each optimiser is (after Daskalakis 2018)."""

from __future__ import annotations

import math

import torch
from ganskit_stabilizers.optimism import OptimisticAdam

from ganskit import SGD, Adam, Optimizer

EVERY, ROWS = 4_000, 5


def distances(optimizer: Optimizer) -> list[float]:
    """After every 4,000 steps that both players take at once."""
    x, y = (torch.nn.Parameter(torch.ones((), dtype=torch.float64)) for _ in "xy")
    first, second = optimizer.build([("x", x)]), optimizer.build([("y", y)])
    out = []
    for _ in range(ROWS):
        for _ in range(EVERY):
            x.grad, y.grad = y.detach().clone(), -x.detach().clone()
            first.step()
            second.step()
        out.append(math.hypot(x.item(), y.item()))
    return out


if __name__ == "__main__":
    for optimizer in (SGD(lr=0.01), Adam(lr=0.01, beta1=0.0), OptimisticAdam(lr=0.01, beta1=0.0)):
        print(f"{type(optimizer).__name__:<15}", *(f"{each:10.4f}" for each in distances(optimizer)))
