"""Statistics of a layer's filters over many samples, and which of them have collapsed."""

from __future__ import annotations

from typing import Any

import torch

LEAST = 8
"""Maps with a side below this have too few frequencies for one of them to stand out."""
PERIODS = 2
"""An oscillation has at least so many periods across a map: below is a slope, of which natural pictures are full."""


class Filters:
    """Sums over the maps of one layer, `num` filters of `shape` (H, W), in double precision; `add` them batch by batch."""

    def __init__(self, num: int, shape: tuple[int, ...]) -> None:
        self.num, self.shape = num, shape
        self._samples = 0
        self._sum = torch.zeros(num, *shape, dtype=torch.float64)
        self._square = torch.zeros(num, *shape, dtype=torch.float64)
        self._product = torch.zeros(num, num, dtype=torch.float64)
        self._power = torch.zeros(num, *shape, dtype=torch.float64)

    def add(self, h: torch.Tensor) -> None:
        """Maps (N, num, H, W)."""
        h = h.detach().cpu().double()
        flat = h.transpose(0, 1).flatten(1)
        self._samples += len(h)
        self._sum += h.sum(0)
        self._square += h.square().sum(0)
        self._product += flat @ flat.T
        if self._tells_frequencies:
            varying = h - h.mean((2, 3), keepdim=True)
            self._power += torch.fft.fft2(varying).abs().square().sum(0)

    @property
    def _tells_frequencies(self) -> bool:
        return min(self.shape) >= LEAST

    @property
    def _correlation(self) -> torch.Tensor:
        """(num, num), 0 where a filter does not vary."""
        count = self._samples * self.shape[0] * self.shape[1]
        mean = self._sum.sum((1, 2)) / count
        covariance = self._product / count - mean[:, None] * mean
        deviation = self._deviation
        alive = deviation > 1e-6 * self._square.mean((1, 2)).div(self._samples).sqrt()  # what is left of rounding
        scale = torch.where(alive, 1 / deviation.clamp(min=1e-150), 0.0)
        return covariance * scale[:, None] * scale

    @property
    def _deviation(self) -> torch.Tensor:
        """Standard deviation (num,) over samples and positions."""
        count = self._samples * self.shape[0] * self.shape[1]
        variance = self._square.sum((1, 2)) / count - (self._sum.sum((1, 2)) / count).square()
        return variance.clamp(min=0).sqrt()

    @property
    def _over_samples(self) -> torch.Tensor:
        """Standard deviation (num,) over samples, root mean square of all positions."""
        variance = self._square / self._samples - (self._sum / self._samples).square()
        return variance.clamp(min=0).mean((1, 2)).sqrt()

    @property
    def rank(self) -> float:
        """Roy & Vetterli 2007, definition 1: exp(H(p)), here of the correlation matrix's eigenvalues p, which sum to 1."""
        eigenvalues = torch.linalg.eigvalsh(self._correlation).clamp(min=0)
        if not eigenvalues.sum() > 0:
            return 0.0
        p = eigenvalues / eigenvalues.sum()
        return float(torch.exp(-(p * p.clamp(min=1e-300).log()).sum()))

    def peaks(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The share (num,) of a filter's power at its strongest frequency, and that frequency (num, 2) in periods per map.

        The eight neighbours of a frequency and its mirror image count with it, but nothing of fewer than two periods does.
        Shares of maps that are too small, or do not vary, are 0.
        """
        height, width = self.shape
        frequencies = [torch.fft.fftfreq(side, 1 / side).round().long() for side in self.shape]
        high = torch.maximum(frequencies[0].abs()[:, None], frequencies[1].abs()[None]) >= PERIODS
        power = torch.where(high, self._power, 0.0)
        around = sum(power.roll((i, j), (1, 2)) for i in (-1, 0, 1) for j in (-1, 0, 1))
        assert isinstance(around, torch.Tensor)
        centre = torch.where(high, self._power, -1.0).flatten(1).argmax(1)
        rows, columns = centre // width, centre % width
        units = torch.arange(self.num)
        own = around[units, rows, columns]
        # the mirror image has as much again, unless it is the same place, or so near that both were counted already
        mirrored = torch.stack([-rows % height, -columns % width])
        apart = torch.stack([_apart(rows, mirrored[0], height), _apart(columns, mirrored[1], width)]).amax(0)
        own = torch.where(apart > 2, 2 * own, own)
        total = self._power.sum((1, 2))
        share = torch.where(total > 0, own / total.clamp(min=1e-300), 0.0).clamp(max=1)
        return share, torch.stack([frequencies[0][rows].abs(), frequencies[1][columns].abs()], 1)

    def flags(self, still: float, alike: float, peak: float) -> dict[int, dict[str, Any]]:
        """The filters that collapsed, and how: {3: {"oscillating": {...}}}; see `Collapse` for the thresholds."""
        varies, deviation = self._over_samples, self._deviation
        floor = 1e-7 * self._square.mean((1, 2)).div(self._samples).sqrt()  # what is left of rounding
        constant = varies <= torch.maximum(still * torch.maximum(varies.median(), deviation), floor)
        correlation = self._correlation.tril(-1).abs()
        share, periods = self.peaks()
        found: dict[int, dict[str, Any]] = {}
        for unit in range(self.num):
            why: dict[str, Any] = {}
            if constant[unit]:
                why["constant"] = {"deviation": float(varies[unit]), "median_of_layer": float(varies.median())}
            elif correlation[unit].amax() >= alike:
                original = int(correlation[unit].argmax())
                why["copy"] = {"of": original, "correlation": round(float(correlation[unit, original]), 4)}
            if share[unit] > peak:
                why["oscillating"] = {"share": round(float(share[unit]), 4), "periods": periods[unit].tolist()}
            if why:
                found[unit] = why
        return found


def _apart(a: torch.Tensor, b: torch.Tensor, side: int) -> torch.Tensor:
    """Steps between places on a ring."""
    return torch.minimum((a - b) % side, (b - a) % side)
