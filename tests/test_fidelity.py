"""FID, KID and their like: what they are made of, what is refused, and what is kept."""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import tiny_runs
import torch
import torch_fidelity
from attrs import evolve, field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import ganskit
from ganskit import UserError, use
from ganskit.data.prepare import prepare
from ganskit.evaluate import learned
from ganskit.evaluate.evaluation import measured
from ganskit.evaluate.fidelity import metrics
from ganskit.evaluate.fidelity.evaluators import Fid, InceptionScore, Kid, PrecisionRecall
from ganskit.evaluate.fidelity.extractor import of_net
from ganskit.evaluate.fidelity.fd import Fd
from ganskit.evaluate.fidelity.features import ahead, features, kept_features
from ganskit.evaluate.fidelity.inputs import Reference, Samples
from ganskit.pictures import to_bytes

from toys import Blobs

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def model(finished: Path) -> ganskit.Model:
    return ganskit.load(finished, recipe=tiny_runs.tiny(), device="cpu")


class Small(nn.Module):
    """x (N, 3, 16, 16) -> (N, 12), and how many pictures it has seen."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.weight = nn.Parameter(torch.randn(12, 3 * 16 * 16, generator=generator) / 10)
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen += len(x)
        return torch.relu(x.flatten(1) @ self.weight.T)


@frozen(eq=False)
class Stand:
    """What `learned.classifier` gives."""

    module: nn.Module
    label: str = "conv-blobs-123456"
    protocol: Mapping[str, object] = field(factory=lambda: {"sha256": "123456"})


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """A classifier in no time; how it was asked for."""
    asked: list[tuple[object, ...]] = []

    def classifier(data: object, key: str = "y", *, samples: int | None = None, device: str = "auto") -> Stand:
        assert device == "cpu", "the model's"
        asked.append((data, key, samples))
        return Stand(Small())

    monkeypatch.setattr(learned, "classifier", classifier)
    return asked


SMALL = Fd(num=40, subset_size=20, subsets=5, key="x")  # blobs have no labels, and the stand-in learns nothing


@settings(max_examples=15)
@given(start=st.integers(0, 139), size=st.integers(1, 70))
def test_samples_are_those_of_the_model(model: ganskit.Model, start: int, size: int) -> None:
    stop = min(start + size, 140)
    assert torch.equal(Samples(model, 140, 3).rows(start, stop), to_bytes(model.sample(140, 3))[start:stop])


def test_real_pictures_are_those_of_the_model(model: ganskit.Model) -> None:
    real = Reference(model.store(), 50, 2)
    assert torch.equal(real.rows(0, 50), to_bytes(model.real(50, 2)["x"]))
    assert len({picture.numpy().tobytes() for picture in Reference(model.store(), 96, 0)}) == 96
    with pytest.raises(UserError, match=r"97 real pictures are asked for, and blobs-\w+ has 96: set num_real"):
        Reference(model.store(), 97, 0)


def test_grey_is_repeated(tmp_path: Path, pictures: Path) -> None:
    real = Reference(prepare(use("folder", path=str(pictures), size=16, channels=1)), 4, 0)
    assert real.rows(0, 4).shape == (4, 1, 16, 16)
    assert torch.equal(real[3], real.rows(3, 4)[0].expand(3, -1, -1))
    net = of_net(nn.Flatten(), "grey", {}, CPU)
    assert features(real, net).shape == (4, 256)
    assert features(real, of_net(nn.Flatten(), "colour", {}, CPU, colour=True)).shape == (4, 768)


def test_the_next_is_made_while_the_last_is_used() -> None:
    begun = [threading.Event() for _ in range(5)]

    def make(i: int) -> int:
        begun[i].set()
        if i == 4:
            raise UserError("no more")
        return i

    made = ahead(make, 5)
    for i in range(4):
        assert next(made) == i
        assert begun[i + 1].wait(10)
    with pytest.raises(UserError, match="no more"):
        next(made)


def test_numbers_are_torch_fidelitys(model: ganskit.Model, stand: list[tuple[object, ...]]) -> None:
    """Its own `calculate_metrics` takes our samples, our real pictures and our net, and says the same."""
    result = SMALL.evaluate(model)
    samples, real = Samples(model, 40, 0), Reference(model.store(), 40, 0)
    options = {"cuda": False, "cache": False, "verbose": False, "save_cpu_ram": True, "kid_subset_size": 20, "kid_subsets": 5}
    extractor = {"feature_extractor": "ganskit-net", "net": Small(), "rng_seed": 0}
    theirs = torch_fidelity.calculate_metrics(input1=samples, input2=real, fid=True, kid=True, **options, **extractor)
    label = "conv-blobs-123456"
    assert result.numbers[f"fd[{label}]"] == pytest.approx(theirs["frechet_inception_distance"], rel=1e-6)
    assert result.numbers[f"kd[{label}]"] == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-6)
    assert result.numbers[f"kd_std[{label}]"] == pytest.approx(theirs["kernel_inception_distance_std"], rel=1e-6)
    assert result.protocol["real"]["content"] == model.store().manifest.content
    assert result.protocol["extractor"]["sha256"] == "123456"
    assert result.protocol["torch_fidelity"] == torch_fidelity.__version__


def test_fd_of_other_data(model: ganskit.Model, stand: list[tuple[object, ...]]) -> None:
    other = Blobs(num=50)
    chosen = evolve(SMALL, data=other, learn_from=Blobs(num=60), train_samples=7)
    there = measured(chosen, model)
    assert stand[-1] == (Blobs(num=60), "x", 7)
    assert there.protocol["real"]["content"] == model.store(other).manifest.content
    assert there.numbers == measured(chosen, model).numbers
    with pytest.raises(UserError, match=r"learn_from has x uint8 \(3, 32, 32\): expected pictures as the run has, x"):
        measured(evolve(SMALL, learn_from=Blobs(size=32)), model)
    with pytest.raises(UserError, match=r'to tell "y" apart, and there is no such label: x uint8 \(3, 16, 16\)'):
        measured(evolve(SMALL, key="y"), model)
    with pytest.raises(UserError, match="was trained on"):
        evolve(SMALL, data=Blobs(size=32)).evaluate(model)


def test_features_of_real_pictures_are_kept(model: ganskit.Model, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    store = model.store()
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path))
    net = of_net(Small(), "small", {"sha256": "1"}, CPU)

    def seen() -> int:
        count = int(net.net.net.seen)
        net.net.net.seen.zero_()
        return count

    first = kept_features(Reference(store, 20, 0), net)
    assert seen() == 20
    assert torch.equal(kept_features(Reference(store, 20, 0), net), first)
    assert seen() == 0
    (file,) = (tmp_path / "features").iterdir()
    file.write_bytes(file.read_bytes()[:-40])
    assert torch.equal(kept_features(Reference(store, 20, 0), net), first), "a damaged file is made again"
    assert seen() == 20
    kept_features(Reference(store, 20, 1), net)
    kept_features(Reference(store, 21, 0), net)
    kept_features(Reference(store, 20, 0), of_net(Small(1), "small", {"sha256": "2"}, CPU))
    assert len(list((tmp_path / "features").iterdir())) == 4
    monkeypatch.setenv("GANSKIT_DATA", "/proc/no")
    assert torch.equal(kept_features(Reference(store, 20, 0), net), first), "what cannot be kept is no trouble"


def test_features_of_the_last_samples_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = ["samples=32", "batch_size=4", "data.num_images=32", "data.size=16", "nets.G.width=4", "nets.D.width=4"]
    run = ganskit.run("dcgan-rooms", settings=settings, out=tmp_path / "run", device="cpu", progress=False)
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path))
    net, model = of_net(Small(), "small", {"sha256": "1"}, CPU), ganskit.load(run, device="cpu")

    def seen(samples: Samples) -> int:
        net.net.net.seen.zero_()
        expected = features(samples, net, progress=False)
        net.net.net.seen.zero_()
        assert torch.equal(kept_features(samples, net), expected)
        return int(net.net.net.seen)

    assert [seen(Samples(model, 20, 0)) for _ in range(2)] == [20, 0]
    assert seen(Samples(ganskit.load(run, device="cpu"), 20, 0)) == 0
    assert seen(Samples(model, 20, 1)) == 20
    with torch.no_grad():
        next(model.nets["G"].parameters()).mul_(1.5)
    assert seen(Samples(model, 20, 1)) == 20
    assert [file.name for file in (tmp_path / "features").iterdir()] == ["samples.safetensors"]


@pytest.mark.parametrize(
    ("evaluator", "says"),
    [
        (Fid(num=500), r"500 pictures do not determine a covariance of 2,048 dimensions: it needs 2,049 or more.*num=10000"),
        (Fid(num=5000, num_real=96), "96 pictures do not determine .* num_real=10000, or allow_few=true"),
        (Fid(num=1, allow_few=True), "it needs 2 or more"),
        (Kid(num=500), "num is 500: KID is of subsets of subset_size=1,000, so it needs 1,000 or more"),
        (PrecisionRecall(num=3), "num is 3: a point needs 3 neighbours beside itself, so it needs 4 or more"),
        (InceptionScore(num=5000), "num is 5,000: each of splits=10 .* so it needs 10,080 or more"),
        (Fd(num=999), "num is 999: the kernel distance is of subsets"),
        (Fd(num=10, subset_size=5, key="x"), r"10 pictures do not determine a covariance of 12 dimensions: it needs 13 or more"),
    ],
)
def test_too_few(model: ganskit.Model, stand: list[tuple[object, ...]], evaluator: ganskit.Evaluator, says: str) -> None:
    with pytest.raises(UserError, match=says):
        measured(evaluator, model)


def test_precision_is_of_samples_and_recall_of_reals() -> None:
    """Kynkäänniemi 2019, fig. 1: samples like one half of what is real are all good, and miss the other half."""
    generator = torch.Generator().manual_seed(0)
    real = torch.randn(200, 4, generator=generator) + 100 * (torch.arange(200) % 2)[:, None]
    fake = torch.randn(200, 4, generator=generator)
    found = metrics.precision_recall(fake, real, 3)
    assert found["precision"] > 0.8
    assert 0.4 < found["recall"] <= 0.5


def test_few_that_are_asked_for(model: ganskit.Model, stand: list[tuple[object, ...]]) -> None:
    result = Fd(num=10, subset_size=5, allow_few=True).evaluate(model)
    assert result.protocol["allow_few"] is True
    assert all(np.isfinite(value) for value in result.numbers.values())


def test_samples_that_are_not_finite(model: ganskit.Model, stand: list[tuple[object, ...]]) -> None:
    broken = ganskit.Model(model.recipe, copy.deepcopy(model.nets), model.samples, CPU)
    next(broken.nets["G"].parameters()).fill_(torch.nan)
    with pytest.raises(UserError, match="makes samples that are not finite: its training has failed"):
        SMALL.evaluate(broken)


def test_a_run_is_left_as_it_was(copy: Path, model: ganskit.Model, stand: list[tuple[object, ...]]) -> None:
    """Evaluated by name, its samples and torch's random numbers go on, and the result is kept."""
    before, state = model.sample(8), torch.get_rng_state()
    result = ganskit.evaluate_run(copy, SMALL, name="fd", recipe=tiny_runs.tiny(), device="cpu")
    assert torch.equal(torch.get_rng_state(), state)
    assert result.numbers == SMALL.evaluate(model).numbers
    assert torch.equal(model.sample(8), before)
    assert sorted(file.name for file in (copy / "evaluations/fd").iterdir()) == ["result.json", "samples.png"]
