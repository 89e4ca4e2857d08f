"""How many modes of a mixture a generator has found, and how many of its samples belong to one."""

from __future__ import annotations

import torch
from attrs import field, frozen

from ganskit import Evaluator, Model, Result, UserError
from ganskit.validators import not_negative, positive
from ganskit_stabilizers.gaussians import Gaussians

BINS = 128


@frozen
class Modes(Evaluator):
    """Srivastava 2017, the experiments on synthetic data, as the authors' page tells them (github.com/akashgit/VEEGAN, index.md).

    A sample is of high quality "if it is within three standard deviations of the nearest mode". The modes captured are
    "the number of mixture components whose mean is nearest to at least one high quality sample". They count 2,500
    samples. Of true samples 1 - exp(-9/2) = 98.9 % are of high quality.

    `reverse_kl` is ganskit's addition, after Lin 2018: KL(generated || data) over the modes, with every sample counted for
    its nearest one. Their published program divides what is of high quality only (extensions.py).
    """

    num: int = field(default=2500, validator=positive)
    seed: int = field(default=0, validator=not_negative)
    within_stds: float = field(default=3.0, validator=positive)

    def evaluate(self, model: Model) -> Result:
        """`modes`, `num_modes`, `high_quality`, `reverse_kl`, and a picture of the density. Raises UserError for other data."""
        data = model.recipe.data
        if not isinstance(data, Gaussians):
            raise UserError(f'modes is for models of the dataset "gaussians"; this one was trained on {type(data).__name__}.')
        x = model.sample(self.num, self.seed).double()
        return Result(
            numbers=measure(x, torch.from_numpy(data.centres), self.within_stds * data.std),
            protocol={
                "num_samples": self.num, "seed": self.seed, "within_stds": self.within_stds,
                "layout": data.layout, "std": data.std,
            },
            pictures={"density": density(x, 1.25 * float(abs(data.centres).max()))},
        )  # fmt: skip


def measure(x: torch.Tensor, centres: torch.Tensor, radius: float) -> dict[str, float]:
    """The numbers for samples x (N, 2) and centres (K, 2)."""
    distance, nearest = torch.cdist(x, centres).min(1)
    good = distance <= radius
    p = torch.bincount(nearest, minlength=len(centres)) / len(x)
    return {
        "modes": int(torch.bincount(nearest[good], minlength=len(centres)).count_nonzero()),
        "num_modes": len(centres),
        "high_quality": good.double().mean().item(),
        "reverse_kl": torch.special.xlogy(p, p * len(centres)).sum().item(),
    }


def density(x: torch.Tensor, reach: float) -> torch.Tensor:
    """Where samples x (N, 2) lie in [-reach, reach]^2, dark on light: (1, 1, 128, 128) in [-1, 1]."""
    cells = ((x + reach) / (2 * reach) * BINS).floor().long()
    column, row = cells[((cells >= 0) & (cells < BINS)).all(1)].T
    counts = torch.bincount((BINS - 1 - row) * BINS + column, minlength=BINS * BINS).view(1, 1, BINS, BINS)
    return 1 - 2 * (counts / 3).clamp(max=1)  # three samples in a cell are black
