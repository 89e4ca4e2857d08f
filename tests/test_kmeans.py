"""The single-layer K-means features of Coates, Lee & Ng."""

from __future__ import annotations

import pytest
import torch
from labelled import Halves, model

from ganskit import UserError
from ganskit.evaluate import kmeans
from ganskit.evaluate.evaluation import measured
from ganskit.evaluate.kmeans import KMeansFeatures, Layer, learn
from ganskit.evaluate.svm.parts import parts

SMALL = {"centroids": 12, "patches": 600, "iterations": 5, "Cs": (1e-3, 1e-2)}


def learned(**options: int) -> Layer:
    part = parts(model(), None, None, None, "y", 42).train
    return learn(part, KMeansFeatures(**{**SMALL, **options}), torch.device("cpu"))


def test_patches_are_white_and_centroids_are_means_of_the_nearest() -> None:
    options = KMeansFeatures(**SMALL | {"patches": 20_000, "iterations": 30})
    layer = learned(patches=20_000, iterations=30)
    assert layer.whiten.shape == (108, 108)
    part = parts(model(), None, None, None, "y", 42).train
    p = kmeans._contrast(kmeans._patches(part.store, part.places, options))
    variance = torch.cov(p.T)
    white = (p - layer.mean) @ layer.whiten
    regularised = torch.linalg.solve(variance + 0.1 * torch.eye(108), variance)  # the identity where there is variance
    assert torch.allclose(torch.cov(white.T), regularised, atol=1e-3)
    few, centroids = white[:200], white[200:206]
    nearest = torch.cdist(few, centroids).argmin(1)
    means = torch.stack([few[nearest == k].mean(0) if (nearest == k).any() else torch.zeros(108) for k in range(6)])
    assert torch.allclose(kmeans._iterated(few, centroids), means, atol=1e-4)
    assert torch.allclose(layer.whiten, layer.whiten.T, atol=1e-5)  # ZCA
    assert layer.centroids.shape == (12, 108)
    assert layer.centroids.isfinite().all()
    assert (layer.centroids.norm(dim=1) > 0).sum() >= 6


def test_features_are_triangle_activations_summed_over_quadrants() -> None:
    """By hand, patch by patch: kmeans_demo.m's extract_features."""
    layer, x = learned(), torch.rand(2, 3, 16, 16) * 2 - 1
    found = layer.features(x)
    assert found.shape == (2, 4 * 12)
    maps = torch.empty(2, 12, 11, 11)
    for n in range(2):
        for i in range(11):
            for j in range(11):
                p = ((x[n, :, i : i + 6, j : j + 6] + 1) * 127.5).flatten()
                p = (p - p.mean()) / (p.var() + 10).sqrt()
                z = (((p - layer.mean) @ layer.whiten) - layer.centroids).norm(dim=1)
                maps[n, :, i, j] = (z.mean() - z).clamp(min=0)
    quadrants = [maps[:, :, :6, :6], maps[:, :, :6, 6:], maps[:, :, 6:, :6], maps[:, :, 6:, 6:]]
    assert torch.allclose(found, torch.cat([q.sum((2, 3)) for q in quadrants], 1), rtol=1e-3, atol=1e-2)


def test_they_tell_what_is_bright_on_which_side() -> None:
    result = measured(KMeansFeatures(**SMALL), model())
    assert result.protocol["num_features"] == 48
    assert result.numbers["accuracy"] > 50
    assert measured(KMeansFeatures(**SMALL), model()).numbers == result.numbers
    few = measured(KMeansFeatures(**SMALL, per_class=5, draws=1, test_draws=2), model())
    assert few.numbers["interval"] >= 0


def test_pictures_must_be_larger_than_a_patch() -> None:
    with pytest.raises(UserError, match="Patches of 16 x 16 are cut from larger pictures"):
        measured(KMeansFeatures(**SMALL, patch=16), model())
    with pytest.raises(UserError, match="centroids is 601 of patches = 600: expected at most as many"):
        KMeansFeatures(**SMALL | {"centroids": 601})
    with pytest.raises(UserError, match='no label "kind"'):
        measured(KMeansFeatures(**SMALL, label="kind"), model(Halves()))
