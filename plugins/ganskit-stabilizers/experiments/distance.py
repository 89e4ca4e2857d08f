"""How far a run's samples are from data it was not trained on: python distance.py RUN...

The sliced Wasserstein distance in pixels between 1,000 samples and 1,000 rooms of another seed. No critic computes it, and it is
the same for every game; it is no FID.
"""

from __future__ import annotations

import sys

import torch

from ganskit import Model, evolve, load

NUM, DIRECTIONS = 1000, 256


def sliced_wasserstein(x: torch.Tensor, y: torch.Tensor) -> float:
    """Mean over random unit directions of the Wasserstein distance between the projections of x and y (N, ...)."""
    directions = torch.randn(x[0].numel(), DIRECTIONS, generator=torch.Generator().manual_seed(0))
    directions /= directions.norm(dim=0)
    (a, _), (b, _) = ((each.flatten(1) @ directions).sort(0) for each in (x, y))
    return (a - b).abs().mean().item()


def held_out(model: Model, num: int) -> torch.Tensor:
    """Data like the model's, of another seed."""
    other = evolve(model.recipe, data=evolve(model.recipe.data, seed=model.recipe.data.seed + 1))
    return Model(other, model.nets, model.samples, model.device).real(num)["x"]


def distance(model: Model) -> float:
    """Of 1,000 samples."""
    return sliced_wasserstein(model.sample(NUM), held_out(model, NUM))


if __name__ == "__main__":
    for run in sys.argv[1:]:
        model = load(run)
        truth = sliced_wasserstein(model.real(NUM)["x"], held_out(model, NUM))
        print(f"{run}: {distance(model):.3f}; of training data {truth:.3f}")
