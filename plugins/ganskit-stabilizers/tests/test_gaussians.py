"""The mixtures, the evaluator that counts their modes, and the net for vectors."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from ganskit_stabilizers.gaussians import Gaussians
from ganskit_stabilizers.mlp import MLP
from ganskit_stabilizers.modes import Modes, density, measure

from ganskit import Shape, UserError, evaluate_run, evolve, named, override, run


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


def test_true_samples_capture_all_modes() -> None:
    data = Gaussians(num=2500)
    numbers = measure(torch.from_numpy(samples(data)[0]).double(), torch.from_numpy(data.centres), 3 * data.std)
    assert numbers["modes"] == numbers["num_modes"] == 25
    assert numbers["high_quality"] == pytest.approx(1 - math.exp(-4.5), abs=0.007)
    assert 0 <= numbers["reverse_kl"] < 0.01


def test_a_collapsed_generator_is_found_out() -> None:
    """Three samples at one mode, one far off: by hand."""
    centres = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
    x = torch.tensor([[0.0, 0.1], [0.1, 0.0], [0.0, 0.0], [1.7, 0.0]])
    numbers = measure(x, centres, 0.15)
    assert numbers == pytest.approx({"modes": 1, "num_modes": 4, "high_quality": 0.75, "reverse_kl": 0.75 * math.log(3)})


def test_the_picture_shows_where_samples_are() -> None:
    picture = density(torch.tensor([[-0.99, 0.99], [-0.99, 0.99], [-0.99, 0.99], [5.0, 0.0]]), 1.0)
    assert picture.shape == (1, 1, 128, 128)
    assert picture[0, 0, 0, 0] == -1  # top left
    assert (picture == 1).sum() == 128 * 128 - 1


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


def test_a_run_is_evaluated_with_its_protocol(tmp_path: Path) -> None:
    settings = ["data.num=200", "samples=1600", "batch_size=16", "nets.G.width=8", "nets.D.width=8"]
    folder = run("gan-gaussians", settings=settings, out=tmp_path / "run", progress=False)
    result = evaluate_run(folder, "modes")
    assert result.numbers["num_modes"] == 25
    assert result.protocol == {"num_samples": 2500, "seed": 0, "within_stds": 3.0, "layout": "grid", "std": 0.05}
    assert (folder / "evaluations" / "modes" / "density.png").is_file()
    assert evaluate_run(folder, Modes()).numbers == result.numbers


def test_other_data_are_refused(tmp_path: Path) -> None:
    recipe = evolve(override(named("wgan-gp-rooms"), TINY_ROOMS), name="rooms")
    folder = run(recipe, out=tmp_path / "run", progress=False)
    with pytest.raises(UserError, match='dataset "gaussians"; this one was trained on Rooms'):
        evaluate_run(folder, "modes")


TINY_ROOMS = [
    "data.num_images=32", "data.size=16", "nets.G.width=4", "nets.D.width=4", "batch_size=8", "samples=48",
]  # fmt: skip
