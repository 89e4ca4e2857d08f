"""The authors' own SVHN discriminator by their own protocol, on MNIST, against scikit-learn alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from attrs import evolve

import ganskit
from ganskit.data.mnist import Mnist, read_idx
from ganskit.dcgan.authors import import_run
from ganskit.evaluate.evaluation import measured
from ganskit.evaluate.svm.draws import Draws
from ganskit.evaluate.svm.evaluator import CS, Svm
from ganskit.recipe import named

LONG = bool(os.environ.get("GANSKIT_LONG"))  # the whole protocol, which takes minutes
ALL_CS, DRAWS, TEST_DRAWS = (CS, 10, 100) if LONG else ((1e-3,), 1, 3)


def with_scikit_learn_alone(networks: Path, mnist: Path) -> tuple[float, list[float]]:
    """C, and test errors in per cent by draw, from the published arrays and files, as svhn_semisup_analysis.py says."""
    from sklearn.svm import LinearSVC

    w, w2, g2, b2, w3, g3, b3, _ = (
        torch.from_numpy(np.load(networks / f"200_discrim_params.jl_{i:02}.npy", allow_pickle=False)).float() for i in range(1, 9)
    )

    def read(split: str) -> tuple[torch.Tensor, np.ndarray]:
        x, y = (read_idx(next(mnist.glob(f"{split}-{kind}?idx*")), shape) for kind, shape in KINDS)
        return F.pad(torch.from_numpy(x.copy())[:, None].float(), (2, 2, 2, 2)).expand(-1, 3, -1, -1) / 127.5 - 1, y

    def convolved(h: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        return F.conv2d(h, w.flip(2, 3), stride=2, padding=2)

    def maps(x: torch.Tensor, u: list[torch.Tensor] | None = None, s: list[torch.Tensor] | None = None) -> Iterator[torch.Tensor]:
        h = F.leaky_relu(convolved(x, w), 0.2)
        yield h
        for i, (w_i, g, b) in enumerate([(w2, g2, b2), (w3, g3, b3)]):
            h = convolved(h, w_i)
            var, mean = torch.var_mean(h, (0, 2, 3), correction=0) if u is None or s is None else (s[i], u[i])
            seen[i].append((mean, var))
            h = F.leaky_relu(F.batch_norm(h, mean, var, g, b, eps=1e-8), 0.2)
            yield h

    def features(x: torch.Tensor) -> np.ndarray:
        parts = [[F.adaptive_max_pool2d(h, 4).flatten(1) for h in maps(few, u, s)] for few in x.split(500)]
        return torch.cat([torch.cat(part, 1) for part in parts]).numpy()

    seen: list[list[tuple[torch.Tensor, torch.Tensor]]] = [[], []]
    (x, y), (test_x, test_y) = read("train"), read("t10k")
    for start in range(0, 50 * 128, 128):
        list(maps(x[start : start + 128]))
    u, s = ([torch.stack([each[k] for each in layer]).mean(0) for layer in seen] for k in (0, 1))
    order = np.random.RandomState(42).permutation(60_000)
    held_out, left = np.sort(order[:6000]), np.sort(order[6000:])
    draws, validation, test = Draws(y[left], "0123456789", 100, 42), features(x[held_out]), features(test_x)

    def error(c: float, on: np.ndarray, labels: np.ndarray) -> float:
        rows = left[draws.next()]
        return 100 * float((LinearSVC(C=c).fit(features(x[rows]), y[rows]).predict(on) != labels).mean())

    c = min(ALL_CS, key={c: np.mean([error(c, validation, y[held_out]) for _ in range(DRAWS)]) for c in ALL_CS}.__getitem__)
    return c, [error(c, test, test_y) for _ in range(TEST_DRAWS)]


KINDS = (("images", (28, 28)), ("labels", ()))


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Liblinear failed to converge")
@torch.no_grad()
def test_a_thousand_labels_of_mnist_on_the_authors_svhn_discriminator(real: Callable[[str], Path], tmp_path: Path) -> None:
    networks, mnist = real("dcgan-authors-svhn"), real("mnist")
    run = import_run(networks, tmp_path / "svhn")
    model = ganskit.load(run, device="cpu", recipe=evolve(named("dcgan-svhn"), precision="fp32"))
    svm = Svm(
        data=Mnist(path=str(mnist), channels=3),
        per_class=100,
        Cs=ALL_CS,
        draws=DRAWS,
        test_draws=TEST_DRAWS,
        batches=50,
        statistics="data",
    )
    ours = measured(svm, model)
    c, theirs = with_scikit_learn_alone(networks, mnist)
    interval = 1.96 * np.std(theirs)
    print(f"ours {ours.numbers}, {ours.details['test_error_by_draw']}")
    print(f"scikit-learn alone: C = {c:g}, {np.mean(theirs):.3f} +- {interval:.3f}, {theirs}")
    assert ours.numbers["C"] == c
    assert ours.protocol["num_features"] == 7168
    assert ours.details["test_error_by_draw"] == pytest.approx(theirs, abs=0.2)
