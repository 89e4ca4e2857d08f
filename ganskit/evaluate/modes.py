"""How much of a mixture a generator covers: its modes, how evenly, and how many of its samples belong to one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from attrs import field, frozen

from ganskit.errors import UserError
from ganskit.evaluate.model import Model
from ganskit.evaluate.required import shape_of
from ganskit.evaluator import Evaluator, Picture, Result
from ganskit.recipe import Recipe
from ganskit.validators import at_least, positive

BINS = 128


@frozen
class ModeCoverage(Evaluator):
    """Srivastava 2017 (VEEGAN; the synthetic data) and Lin 2018 (PacGAN), section 4.1, for mixtures of equal round Gaussians.

    A sample is of high quality within `within_stds` standard deviations of the nearest centre; a mode is covered when it is the
    nearest of at least one such sample. `reverse_kl` is KL(generated || uniform) over the modes, every sample counted for the
    nearest one; `reverse_kl_high_quality` counts what is of high quality only, as Lin's published program does (extensions.py).
    Both papers draw 2,500 samples.

    The mixture is the dataset's, if it says so by two attributes, `centres` (K, D) and `std`, in the units of `x`; or it is given
    by the options `centres` and `std`.
    """

    num: int = field(default=2500, validator=at_least(1))
    seed: int = field(default=0, validator=at_least(0))
    within_stds: float = field(default=3.0, validator=positive)
    centres: tuple[tuple[float, ...], ...] = ()
    std: float | None = field(default=None, validator=positive)

    def check(self, recipe: Recipe) -> None:
        """Raises UserError for data without modes, or with others than given, and for fewer samples than modes."""
        check_enough("mode-coverage", self.num, len(self._mixture(recipe)[0]))

    def evaluate(self, model: Model) -> Result:
        """`modes` of `num_modes`, `high_quality`, and both divergences, in nats."""
        centres, std = self._mixture(model.recipe)
        x = model.sample(self.num, self.seed).flatten(1).double()
        distance, nearest = torch.cdist(x, centres).min(1)
        good = distance <= self.within_stds * std
        counts, good_counts = (torch.bincount(each, minlength=len(centres)) for each in (nearest, nearest[good]))
        dimension = x.shape[1]
        protocol = {"num": self.num, "seed": self.seed, "within_stds": self.within_stds, "std": std, "centres": centres.tolist()}
        details = {
            "counts": counts.tolist(),
            "high_quality_counts": good_counts.tolist(),
            "high_quality_of_true_samples": true_share(dimension, self.within_stds),
            "reverse_kl_of_true_samples": expected_kl(len(centres), self.num),
        }
        pictures = {"density": density(x, centres, std)} if dimension == 2 else {}
        numbers = {
            "modes": int(good_counts.count_nonzero()),
            "num_modes": len(centres),
            "high_quality": good.double().mean().item(),
            "reverse_kl": reverse_kl(counts),
            "reverse_kl_high_quality": reverse_kl(good_counts),
        }
        return Result(numbers, protocol, pictures, details=details)

    def _mixture(self, recipe: Recipe) -> tuple[torch.Tensor, float]:
        """Centres (K, D) float64 and the standard deviation. Raises UserError."""
        data = recipe.data
        given: Sequence[Sequence[float]] | None = self.centres or getattr(data, "centres", None)
        std = self.std if self.std is not None else getattr(data, "std", None)
        what = type(data).__name__
        if given is None or std is None:
            missing = " and ".join(name for name, value in (("centres", given), ("std", std)) if value is None)
            raise UserError(
                f"mode-coverage needs a mixture, and {what} does not say its {missing}: give the options centres, std."
            )
        dimension = math.prod(shape_of(recipe))
        if not len(given) or any(len(centre) != dimension for centre in given):
            found = sorted({len(centre) for centre in given})
            raise UserError(f"mode-coverage got centres of {found} numbers, and samples of {what} have {dimension}.")
        if not all(math.isfinite(value) for centre in given for value in centre):
            raise UserError("mode-coverage got centres that are not finite numbers: correct the option centres.")
        return torch.tensor([[float(value) for value in centre] for centre in given], dtype=torch.float64), float(std)


def check_enough(evaluator: str, num: int, num_modes: int) -> None:
    """Raise UserError when so few samples cannot cover so many modes."""
    if num < num_modes:
        raise UserError(f"{evaluator}: {num:,} samples cannot cover {num_modes:,} modes. Set num to {num_modes} or more.")


def reverse_kl(counts: torch.Tensor) -> float:
    """KL(generated || uniform) of samples counted by mode (K,), in nats: from 0 to log K; infinite when there are none."""
    if not counts.sum():
        return math.inf
    p = counts.double() / counts.sum()
    return max(0.0, float(torch.special.xlogy(p, p * len(p)).sum()))


def expected_kl(num_modes: int, num: int) -> float:
    """About what `reverse_kl` is for so many uniform draws: (K - 1) / 2N, the mean of chi-squared over 2N."""
    return (num_modes - 1) / (2 * num)


def true_share(dimension: int, stds: float) -> float:
    """Of a Gaussian in so many dimensions, what lies within so many standard deviations: 98.9 % of 2 within 3."""
    return float(torch.special.gammainc(torch.tensor(dimension / 2.0), torch.tensor(stds**2 / 2)))


def density(x: torch.Tensor, centres: torch.Tensor, std: float) -> Picture:
    """Where samples x (N, 2) lie around the centres, dark on light, y upwards."""
    low, high = centres.min(0).values, centres.max(0).values
    reach = 0.6 * float((high - low).max()) + 4 * std
    cells = (((x - (low + high) / 2) / (2 * reach) + 0.5) * BINS).floor().long()
    column, row = cells[((cells >= 0) & (cells < BINS)).all(1)].T
    counts = torch.bincount((BINS - 1 - row) * BINS + column, minlength=BINS * BINS).view(1, 1, BINS, BINS)
    caption = (
        f"Where {len(x):,} samples lie, and {len(centres)} modes within {reach:.3g} of the middle; three in a cell are black."
    )
    return Picture(1 - 2 * (counts / 3).clamp(max=1), caption=caption)
