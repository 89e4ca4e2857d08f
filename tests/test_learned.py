"""Classifiers that ganskit trains itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from attrs import frozen
from drawn_digits import write_digits

from ganskit import Dataset, Field, UserError
from ganskit.conformance import checks
from ganskit.conformance.tiny import general
from ganskit.data import Mnist
from ganskit.data.prepare import prepare
from ganskit.engine import checkpoint as checkpoints
from ganskit.evaluate import learned
from ganskit.evaluate.learned.game import Classification, shifted
from ganskit.evaluate.learned.labels import held_out
from ganskit.evaluate.learned.net import Convolutional
from ganskit.game import Shape

from toys import Blobs

FEW = 1200


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "learned"


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Mnist:
    folder = tmp_path_factory.mktemp("digits")
    write_digits(folder)
    return Mnist(path=str(folder), size=28)


@frozen
class Corners(Dataset):
    """Pictures whose corners are light or dark, each by itself; one attribute is always there, one is no yes or no."""

    num: int = 100
    names: tuple[str, ...] = ("left", "right", "always", "three")
    dtype: str = "uint8"

    def provides(self) -> dict[str, Field]:
        return {"x": Field((3, 8, 8), pixels=True), "attributes": Field((4,), self.dtype, classes=self.names)}

    def open(self) -> CornersSource:
        return CornersSource(self.num, self.dtype)


class CornersSource:
    """Draws each when it is read."""

    fingerprint = "corners 1"

    def __init__(self, num: int = 100, dtype: str = "uint8") -> None:
        self.num, self.dtype = num, dtype

    def __len__(self) -> int:
        return self.num

    def name(self, index: int) -> str:
        return f"corners {index}"

    def read(self, index: int) -> dict[str, np.ndarray]:
        left, right = np.random.default_rng(index).integers(0, 2, 2).tolist()
        x = np.full((3, 8, 8), 60, np.uint8)
        x[:, :4, :4] += np.uint8(150 * left)
        x[:, :4, 4:] += np.uint8(150 * right)
        return {"x": x, "attributes": np.array([left, right, 1, index % 3], self.dtype)}


def small(data: Dataset, samples: int = FEW, **options: object) -> learned.Classifier:
    return learned.classifier(data, samples=samples, width=4, progress=False, device="cpu", **options)


def test_classes(digits: Mnist, data_folder: Path) -> None:
    made = small(digits, samples=4000)
    store = prepare(digits)
    x = store.gather(range(len(store)))["x"].float() / 127.5 - 1
    assert made.names == tuple("0123456789")
    assert made.features(x).shape == (200, 16)
    assert made.logits(x).shape == (200, 10)
    assert made.accuracy > 0.9
    held = held_out(len(store))
    right = (made.logits(x[held]).argmax(1) == store.gather(held)["y"]).double().mean().item()
    assert made.accuracy == pytest.approx(right)
    assert set(made.accuracies) <= set(made.names)
    assert made.label == f"conv-mnist-{made.label[-6:]}"
    assert (data_folder / made.protocol["network"] / "recipe.toml").is_file()
    json.dumps(made.protocol)
    assert made.protocol["num_held_out"] == 20
    assert torch.equal(made.module(x[:2]), made.features(x[:2]))


def test_it_is_trained_once(digits: Mnist, data_folder: Path) -> None:
    first = small(digits)
    folder = data_folder / first.protocol["network"]
    before = {file: file.stat().st_mtime_ns for file in sorted(folder.rglob("*")) if file.is_file()}
    again = small(digits)
    assert {file: file.stat().st_mtime_ns for file in sorted(folder.rglob("*")) if file.is_file()} == before
    assert (again.label, again.protocol, again.accuracies) == (first.label, first.protocol, first.accuracies)
    others = [small(digits, seed=1), small(digits, samples=FEW + 64)]
    assert len({first.label, *(other.label for other in others)}) == 3


def test_the_held_out_are_never_trained_on(digits: Mnist, data_folder: Path) -> None:
    made = small(digits)
    (subset,) = (data_folder / "data").glob("mnist-*/")
    from ganskit.data import Store

    kept, whole = Store.open(subset), prepare(digits)
    assert len(kept) == made.protocol["num_trained_on"] == 180
    seen = {picture.numpy().tobytes() for picture in kept.gather(range(180))["x"]}
    out = [picture.numpy().tobytes() for picture in whole.gather(held_out(200))["x"]]
    assert not seen & set(out)
    assert f'path = "{subset}"' in (data_folder / made.protocol["network"] / "recipe.toml").read_text()


def test_it_goes_on_where_it_was_killed(digits: Mnist, data_folder: Path) -> None:
    made = small(digits)
    folder = data_folder / made.protocol["network"]
    (folder / "classifier.json").unlink()
    for file in checkpoints.files(folder / "checkpoints")[1:]:  # as if the kill had come after the first
        file.unlink()
    assert small(digits).protocol == made.protocol


def test_attributes() -> None:
    made = small(Corners(), samples=4000, key="attributes")
    assert made.names == ("left", "right"), "one attribute is always there, and one has three values"
    assert set(made.accuracies) == {"left", "right"}
    assert made.accuracy == pytest.approx(sum(made.accuracies.values()) / 2)
    assert made.accuracy > 0.9
    x = torch.from_numpy(np.stack([CornersSource().read(i)["x"] for i in range(8)])).float() / 127.5 - 1
    y = torch.from_numpy(np.stack([CornersSource().read(i)["attributes"][:2] for i in range(8)]))
    assert ((made.logits(x) > 0) == y).double().mean() > 0.8


def test_attributes_as_floats_without_names() -> None:
    assert small(Corners(names=(), dtype="float32"), samples=64, key="attributes").names == ("attributes 0", "attributes 1")


@pytest.mark.parametrize(
    ("data", "key", "says"),
    [
        (Blobs(num=32), "y", r'has no labels "y" to learn: its fields are x uint8 \(3, 16, 16\). Prepare the data with labels.'),
        (Blobs(num=32), "x", 'has no labels "x"'),
        (Corners(), "y", r"attributes uint8 \(4,\). Choose another key \(attributes\)."),
        (Blobs(num=32, keys=("a", "b")), "y", r"has no pictures x \(C, H, W\) for a classifier to see"),
        (Corners(num=12), "attributes", "has 12 examples: a classifier needs 20 or more"),
    ],
)
def test_what_cannot_be_learnt(data: Dataset, key: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        small(data, key=key)


def test_pictures_of_another_shape(digits: Mnist) -> None:
    made = small(digits, samples=64)
    with pytest.raises(UserError, match=r"sees pictures \(N, 1, 28, 28\), and not \(2, 3, 28, 28\)"):
        made.logits(torch.zeros(2, 3, 28, 28))


@pytest.mark.parametrize("damage", ["{", "[]", "7", '{"protocol": null}', "without accuracy"])
def test_a_damaged_note_is_made_again(digits: Mnist, data_folder: Path, damage: str) -> None:
    made = small(digits, samples=64)
    note = data_folder / made.protocol["network"] / "classifier.json"
    if damage == "without accuracy":
        damage = json.dumps({"protocol": json.loads(note.read_text())["protocol"]})
    note.write_text(damage)
    assert small(digits, samples=64).protocol == made.protocol


def test_a_damaged_network_says_what_to_delete(digits: Mnist, data_folder: Path) -> None:
    folder = data_folder / small(digits, samples=64).protocol["network"]
    for file in folder.glob("checkpoints/*.safetensors"):
        file.write_bytes(b"broken")
    with pytest.raises(UserError, match=f"small network of ganskit's own: delete {folder}, and it is trained again"):
        small(digits, samples=64)


@pytest.mark.slow
def test_two_processes_want_it_at_once(digits: Mnist, data_folder: Path) -> None:
    code = (
        "from ganskit.data import Mnist; from ganskit.evaluate import learned; "
        f"made = learned.classifier(Mnist(path={digits.path!r}, size=28), samples={FEW}, width=4, progress=False); "
        "print(made.protocol['sha256'])"
    )
    environment = os.environ | {"GANSKIT_DATA": str(data_folder.parent)}
    started = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment) for _ in range(2)]
    said = {each.communicate(timeout=120)[0] for each in started}
    assert len(said) == 1
    assert len(list(data_folder.glob("conv-*/recipe.toml"))) == 1


def test_each_picture_is_seen_by_itself() -> None:
    net = Convolutional(8).build(Shape((3, 16, 16), (5,)))
    x = torch.randn(6, 3, 16, 16)
    assert torch.allclose(net(x)[2:3], net(x[2:3]), atol=1e-5)


@pytest.mark.parametrize("side", [8, 9, 28, 32, 50, 64])
def test_pictures_of_any_size(side: int) -> None:
    net = Convolutional(16).build(Shape((1, side, side + 3), (5,)))
    assert net.features(torch.zeros(2, 1, side, side + 3)).shape == (2, 64)


def test_pictures_that_are_too_small() -> None:
    with pytest.raises(UserError, match="8x8 or more"):
        Convolutional().build(Shape((3, 7, 32), (5,)))


def test_shifted_pictures_are_the_same_but_for_their_border() -> None:
    x = torch.arange(64.0).view(1, 1, 8, 8).repeat(50, 1, 1, 1)
    torch.manual_seed(0)
    moved = shifted(x, 2)
    assert moved.shape == x.shape
    offsets = {float(picture[0, 4, 4]) - float(x[0, 0, 4, 4]) for picture in moved}
    assert offsets <= {8.0 * down + right for down in range(-2, 3) for right in range(-2, 3)}
    assert len(offsets) > 10


@pytest.mark.parametrize("check", [checks.plays, checks.resumes, checks.micro_batches_add_up, checks.compiles])
def test_the_game_is_one_like_any_other(check) -> None:
    check(general(Classification()))


@pytest.mark.slow
@pytest.mark.real
def test_mnist(real) -> None:
    made = learned.classifier(Mnist(path=str(real("mnist"))), progress=False)
    assert made.accuracy > 0.985
