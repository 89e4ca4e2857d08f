"""Mixtures of Gaussians in the plane, where the modes that a generator misses can be counted."""

from __future__ import annotations

import math

import numpy as np
from attrs import field, frozen

from ganskit import Dataset, Field, UserError
from ganskit.validators import not_negative, positive

DRAWING = "1"
"""Changes whenever the same (seed, index) gives another sample, so that prepared stores are made anew."""

STDS = {"grid": 0.05, "ring": 0.01}


@frozen
class Gaussians(Dataset):
    """The two mixtures of Srivastava 2017, with the numbers of Lin 2018's code (github.com/fjxmlzn/PacGAN).

    `layout` "grid": 25 components with centres at -4, -2, 0, 2 and 4 in both coordinates, standard deviation 0.05
    (2DGrid_GAN&PacGAN/config.py). "ring": 8 components on the unit circle, standard deviation 0.01
    (2DRing_GAN&PacGAN/config.py). All are equally likely. Sample i is a pure function of (seed, i), whatever `num` is.
    """

    layout: str = field(default="grid")
    num: int = field(default=100_000, validator=positive)
    seed: int = field(default=0, validator=not_negative)

    @layout.validator
    def _known(self, attribute: object, value: str) -> None:
        if value not in STDS:
            raise UserError(f'gaussians: layout is "{value}", expected {" or ".join(STDS)}.')

    @property
    def centres(self) -> np.ndarray:
        """(K, 2), float64."""
        if self.layout == "ring":
            angles = np.arange(8) * (2 * math.pi / 8)
            return np.stack([np.cos(angles), np.sin(angles)], 1)
        steps = np.arange(-4.0, 5.0, 2.0)
        return np.stack(np.meshgrid(steps, steps, indexing="ij"), -1).reshape(-1, 2)

    @property
    def std(self) -> float:
        """Of every component, in each coordinate."""
        return STDS[self.layout]

    def provides(self) -> dict[str, Field]:
        """`x` (2,) float32 and `y` () int64, the component it was drawn from."""
        names = tuple(f"({x:.3g}, {y:.3g})" for x, y in self.centres)
        return {"x": Field((2,), "float32"), "y": Field((), "int64", classes=names)}

    def open(self) -> GaussianSource:
        """Nothing has to be found or downloaded."""
        return GaussianSource(self)


class GaussianSource:
    """Draws each sample when it is read."""

    def __init__(self, dataset: Gaussians) -> None:
        self._dataset, self._centres = dataset, dataset.centres
        self.fingerprint = f"gaussians {DRAWING}"

    def __len__(self) -> int:
        return self._dataset.num

    def name(self, index: int) -> str:
        """How the report of skipped files calls it."""
        return f"sample {index}"

    def read(self, index: int) -> dict[str, np.ndarray]:
        """`x` and `y`. Raises IndexError beyond the last one."""
        if not 0 <= index < len(self):
            raise IndexError(f"there is no sample {index} among {len(self)}")
        # words of SeedSequence, whose output numpy promises to keep; its distributions may change
        words = np.random.SeedSequence([self._dataset.seed, index]).generate_state(3, np.uint32).tolist()
        which, radius, angle = ((word + 0.5) / 2**32 for word in words)
        y = int(which * len(self._centres))
        r = self._dataset.std * math.sqrt(-2 * math.log(radius))  # Box & Muller 1958
        around = np.array([r * math.cos(2 * math.pi * angle), r * math.sin(2 * math.pi * angle)])
        return {"x": (self._centres[y] + around).astype(np.float32), "y": np.array(y, np.int64)}
