"""The mixtures, their modes, and the net for vectors."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from ganskit_stabilizers.gaussians import Gaussians
from ganskit_stabilizers.mlp import MLP

from ganskit import Shape, UserError, evaluate_run, run


def samples(data: Gaussians) -> tuple[np.ndarray, np.ndarray]:
    source = data.open()
    read = [source.read(i) for i in range(len(source))]
    return np.stack([each["x"] for each in read]), np.stack([each["y"] for each in read])


def test_the_grid_and_the_ring_are_the_papers() -> None:
    grid, ring = Gaussians(), Gaussians("ring")
    assert grid.centres.shape == (25, 2)
    assert sorted({float(c) for c in grid.centres.flat}) == [-4, -2, 0, 2, 4]
    assert ring.centres.shape == (8, 2)
    np.testing.assert_allclose(np.linalg.norm(ring.centres, axis=1), 1)
    np.testing.assert_allclose(np.linalg.norm(ring.centres - np.roll(ring.centres, 1, 0), axis=1), 2 * math.sin(math.pi / 8))
    assert (grid.std, ring.std) == (0.05, 0.01)


@pytest.mark.parametrize("layout", ["grid", "ring"])
def test_samples_are_normal_around_equally_likely_centres(layout: str) -> None:
    data = Gaussians(layout, num=20_000)
    x, y = samples(data)
    assert x.dtype == np.float32
    away = (x - data.centres[y]) / data.std
    assert abs(away.mean()) < 0.02
    np.testing.assert_allclose(np.cov(away.T), np.eye(2), atol=0.03)
    assert (away**4).mean() == pytest.approx(3, abs=0.15)
    counts = np.bincount(y, minlength=len(data.centres)) / len(y)
    np.testing.assert_allclose(counts, 1 / len(data.centres), rtol=0.15)


def test_a_sample_is_a_function_of_seed_and_index() -> None:
    few, many, other = Gaussians(num=10).open(), Gaussians(num=1000).open(), Gaussians(num=10, seed=1).open()
    many.read(999)
    assert all(np.array_equal(few.read(i)["x"], many.read(i)["x"]) for i in reversed(range(10)))
    assert not any(np.array_equal(few.read(i)["x"], other.read(i)["x"]) for i in range(10))
    with pytest.raises(IndexError):
        few.read(10)


def test_what_it_gives_is_what_it_provides() -> None:
    data = Gaussians(num=3)
    for name, field in data.provides().items():
        value = data.open().read(2)[name]
        assert (value.shape, str(value.dtype)) == (field.shape, field.dtype)
    assert len(data.provides()["y"].classes) == 25


def test_wrong_options_are_refused_by_name() -> None:
    with pytest.raises(UserError, match='layout is "line"'):
        Gaussians("line")
    with pytest.raises(UserError, match=r"Gaussians\.seed is -1"):
        Gaussians(seed=-1)


@pytest.mark.parametrize(("into", "out"), [((2,), (2,)), ((2,), (1,)), ((3, 4, 4), (1,)), ((5,), (3, 4, 4))])
def test_the_net_fits_any_shapes(into: tuple[int, ...], out: tuple[int, ...]) -> None:
    net = MLP(width=8, layers=2).build(Shape(into, out))
    assert net(torch.randn(6, *into)).shape == (6, *out)
    assert sum(isinstance(layer, torch.nn.ReLU) for layer in net) == 2


def test_he_initialisation_keeps_the_scale() -> None:
    torch.manual_seed(0)
    net = MLP(width=512, layers=6).build(Shape((64,), (1,)))
    x = torch.randn(256, 64)
    inner = net[:-2](x)
    assert (inner**2).mean().item() == pytest.approx(1, rel=0.5)  # E[relu(h)^2] = 1 where h ~ N(0, 2)


def test_modes_are_counted_by_ganskits_own_evaluator(tmp_path: Path) -> None:
    """The dataset says where its modes are."""
    settings = ["data.num=200", "samples=1600", "batch_size=16", "nets.G.width=8", "nets.D.width=8"]
    folder = run("gan-gaussians", settings=settings, out=tmp_path / "run", progress=False)
    result = evaluate_run(folder, "mode-coverage")
    assert result.numbers["num_modes"] == 25
    assert result.protocol["std"] == 0.05
    assert result.protocol["centres"] == Gaussians().centres.tolist()
