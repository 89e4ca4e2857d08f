"""The sliced Wasserstein distance between samples and real data, on patches of several scales or on plain vectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from attrs import field, frozen
from tqdm import tqdm

from ganskit.data.dataset import Dataset
from ganskit.engine.device import seed_of
from ganskit.errors import UserError
from ganskit.evaluate.model import Model
from ganskit.evaluate.required import check_data, shape_of
from ganskit.evaluator import Evaluator, Result
from ganskit.recipe import Recipe
from ganskit.validators import at_least

PATCH, PATCHES = 7, 128
"""Karras 2018, section 5: 128 descriptors from each level of each picture, each "a 7 x 7 pixel neighborhood"."""
COARSEST = 16
"""The levels end there: "starting at a low-pass resolution of 16 x 16 pixels"."""
SCALE = 1000.0
_CHUNK, _PROJECTED = 512, 2**25
"""Pictures and projected values that are worked on at once."""


@frozen
class SlicedWasserstein(Evaluator):
    """Karras 2018, section 5: the multi-scale statistical similarity of local structure; times 10^3, as in their tables.

    128 patches of 7x7 at random places of every level of each picture's Laplacian pyramid (Burt & Adelson 1987); each set
    normalised by the mean and standard deviation of each colour channel; 512 random projections (Rabin 2011), on each of which
    the distance is the mean difference of the sorted values. A low one at 16 says that the large structures are alike; at the
    finest level, that edges and noise are. The paper takes 16,384 pictures; with fewer, all distances are larger.

    Vectors, such as points of a mixture, are projected as they are. `data` are real data other than the model's own.
    """

    num: int = field(default=16_384, validator=at_least(2))
    seed: int = field(default=0, validator=at_least(0))
    projections: int = field(default=512, validator=at_least(1))
    data: Dataset | None = None

    def check(self, recipe: Recipe) -> None:
        """Raises UserError for pictures smaller than a patch, and for data of another shape."""
        sides(shape_of(recipe))
        check_data(recipe, self.data)

    def real_examples(self) -> int:
        """`num`, unless they are of other data."""
        return self.num if self.data is None else 0

    def evaluate(self, model: Model) -> Result:
        """`swd`, and of pictures `swd_16`, `swd_32`, ... by the side of the level, whose mean `swd` is. Raises UserError."""
        levels = sides(model.shape)
        store = model.store(self.data)
        if self.num > len(store):
            raise UserError(
                f"sliced-wasserstein compares {self.num:,} samples with as many real examples, and there are {len(store):,}: "
                f"set num to {len(store)} or less."
            )
        real, made = model.real(self.num, self.seed, self.data)["x"], model.sample(self.num, self.seed)
        names = [f"swd_{side}" for side in levels] or ["swd"]
        found = {}
        with tqdm(total=len(names) * self.projections, desc="Projections", leave=False, disable=None) as bar:
            for i, name in enumerate(names):
                # one level at a time, for that of 16,384 pictures fills a gigabyte
                a, b = (self._described(x, i, len(levels), which).to(model.device) for which, x in enumerate((real, made)))
                directions = unit_vectors(a.shape[1], self.projections, seed_of(self.seed, i)).to(model.device)
                found[name] = SCALE * sliced_wasserstein(a, b, directions, bar)
        protocol = {
            "num": self.num, "seed": self.seed, "projections": self.projections, "times": SCALE, "levels": levels,
            "patch": PATCH if levels else None, "patches_per_level": PATCHES if levels else None,
            "data": store.path.name, "fingerprint": store.manifest.content,
        }  # fmt: skip
        return Result({"swd": sum(found.values()) / len(found)} | found, protocol)

    def _described(self, x: torch.Tensor, level: int, num_levels: int, which: int) -> torch.Tensor:
        """What is projected of samples x, (M, F): patches of one level of the pyramid; of vectors, the samples themselves."""
        if not num_levels:
            return x.flatten(1).float()
        generator = torch.Generator().manual_seed(seed_of(self.seed, which, level, 1))
        cut = torch.empty(len(x) * PATCHES, x.shape[1], PATCH, PATCH)
        for start in range(0, len(x), _CHUNK):
            pictures = list(laplacian_pyramid(x[start : start + _CHUNK].float(), num_levels))[level]
            cut[start * PATCHES : (start + len(pictures)) * PATCHES] = patches(pictures, generator)
        return normalised(cut)


def sides(shape: tuple[int, ...]) -> list[int]:
    """The levels of pictures (C, H, W) by their shorter side, the finest first; [] for vectors. Raises UserError."""
    if len(shape) != 3:
        return []
    side = min(shape[1:])
    if side < PATCH:
        raise UserError(f"sliced-wasserstein cuts patches of {PATCH}x{PATCH} out of pictures: those of {shape} are too small.")
    levels = [side]
    while levels[-1] // 2 >= COARSEST and not any(length % 2 ** len(levels) for length in shape[1:]):
        levels.append(levels[-1] // 2)
    return levels


def laplacian_pyramid(x: torch.Tensor, num_levels: int) -> Iterator[torch.Tensor]:
    """Burt & Adelson 1987: what each halving of x (N, C, H, W) loses, the finest first; the last level is what remains."""
    for _ in range(num_levels - 1):
        smaller = _blurred(x)[:, :, ::2, ::2]
        spread = torch.zeros_like(x)
        spread[:, :, ::2, ::2] = smaller
        yield x - 4 * _blurred(spread)
        x = smaller
    yield x


def _blurred(x: torch.Tensor) -> torch.Tensor:
    """By the binomial kernel [1, 4, 6, 4, 1] / 16 in both directions; the border is mirrored."""
    line = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    channels = x.shape[1]
    kernel = torch.outer(line, line).expand(channels, 1, 5, 5)
    return F.conv2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), kernel, groups=channels)


def patches(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """PATCHES patches of each of x (N, C, H, W), at places from the generator: (N * PATCHES, C, 7, 7)."""
    num, _, height, width = x.shape
    rows, columns = (torch.randint(0, length - PATCH + 1, (num, PATCHES), generator=generator) for length in (height, width))
    windows = x.unfold(2, PATCH, 1).unfold(3, PATCH, 1)
    return windows[torch.arange(num)[:, None], :, rows, columns].flatten(0, 1)


def normalised(descriptors: torch.Tensor) -> torch.Tensor:
    """(M, C, 7, 7) -> (M, C * 49), with mean 0 and standard deviation 1 in each channel; one that is all alike becomes 0."""
    var, mean = torch.var_mean(descriptors, (0, 2, 3), correction=0, keepdim=True)
    return descriptors.sub_(mean).div_(var.sqrt().clamp_min(1e-12)).flatten(1)


def unit_vectors(dimension: int, num: int, seed: int) -> torch.Tensor:
    """(num, dimension), uniformly distributed on the sphere."""
    return F.normalize(torch.randn(num, dimension, generator=torch.Generator().manual_seed(seed)), dim=1)


def sliced_wasserstein(a: torch.Tensor, b: torch.Tensor, directions: torch.Tensor, bar: tqdm[Any] | None = None) -> float:
    """Rabin 2011: the mean over directions (P, F) of the 1-Wasserstein distance of a (M, F) and b (M, F) projected onto them."""
    total = 0.0
    for some in torch.split(directions, max(1, _PROJECTED // len(a))):
        difference = _sorted(some @ a.T) - _sorted(some @ b.T)
        total += difference.abs().double().mean(1).sum().item()
        if bar is not None:
            bar.update(len(some))
    return total / len(directions)


def _sorted(x: torch.Tensor) -> torch.Tensor:
    """Along the last dimension; on the CPU in place, by numpy, which is several times quicker than torch."""
    if x.device.type != "cpu":
        return x.sort(-1).values
    x.numpy().sort(axis=-1)
    return x
