"""Mode coverage of mixtures, and the sliced Wasserstein distance."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from attrs import frozen
from tiny_runs import tiny

import ganskit
from ganskit import Dataset, Field, UserError, evolve
from ganskit.conformance import checks
from ganskit.conformance.tiny import general
from ganskit.dcgan.collapse import Collapse
from ganskit.dcgan.guided_backprop import GuidedBackprop
from ganskit.evaluate.evaluation import measured
from ganskit.evaluate.model import Model
from ganskit.evaluate.modes import ModeCoverage, expected_kl, reverse_kl, true_share
from ganskit.evaluate.sliced_wasserstein import (
    SlicedWasserstein,
    laplacian_pyramid,
    normalised,
    patches,
    sides,
    sliced_wasserstein,
    unit_vectors,
)

from toys import Blobs

CORNERS = ((-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0))


@frozen
class Corners(Dataset):
    """Four Gaussians, which say where they are."""

    num: int = 64

    centres = CORNERS
    std = 0.1

    def provides(self) -> dict[str, Field]:
        return {"x": Field((2,), "float32")}

    def open(self) -> Points:
        return Points(self.num)


class Points:
    """The source of them."""

    fingerprint = "corners"

    def __init__(self, num: int) -> None:
        self.num = num

    def __len__(self) -> int:
        return self.num

    def name(self, index: int) -> str:
        return f"point {index}"

    def read(self, index: int) -> dict[str, np.ndarray]:
        x = np.array(CORNERS[index % 4]) + 0.1 * np.random.default_rng(index).standard_normal(2)
        return {"x": x.astype(np.float32)}


class Drawn:
    """A model whose samples are given."""

    shape = Model.shape
    device = torch.device("cpu")

    def __init__(self, x: torch.Tensor, data: Dataset | None = None) -> None:
        self.x, self.recipe = x, evolve(tiny(), data=data or Corners())

    def sample(self, num: int, seed: int = 0) -> torch.Tensor:
        return self.x[:num]


def mixture(num: int, of: int = 4, std: float = 0.1) -> torch.Tensor:
    rng = np.random.default_rng(0)
    return torch.from_numpy(np.array(CORNERS)[np.arange(num) % of] + std * rng.standard_normal((num, 2))).float()


def test_true_samples_cover_all_modes() -> None:
    result = measured(ModeCoverage(), Drawn(mixture(2500)))
    assert result.numbers["modes"] == result.numbers["num_modes"] == 4
    assert result.numbers["high_quality"] == pytest.approx(1 - math.exp(-4.5), abs=0.01)
    assert result.numbers["reverse_kl"] < 1e-3
    assert result.details["high_quality_of_true_samples"] == pytest.approx(1 - math.exp(-4.5), rel=1e-5)
    assert result.pictures["density"].x.shape == (1, 1, 128, 128)


def test_half_of_the_modes() -> None:
    result = measured(ModeCoverage(), Drawn(mixture(2500, of=2)))
    assert result.numbers["modes"] == 2
    assert result.numbers["reverse_kl"] == pytest.approx(math.log(2), abs=1e-3)
    assert result.details["counts"] == [1250, 1250, 0, 0]


def test_samples_between_the_modes() -> None:
    result = measured(ModeCoverage(num=100), Drawn(torch.full((100, 2), 0.5)))
    assert (result.numbers["modes"], result.numbers["high_quality"]) == (0, 0)
    assert result.numbers["reverse_kl"] == pytest.approx(math.log(4))
    assert result.numbers["reverse_kl_high_quality"] == math.inf


def test_the_mixture_by_options() -> None:
    wide = measured(ModeCoverage(std=1.0, centres=((0.0, 0.0),)), Drawn(mixture(2500)))
    assert wide.numbers == {
        "modes": 1, "num_modes": 1, "high_quality": 1, "reverse_kl": 0, "reverse_kl_high_quality": 0
    }  # fmt: skip


def test_what_mode_coverage_refuses() -> None:
    with pytest.raises(UserError, match=r"3 samples cannot cover 4 modes. Set num to 4 or more"):
        ModeCoverage(num=3).check(evolve(tiny(), data=Corners()))
    with pytest.raises(UserError, match="Blobs does not say its centres and std: give the options centres, std"):
        measured(ModeCoverage(), Drawn(mixture(3), Blobs()))
    with pytest.raises(UserError, match=r"centres of \[3\] numbers, and samples of Corners have 2"):
        measured(ModeCoverage(centres=((0.0, 0.0, 0.0),)), Drawn(mixture(10)))


def test_translators_have_no_samples_to_compare() -> None:
    model = Drawn(mixture(10), Blobs(keys=("a", "b")))
    for evaluator in (ModeCoverage(centres=CORNERS, std=0.1), SlicedWasserstein(), GuidedBackprop(), Collapse()):
        with pytest.raises(UserError, match=r"is of a uint8 \(3, 16, 16\), b uint8 .*: expected a model of one kind of data x"):
            measured(evaluator, model)


def test_divergence_and_shares() -> None:
    assert reverse_kl(torch.tensor([5, 5])) == 0
    assert reverse_kl(torch.tensor([3, 1])) == pytest.approx(0.75 * math.log(1.5) + 0.25 * math.log(0.5))
    draws = [reverse_kl(torch.from_numpy(np.random.default_rng(i).multinomial(2000, [0.01] * 100))) for i in range(50)]
    assert np.mean(draws) == pytest.approx(expected_kl(100, 2000), rel=0.1)
    assert true_share(1, 1.0) == pytest.approx(0.6827, abs=1e-4)


RECIPE = evolve(tiny(rounds=2), data=Blobs(num=64, size=32))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ganskit.run(RECIPE, out=tmp_path_factory.mktemp("run") / "run", progress=False)


def test_levels() -> None:
    assert sides((3, 128, 128)) == [128, 64, 32, 16]
    assert sides((1, 28, 28)) == [28]
    assert sides((3, 36, 36)) == [36, 18]
    assert sides((3, 66, 66)) == [66, 33], "an odd side cannot be halved"
    assert sides((2,)) == []
    with pytest.raises(UserError, match="7x7"):
        sides((3, 6, 6))


def test_a_pyramid_adds_up_to_the_picture() -> None:
    from scipy import ndimage

    x = torch.randn(2, 3, 32, 32)
    fine, coarse = laplacian_pyramid(x, 2)
    assert (fine.shape, coarse.shape) == ((2, 3, 32, 32), (2, 3, 16, 16))
    line = np.array([1, 4, 6, 4, 1]) / 16
    kernel = np.outer(line, line)[None, None]
    smaller = ndimage.convolve(x.numpy(), kernel, mode="mirror")[:, :, ::2, ::2]
    assert np.allclose(coarse.numpy(), smaller, atol=1e-5)
    spread = np.zeros(x.shape)
    spread[:, :, ::2, ::2] = smaller
    assert np.allclose(fine.numpy() + ndimage.convolve(spread, 4 * kernel, mode="mirror"), x.numpy(), atol=1e-5)
    flat, _ = laplacian_pyramid(torch.ones(1, 1, 32, 32), 2)
    assert flat.abs().max() < 1e-6, "nothing is lost of what is even"


def test_patches_are_cut_out_of_their_pictures() -> None:
    x = torch.arange(3.0)[:, None, None, None] + torch.zeros(3, 2, 9, 12)
    cut = patches(x, torch.Generator().manual_seed(0))
    assert cut.shape == (3 * 128, 2, 7, 7)
    assert torch.equal(cut[:, 0, 0, 0], torch.arange(3.0).repeat_interleave(128))
    places = patches(torch.arange(108.0).view(1, 1, 9, 12), torch.Generator().manual_seed(0))
    assert len(places[:, 0, 0, 0].unique()) == 3 * 6, "all places there are"
    assert torch.equal(places[0, 0, 1], places[0, 0, 0] + 12)


def test_descriptors_are_normalised_by_channel() -> None:
    made = normalised(torch.randn(500, 2, 7, 7) * torch.tensor([3.0, 0.1]).view(1, 2, 1, 1) + 5).view(500, 2, 49)
    assert made.mean((0, 2)).abs().max() < 1e-4
    assert torch.allclose(made.std((0, 2)), torch.ones(2), atol=1e-3)
    assert not normalised(torch.full((4, 1, 7, 7), 3.0)).any()


def test_the_distance_of_points() -> None:
    a = torch.randn(1000, 3, generator=torch.Generator().manual_seed(0))
    directions = unit_vectors(3, 400, 0)
    assert torch.allclose(directions.norm(dim=1), torch.ones(400))
    assert sliced_wasserstein(a, a[torch.randperm(1000)], directions) < 1e-6
    # moved by (1, 0, 0), a projection moves by the direction's first number, whose mean size on the sphere is 1/2
    assert sliced_wasserstein(a, a + torch.tensor([1.0, 0, 0]), directions) == pytest.approx(0.5, abs=0.05)
    from scipy.stats import wasserstein_distance

    b = 2 * torch.randn(1000, 3, generator=torch.Generator().manual_seed(1))
    expected = np.mean([wasserstein_distance((a @ d).numpy(), (b @ d).numpy()) for d in directions[:40]])
    assert sliced_wasserstein(a, b, directions[:40]) == pytest.approx(expected, rel=1e-4)


def test_of_a_run_of_pictures(pictures: Path) -> None:
    evaluator = SlicedWasserstein(num=32, projections=16)
    result = ganskit.evaluate_run(pictures, evaluator, name="swd", recipe=RECIPE)
    assert set(result.numbers) == {"swd", "swd_32", "swd_16"}
    assert result.numbers["swd"] == pytest.approx((result.numbers["swd_32"] + result.numbers["swd_16"]) / 2)
    assert ganskit.evaluate_run(pictures, evaluator, name="swd", recipe=RECIPE).numbers == result.numbers
    with pytest.raises(
        UserError, match="compares 65 samples with as many real examples, and there are 64: set num to 64 or less"
    ):
        ganskit.evaluate_run(pictures, SlicedWasserstein(num=65), name="swd", recipe=RECIPE)


def test_real_data_are_nearer_than_samples(pictures: Path) -> None:
    model = ganskit.load(pictures, recipe=RECIPE)
    evaluator = SlicedWasserstein(num=32, projections=16)
    real = model.real(64, seed=1)["x"]
    model.sample = lambda num, seed: real[32 : 32 + num]  # type: ignore[method-assign]  # real ones that are others
    other = measured(evaluator, model).numbers["swd"]
    assert other < 0.5 * measured(evaluator, ganskit.load(pictures, recipe=RECIPE)).numbers["swd"]


def test_vectors(tmp_path: Path) -> None:
    recipe = evolve(tiny(rounds=2), data=Corners(), nets=general().nets)
    run = ganskit.run(recipe, out=tmp_path / "run", progress=False)
    result = measured(SlicedWasserstein(num=64, projections=32), ganskit.load(run, recipe=recipe))
    assert set(result.numbers) == {"swd"}
    assert 0 < result.numbers["swd"] < 5000


@pytest.mark.parametrize(
    "evaluator",
    [
        SlicedWasserstein(num=16, projections=8),
        ModeCoverage(num=16, centres=tuple((value,) * 192 for value in (-0.5, 0.5)), std=0.1),
    ],
)
def test_training_goes_on_as_if_nothing_had_been_measured(evaluator: ganskit.Evaluator) -> None:
    checks.evaluates(evaluator, general())
