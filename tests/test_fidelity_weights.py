"""The networks behind FID and its like: their weights are found, checked and never just unpickled. Random weights will do."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny_runs
import torch
import torchvision
from attrs import evolve
from http_server import serving
from safetensors.torch import load_file, save_file
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.sample_similarity_lpips import NetLinLayer

import ganskit
from ganskit import Noise, TwoPlayer, UserError
from ganskit.conformance.tiny import TinyData
from ganskit.data.known import Remote
from ganskit.errors import DataNotFound
from ganskit.evaluate.evaluation import measured
from ganskit.evaluate.fidelity.evaluators import InceptionScore, Kid, PrecisionRecall
from ganskit.evaluate.fidelity.extractor import as_file, inception
from ganskit.evaluate.fidelity.ppl import Latents, Ppl, trimmed
from ganskit.evaluate.fidelity.weights import INCEPTION, LPIPS, VGG16, Published, check_weights, weights_of

CPU = torch.device("cpu")
KID = Kid(num=3, subset_size=2, subsets=2, batch_size=3)


class Untrained(FeatureExtractorInceptionV3):
    """With the weights that it is made with."""

    def load_state_dict(self, *_: object) -> None:
        """None are given."""


@pytest.fixture(scope="module")
def model(finished: Path) -> ganskit.Model:
    return ganskit.load(finished, recipe=tiny_runs.tiny(), device="cpu")


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An Inception-v3 that has learned nothing."""
    file = tmp_path_factory.mktemp("weights") / "untrained.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = Untrained("untrained", ["2048"], feature_extractor_weights_path=as_file({}))
    save_file(net.state_dict(), file)
    return file


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, and no network."""
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for published in (INCEPTION, VGG16, LPIPS):
        monkeypatch.delenv(published.variable, raising=False)
    return tmp_path / "data"


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def pth(file: Path, holds: object) -> Path:
    torch.save(holds, file)
    return file


def test_kid_by_the_network_it_was_given(model: ganskit.Model, untrained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = evolve(KID, weights=str(untrained), weights_sha256=digest(untrained))
    result = measured(chosen, model)
    assert all(np.isfinite(value) for value in result.numbers.values())
    assert result.protocol["extractor"]["weights_sha256"] == digest(untrained)
    assert result.protocol["extractor"]["resizer"] == "bilinear as in TensorFlow 1 (torch-fidelity), to 299x299"
    assert (result.protocol["num"], result.protocol["real"]["num"]) == (3, 3)
    monkeypatch.setenv("GANSKIT_INCEPTION", str(untrained))
    assert measured(KID, model).numbers == result.numbers
    found = measured(PrecisionRecall(num=3, neighbours=1, batch_size=3), model).numbers
    assert 0 <= found["precision"] <= 1


def test_inception_score(model: ganskit.Model, untrained: Path, tmp_path: Path) -> None:
    score = InceptionScore(num=2, splits=1, allow_few=True, weights=str(untrained))
    found = measured(score, model)
    assert found.numbers["inception_score"] >= 1
    assert found.protocol["allow_few"] is True
    without = {name: tensor for name, tensor in load_file(untrained).items() if not name.startswith("fc")}
    save_file(without, tmp_path / "without.safetensors")
    assert inception(CPU, str(tmp_path / "without.safetensors")).layer == "2048", "for all else they will do"
    save_file(without | {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}, tmp_path / "zero.safetensors")
    for file in ("without.safetensors", "zero.safetensors"):
        with pytest.raises(UserError, match=r"has no logits .* Inception Score would be 1 for whatever"):
            measured(evolve(score, weights=str(tmp_path / file)), model)
    save_file({"G/weight": torch.zeros(3, 3)}, tmp_path / "other.safetensors")
    with pytest.raises(UserError, match="has the weights of another network than Inception-v3"):
        measured(evolve(score, weights=str(tmp_path / "other.safetensors")), model)


def test_weights_of_another_network(untrained: Path, tmp_path: Path) -> None:
    save_file({"features.0.weight": torch.zeros(3, 3)}, tmp_path / "other.safetensors")
    with pytest.raises(UserError, match=r"other.safetensors has the weights of another network than Inception-v3. Missing"):
        inception(CPU, str(tmp_path / "other.safetensors"))
    save_file({"a": torch.zeros(3).to(torch.float8_e4m3fn)}, tmp_path / "short.safetensors")
    with pytest.raises(UserError, match=r"short.safetensors has the weights of another network"):
        inception(CPU, str(tmp_path / "short.safetensors"))
    header = json.dumps({"a": {"dtype": "F4", "shape": [2], "data_offsets": [0, 1]}}).encode()
    (tmp_path / "f4.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"\0")
    with pytest.raises(UserError, match=r"f4.safetensors cannot be read"):
        inception(CPU, str(tmp_path / "f4.safetensors"))
    with pytest.raises(UserError, match=r"The weights ~nobody-of-this-name/a.pth cannot be read: No such file"):
        inception(CPU, "~nobody-of-this-name/a.pth")
    narrow = load_file(untrained) | {"Conv2d_1a_3x3.conv.weight": torch.zeros(16, 3, 3, 3)}
    save_file(narrow, tmp_path / "narrow.safetensors")
    with pytest.raises(UserError, match=r"another network.*Conv2d_1a_3x3.conv.weight.*16, 3, 3, 3"):
        inception(CPU, str(tmp_path / "narrow.safetensors"))


class Trap:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.mark,)


def test_weights_that_are_not_finite(model: ganskit.Model, untrained: Path, tmp_path: Path) -> None:
    tensors = load_file(untrained)
    tensors["fc.bias"] = torch.full_like(tensors["fc.bias"], torch.nan)
    save_file(tensors, tmp_path / "nan.safetensors")
    with pytest.raises(UserError, match=r"The weights .*nan\.safetensors are not all finite numbers"):
        measured(evolve(KID, weights=str(tmp_path / "nan.safetensors")), model)


@pytest.mark.parametrize(("evaluator", "what"), [(Ppl(), "A path length"), (InceptionScore(), "An Inception Score")])
def test_pictures_are_asked_for_before_weights(home: Path, evaluator: ganskit.Evaluator, what: str) -> None:
    points = ganskit.evolve(tiny_runs.tiny(), data=TinyData({"x": ganskit.Field((2,), "float32")}))
    with pytest.raises(UserError, match=f'{what} is of pictures, and "tiny" is about x float32'):
        evaluator.check(points)


def test_a_pickle_is_opened_only_if_it_is_known(tmp_path: Path) -> None:
    file = pth(tmp_path / "some.pth", {"a": torch.ones(2)})
    with pytest.raises(UserError, match=rf"not the published weights-inception\S+: its SHA-256 is {digest(file)}.*state it"):
        weights_of(INCEPTION, str(file))
    with pytest.raises(UserError, match=f"have the SHA-256 {digest(file)}, and not {'0' * 64} as was stated"):
        weights_of(INCEPTION, str(file), "0" * 64)
    assert torch.equal(weights_of(INCEPTION, str(file), digest(file).upper()).tensors["a"], torch.ones(2))
    trap = pth(tmp_path / "trap.pth", {"a": Trap(tmp_path / "mark")})
    with pytest.raises(UserError, match="cannot be read as PyTorch weights: UnpicklingError"):
        weights_of(INCEPTION, str(trap), digest(trap))
    assert not (tmp_path / "mark").exists()
    odd = pth(tmp_path / "odd.pth", [1, 2])
    with pytest.raises(UserError, match="something else than tensors by name"):
        weights_of(INCEPTION, str(odd), digest(odd))
    with pytest.raises(UserError, match="name the file, too"):
        weights_of(INCEPTION, "", "0" * 64)


@pytest.mark.parametrize("name", ["missing.safetensors", "text.safetensors"])
def test_no_weights_at_all(tmp_path: Path, name: str) -> None:
    (tmp_path / "text.safetensors").write_text("weights")
    with pytest.raises(UserError, match=rf"The weights \S+{name} cannot be read"):
        weights_of(INCEPTION, str(tmp_path / name))


@pytest.mark.parametrize("may", ["", "1"])
def test_offline(home: Path, model: ganskit.Model, monkeypatch: pytest.MonkeyPatch, may: str) -> None:
    monkeypatch.setenv("GANSKIT_OFFLINE", may)
    with pytest.raises(DataNotFound) as raised:
        measured(KID, model)
    said = str(raised.value)
    assert "weights-inception-2015-12-05-6726825d.pth (95.6 MB)" in said
    assert f"put it into {home / 'weights'}" in said
    assert "--set weights=FILE or GANSKIT_INCEPTION=FILE" in said


def wish(evaluator: str) -> list[str]:
    small = ["data.size=16", "data.num_images=10000", "nets.G.width=4", "nets.D.width=4"]
    return [word for each in (*small, f"evaluations.e={{evaluator={evaluator}}}") for word in ("--set", each)]


@pytest.mark.parametrize(("evaluator", "file"), [("fid", INCEPTION), ("ppl", VGG16)])
def test_a_training_fetches_what_it_will_need_and_a_dry_run_does_not(
    home: Path, ganskit: Callable, monkeypatch: pytest.MonkeyPatch, evaluator: str, file: Published
) -> None:
    words = ["run", "dcgan-rooms", *wish(f"'{evaluator}'"), "--device", "cpu", "--out", home.parent / "run"]
    assert ganskit(*words, "--dry-run").code == 0, "they could be downloaded"
    assert not home.exists()
    refused = ganskit(*words)
    assert refused.code == 2
    assert f"The weights of {file.network} are not here and could not be downloaded" in refused.err
    assert not (home.parent / "run").exists()
    monkeypatch.setenv("GANSKIT_OFFLINE", "1")
    assert f"Get {file.file.name}" in ganskit(*words, "--dry-run").err


def test_weights_of_another_network_are_refused_before_the_training(ganskit: Callable, tmp_path: Path) -> None:
    save_file({"a": torch.zeros(3)}, tmp_path / "other.safetensors")
    done = ganskit("run", "dcgan-rooms", *wish(f"{{use = 'fid', weights = '{tmp_path / 'other.safetensors'}'}}"), "--dry-run")
    assert done.code == 2
    assert "has the weights of another network than Inception-v3" in done.err


def test_a_file_of_weights_is_looked_at_once_until_it_changes(tmp_path: Path) -> None:
    file, looks = tmp_path / "some.safetensors", []

    def check(layer: str = "") -> int:
        check_weights(INCEPTION, str(file), "", lambda: looks.append(1), layer)
        return len(looks)

    file.write_bytes(b"1")
    assert [check(), check(), check("logits"), check()] == [1, 1, 2, 2]
    file.write_bytes(b"12")
    assert check() == 3


def test_published_weights_are_downloaded_once_and_kept_as_safetensors(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name)
    file = pth(home.parent / "net.pth", {"a": torch.arange(6.0).view(2, 3).T})
    with serving() as site:
        site.add("/net.pth", file.read_bytes())
        net = Published("Net", Remote(f"{site.address}/net.pth", file.stat().st_size, digest(file)), "GANSKIT_NET")
        for _ in range(2):
            found = weights_of(net)
            assert torch.equal(found.tensors["a"], torch.arange(6.0).view(2, 3).T)
            assert found.sha256 == digest(file)
        assert len(site.asked) == 1
        tiny_runs.flip_a_byte(home / "weights/net.safetensors")
        assert torch.equal(weights_of(net).tensors["a"], found.tensors["a"]), "a damaged one is made again"
        (home / "weights/net.safetensors").unlink()
        (home / "weights/net.pth").write_bytes(b"another file")
        with pytest.raises(UserError, match=r"net.pth is not the published file: .* Move it away. Get net.pth"):
            weights_of(net)


@pytest.fixture(scope="module")
def perceptual(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An LPIPS that has learned nothing, but that small changes are short."""
    folder = tmp_path_factory.mktemp("perceptual")
    with torch.random.fork_rng(), torch.device("meta"):
        shapes = torchvision.models.vgg16(weights=None).features.state_dict()
    generator = torch.Generator().manual_seed(0)
    vgg = {f"features.{name}": torch.randn(t.shape, generator=generator) * 0.03 for name, t in shapes.items()}
    save_file(vgg, folder / "vgg.safetensors")
    channels = (64, 128, 256, 512, 512)
    nets = [NetLinLayer(count, use_dropout=True).state_dict() for count in channels]
    lpips = {f"lin{i}.{name}": t.abs() for i, net in enumerate(nets) for name, t in net.items()}
    save_file(lpips, folder / "lpips.safetensors")
    return {"weights": str(folder / "vgg.safetensors"), "lpips_weights": str(folder / "lpips.safetensors")}


def test_path_length(model: ganskit.Model, perceptual: dict[str, str]) -> None:
    precise, settings = model.precision, torch.get_num_threads()
    ppl = Ppl(num=4, resize=16, batch_size=4, epsilon=1e-2, **perceptual)
    found = measured(ppl, model)
    assert found.numbers["ppl"] > 0
    assert measured(ppl, model).numbers == found.numbers
    assert (model.precision, torch.get_num_threads()) == (precise, settings)
    assert found.protocol["ppl_z_interp_mode"] == "lerp"
    assert found.protocol["extractor"]["weights_sha256"] == digest(Path(perceptual["weights"]))
    with pytest.raises(UserError, match=r"lpips.safetensors has the weights of another network than VGG-16"):
        measured(evolve(ppl, weights=perceptual["lpips_weights"]), model)
    with pytest.raises(UserError, match=r"vgg.safetensors has the weights of another network than LPIPS"):
        measured(evolve(ppl, lpips_weights=perceptual["weights"]), model)


@pytest.mark.parametrize(("prior", "source"), [("uniform", "ganskit-uniform"), ("normal", "normal"), ("unit", "uniform_0_1")])
def test_the_noise_of_a_path_is_the_games(prior: str, source: str) -> None:
    from torch_fidelity.utils import sample_random

    recipe = tiny_runs.tiny(game=TwoPlayer(noise=Noise(dim=7, prior=prior)))
    from ganskit.engine.engine import build_nets

    latents = Latents(ganskit.Model(recipe, build_nets(recipe, recipe.data.provides()), 0, CPU), 0)
    assert (latents.z_size, latents.z_type, latents.num_classes) == (7, source, 0)
    z = sample_random(np.random.RandomState(0), (1000, 7), source)
    low, high = {"uniform": (-1, -0.9), "normal": (-9, -2), "unit": (0, 0.1)}[prior]
    assert low <= z.min() < high
    x = latents(z[:4].repeat(2, 1))
    assert x.shape == (8, 3, 16, 16)
    assert torch.equal(x[:4], x[4:])
    assert x.min() >= 0
    assert 1 < x.max() <= 255


def test_outliers_of_a_path_are_left_out() -> None:
    lengths = np.arange(1000.0)
    assert (trimmed(lengths).min(), trimmed(lengths).max()) == (9, 990)
