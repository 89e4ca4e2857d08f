"""The paper's comparison column: features of a single layer learned by K-means, with the same SVM behind them.

Coates, Lee & Ng 2011, "An Analysis of Single-Layer Networks in Unsupervised Feature Learning", sections 3 and 4; constants that
the paper leaves open are those of their published `kmeans_demo.m`. With 4,800 centroids it is "1 Layer K-means" in table 1 of
Radford 2016: 80.6 % on CIFAR-10, 63.7 % with 400 labels per class.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from attrs import field, frozen
from tqdm import tqdm

from ganskit import Model, Recipe, Result, UserError
from ganskit.data.store import Store
from ganskit.engine.sampling import as_input
from ganskit.evaluate.svm.evaluator import Protocol, measured
from ganskit.evaluate.svm.extract import Extraction, extracting
from ganskit.evaluate.svm.parts import Part
from ganskit.evaluate.svm.rows import Rows
from ganskit.validators import at_least

CONTRAST, WHITENING, SPREAD = 10.0, 0.1, 0.01
"""Added to variances: of a patch of bytes, of the whitened dimensions, of a feature (kmeans_demo.m)."""
IMAGES_AT_ONCE = 2
"""Few, so that their activations stay in the processor's cache."""
PATCHES_AT_ONCE = 4096


@frozen(kw_only=True)
class KMeansFeatures(Protocol):
    """Patches normalised for contrast and ZCA-whitened; K-means; triangle activations summed over four quadrants; standardised.

    The run's model is not looked at, its data only. 1,600 centroids, 400,000 patches of 6 x 6 and 50 iterations are those of
    kmeans_demo.m; its C of 100 for the mean over 50,000 examples is 0.002 here. `centroids` 4,800 is the 80.6 % system.
    """

    centroids: int = field(default=1600, validator=at_least(2))
    patches: int = field(default=400_000, validator=at_least(2))
    patch: int = field(default=6, validator=at_least(2))
    iterations: int = field(default=50, validator=at_least(1))

    def __attrs_post_init__(self) -> None:
        if self.centroids > self.patches:
            raise UserError(f"centroids is {self.centroids:,} of patches = {self.patches:,}: expected at most as many.")

    def check(self, recipe: Recipe) -> None:
        """Raises UserError for pictures that are no larger than a patch, too."""
        super().check(recipe)
        shape, size = (self.data or recipe.data).provides()["x"].shape, self.patch
        if min(shape[1:]) <= size:
            raise UserError(f"Patches of {size} x {size} are cut from larger pictures (C, H, W), not from data of shape {shape}.")

    def evaluate(self, model: Model) -> Result:
        """Errors in per cent. Raises UserError for labels that cannot be learnt."""
        split = self.parts(model)
        layer = learn(split.train, self, model.device)
        spread: list[torch.Tensor] = []

        with extracting(layer.features, model.device) as extraction:

            def extract(part: Part, title: str) -> Rows:
                raw = extraction.rows(part.store, part.places, title)
                if not spread:
                    spread.extend(statistics(raw))
                return standardised(extraction, raw, *spread)

            made_by = {name: getattr(self, name) for name in ("centroids", "patches", "patch", "iterations")}
            about = {"features": "k-means, triangle, four quadrants, standardised", **made_by, "precision": "fp32"}
            return measured(self, model, split, extract, about)


@frozen(eq=False)
class Layer:
    """What was learned: patches p (n, P) become (p - mean) @ whiten, compared with the centroids (K, P)."""

    patch: int
    mean: torch.Tensor
    whiten: torch.Tensor
    centroids: torch.Tensor

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """x (N, C, H, W) in [-1, 1] -> (N, 4 K): section 4.2's f_k = max(0, mean(z) - z_k), z_k the distance to centroid k."""
        return torch.cat([self._features(few.to(self.mean.device)) for few in torch.split(x, IMAGES_AT_ONCE)])

    def _features(self, x: torch.Tensor) -> torch.Tensor:
        columns = F.unfold(_bytes(x), self.patch).transpose(1, 2)  # (N, places, P)
        p = (_contrast(columns) - self.mean) @ self.whiten
        z = torch.cdist(p.flatten(0, 1), self.centroids).view(*p.shape[:2], -1)
        f = (z.mean(2, keepdim=True) - z).clamp_(min=0)
        height, width = (side - self.patch + 1 for side in x.shape[2:])
        maps = f.view(len(x), height, width, -1)
        down, right = (height + 1) // 2, (width + 1) // 2  # the first half is the larger one, as in MATLAB's round
        return torch.cat([maps[:, rows, columns].sum((1, 2)) for rows in _halves(down) for columns in _halves(right)], 1)


def _halves(at: int) -> tuple[slice, slice]:
    return slice(at), slice(at, None)


def _bytes(x: torch.Tensor) -> torch.Tensor:
    return (x + 1) * 127.5


def _contrast(p: torch.Tensor) -> torch.Tensor:
    """Section 3.1.1: each patch loses its mean and is divided by its standard deviation."""
    var, mean = torch.var_mean(p, -1, keepdim=True)
    return (p - mean) / (var + CONTRAST).sqrt()


def learn(part: Part, options: KMeansFeatures, device: torch.device) -> Layer:
    """Whitening and centroids from random patches of the training pictures."""
    p = _contrast(_patches(part.store, part.places, options)).to(device)
    mean = p.mean(0)
    values, vectors = torch.linalg.eigh(torch.cov(p.T.double()))
    whiten = ((vectors / (values.clamp(min=0) + WHITENING).sqrt()) @ vectors.T).float()
    p = (p - mean) @ whiten
    generator = torch.Generator().manual_seed(options.seed)
    centroids = 0.1 * torch.randn(options.centroids, p.shape[1], generator=generator).to(device)
    for _ in tqdm(range(options.iterations), desc="K-means", disable=None, leave=False):
        centroids = _iterated(p, centroids)
    return Layer(options.patch, mean, whiten, centroids)


def _iterated(p: torch.Tensor, centroids: torch.Tensor) -> torch.Tensor:
    """Each centroid becomes the mean of the patches nearest to it, or zero if there are none."""
    sums, counts = torch.zeros_like(centroids), torch.zeros(len(centroids), device=p.device)
    half = 0.5 * centroids.square().sum(1)
    for few in torch.split(p, PATCHES_AT_ONCE):
        nearest = (few @ centroids.T - half).argmax(1)
        sums.index_add_(0, nearest, few)
        counts += torch.bincount(nearest, minlength=len(centroids))
    return sums / counts.clamp(min=1)[:, None]


def _patches(store: Store, places: np.ndarray, options: KMeansFeatures) -> torch.Tensor:
    """Patches (n, P) of random pictures at random positions, as bytes' values."""
    shape, size = store.fields["x"].shape, options.patch
    rng = np.random.default_rng(options.seed)
    image = places[rng.integers(0, len(places), options.patches)]
    top, left = (rng.integers(0, side - size + 1, options.patches) for side in shape[1:])
    out = torch.empty(options.patches, shape[0] * size * size)
    steps = torch.arange(size)
    for start in range(0, options.patches, PATCHES_AT_ONCE):
        these = slice(start, start + PATCHES_AT_ONCE)
        x = _bytes(as_input(store.fields["x"], store.gather(image[these], ["x"])["x"]))
        rows = (torch.from_numpy(top[these])[:, None] + steps)[:, None, :, None]
        columns = (torch.from_numpy(left[these])[:, None] + steps)[:, None, None, :]
        number, channel = torch.arange(len(x))[:, None, None, None], torch.arange(shape[0])[None, :, None, None]
        out[these] = x[number, channel, rows, columns].flatten(1)
    return out


def statistics(rows: Rows) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and deviation (F,) of the features."""
    steps = [step for block in rows.blocks for step in torch.split(block, PATCHES_AT_ONCE)]
    mean = torch.stack([step.double().sum(0) for step in steps]).sum(0) / len(rows)
    var = torch.stack([(step.double() - mean).square().sum(0) for step in steps]).sum(0) / max(1, len(rows) - 1)
    return mean.float(), (var + SPREAD).sqrt().float()


def standardised(extraction: Extraction, rows: Rows, mean: torch.Tensor, deviation: torch.Tensor) -> Rows:
    """The features less the training features' mean, divided by their deviation."""

    def changed(block: torch.Tensor) -> torch.Tensor:
        return (block - mean) / deviation

    return extraction.changed(rows, changed)
