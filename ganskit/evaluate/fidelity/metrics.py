"""Distances between features, and what is too few for them. The mathematics is torch-fidelity's."""

from __future__ import annotations

import torch
from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, KEY_METRIC_ISC_STD, isc_features_to_metric
from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, KEY_METRIC_KID_STD, kid_features_to_metric
from torch_fidelity.metric_prc import KEY_METRIC_F_SCORE, KEY_METRIC_PRECISION, KEY_METRIC_RECALL, prc_features_to_metric

from ganskit.errors import UserError


def frechet(fake: torch.Tensor, real: torch.Tensor) -> float:
    """Heusel 2017, eq. 6: |m - m_w|^2 + Tr(C + C_w - 2 (C C_w)^(1/2)) of features (N, F) and (M, F)."""
    statistics = (fid_features_to_statistics(features) for features in (fake, real))
    return float(fid_statistics_to_metric(*statistics, verbose=False)[KEY_METRIC_FID])


def kernel(fake: torch.Tensor, real: torch.Tensor, subsets: int, subset_size: int, seed: int) -> tuple[float, float]:
    """Bińkowski 2018, section 4: the unbiased squared MMD with k(x, y) = (x.y / F + 1)^3; mean and deviation over subsets."""
    options = {"kid_subsets": subsets, "kid_subset_size": subset_size, "rng_seed": seed, "verbose": False}
    found = kid_features_to_metric(fake, real, **options)
    return float(found[KEY_METRIC_KID_MEAN]), float(found[KEY_METRIC_KID_STD])


def precision_recall(fake: torch.Tensor, real: torch.Tensor, neighbours: int) -> dict[str, float]:
    """Kynkäänniemi 2019, eqs. 1 and 2: shares of samples within the reals' manifold, and of reals within the samples'."""
    found = prc_features_to_metric(fake, real, prc_neighborhood=neighbours, save_cpu_ram=True, verbose=False)
    return {
        "precision": float(found[KEY_METRIC_PRECISION]),
        "recall": float(found[KEY_METRIC_RECALL]),
        "f_score": float(found[KEY_METRIC_F_SCORE]),
    }


def inception_score(logits: torch.Tensor, splits: int, seed: int) -> tuple[float, float]:
    """Salimans 2016, section 4: exp(E KL(p(y|x) || p(y))); mean and deviation over equal parts of shuffled samples."""
    found = isc_features_to_metric(logits, splits, True, seed)
    return float(found[KEY_METRIC_ISC_MEAN]), float(found[KEY_METRIC_ISC_STD])


def enough_for_covariance(dimensions: int, allow_few: bool, **counts: int) -> None:
    """Raise UserError for fewer pictures than a covariance of so many dimensions needs: one more than dimensions."""
    for option, count in counts.items():
        least = 2 if allow_few else dimensions + 1
        if count < least:
            raise UserError(
                f"{count:,} pictures do not determine a covariance of {dimensions:,} dimensions: it needs {least:,} or more, and "
                f"10,000 are usual. Set {option}={least if allow_few else max(10_000, least)}"
                + ("." if allow_few else ", or allow_few=true for a number that says so and compares with no other.")
            )


def enough(least: int, why: str, **counts: int) -> None:
    """Raise UserError, naming the option, for a count below `least`."""
    for option, count in counts.items():
        if count < least:
            raise UserError(f"{option} is {count:,}: {why}, so it needs {least:,} or more.")
