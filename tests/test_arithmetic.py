"""Fig. 7: arithmetic on the mean z of exemplars."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from latent_toys import WITH_ATTRIBUTES, model, reader  # noqa: F401 - a fixture

import ganskit as package
from ganskit import UserError
from ganskit.conformance.tiny import TinyData
from ganskit.data.attributes import with_attributes
from ganskit.data.celeba import CelebA
from ganskit.data.portraits import Face, Portraits
from ganskit.data.portraits.attributes import ATTRIBUTES, PortraitAttributes
from ganskit.dcgan.arithmetic import Arithmetic
from ganskit.evaluate.evaluation import measured

CHOSEN = {"a": (0, 1, 2), "b": (3, 4, 5), "c": (6, 7, 8)}
PICKED = {"num": 400, "repeats": 50, "confidence": 0.7}


def test_the_result_is_made_of_the_mean_z_of_the_exemplars() -> None:
    ours = model(TinyData())
    z = ours.z(9)["z"]
    y = z[:3].mean(0) - z[3:6].mean(0) + z[6:].mean(0)
    picture = Arithmetic(**CHOSEN, num=9).evaluate(ours).pictures["arithmetic"]
    grid = picture.x.unflatten(0, (-1, picture.columns))
    assert grid.shape[:2] == (4, 7)
    torch.testing.assert_close(grid[1, 5], ours.from_z(y[None])[0])
    torch.testing.assert_close(grid[3, 0], ours.from_z(z[:3].mean(0)[None])[0])
    assert torch.equal(grid[:3, 1], ours.sample(9)[3:6]), "the exemplars of b, one below the other"
    assert (grid[:, 3] == 1).all()
    assert (grid[3, 4:] == 1).all(), "white"


def test_neighbours_differ_by_uniform_noise_of_a_quarter() -> None:
    ours = model(TinyData())
    picture = Arithmetic(**CHOSEN, num=9).evaluate(ours).pictures["arithmetic"]
    around = picture.x.unflatten(0, (-1, 7))[:3, 4:].flatten(0, 1)
    apart = (torch.atanh(around) - torch.atanh(around[4])).abs()  # the toy's pictures are tanh(z)
    assert apart[4].max() == 0
    assert 0.1 < apart.max() <= 0.2501
    assert all(apart[i].max() > 0 for i in range(9) if i != 4)


@pytest.mark.usefixtures("reader")
def test_means_of_three_agree_more_often_than_single_exemplars() -> None:
    result = measured(Arithmetic(**PICKED), model())
    numbers = result.numbers
    assert numbers["agreement"] > numbers["agreement_single"] > numbers["agreement_by_chance"]
    assert numbers["samples_as_intended"] == pytest.approx(0.25, abs=0.1)
    assert result.protocol["concepts"] == {"a": ["smile", "not man"], "b": ["not smile", "not man"], "c": ["not smile", "man"]}
    assert result.protocol["intended"] == ["smile", "man"]
    assert result.protocol["classifier"] == {"network": "reader"}
    assert measured(Arithmetic(**PICKED), model()).numbers == numbers


@pytest.mark.usefixtures("reader")
def test_a_negated_attribute() -> None:
    result = measured(Arithmetic(onto="not man", **PICKED), model())
    assert result.protocol["concepts"]["a"] == ["smile", "man"]
    assert result.numbers["kept"] > 0.9


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize(
    ("options", "says"),
    [
        (CHOSEN | {"c": (9,), "num": 9}, "There is no sample 9 among the 9 of seed 0: they are numbered from 0 to 8"),
        (CHOSEN | {"a": (-1,)}, "There is no sample -1 among the 2,000"),
        ({"a": (1, 2, 3)}, "give all of them, or none"),
        ({"a": (), "b": (), "c": ()}, "Arithmetic.a is empty: expected one or more"),
        ({"change": "smlie"}, 'There is no attribute "smlie". Did you mean "smile"?'),
        ({"onto": "not men"}, 'There is no attribute "men". Did you mean "man"?'),
        ({"scale": float("inf")}, "Arithmetic.scale is inf: expected a finite number, 0 or more"),
        ({"change": "man"}, 'change and onto are both "man"'),
        (
            {"num": 10, "confidence": 0.999},
            '0 of the 10 samples looked through are "smile" and "not man" with',
        ),
    ],
)
def test_what_cannot_be_calculated(options: dict, says: str) -> None:
    with pytest.raises(UserError, match=says.replace("?", "[?]")):
        measured(Arithmetic(**options), model())


def test_data_without_attributes() -> None:
    with pytest.raises(UserError, match="There are no attributes in data with x uint8"):
        measured(Arithmetic(), model(TinyData()))


def test_which_data_have_attributes() -> None:
    assert with_attributes(WITH_ATTRIBUTES) is WITH_ATTRIBUTES
    assert with_attributes(Portraits(50, 16, 3)) == PortraitAttributes(50, 16, 3)
    assert with_attributes(CelebA(size=32)) == CelebA(size=32, attributes=True)


def test_portraits_with_attributes_are_the_portraits() -> None:
    ours, theirs = PortraitAttributes(20, 16, 3).open(), Portraits(20, 16, 3).open()
    for i in range(20):
        example, face = ours.read(i), Face.sample(3, i)
        said = dict(zip(ATTRIBUTES, example["attributes"].tolist(), strict=True))
        assert (example["x"] == theirs.read(i)["x"]).all()
        assert said == {
            "man": face.is_man,
            "smile": face.smiles,
            "glasses": face.glasses != "none",
            "beard": face.beard in ("goatee", "full"),
            "turn": face.turn > 0,
        }


def test_the_command(ganskit: Callable, tmp_path: Path) -> None:
    """A classifier is trained on the run's own portraits, once, and picks the exemplars."""
    run = tmp_path / "run"
    small = ["samples=64", "batch_size=4", "data.num_images=64", "data.size=16", "nets.G.width=4", "nets.D.width=4"]
    package.run("dcgan-rooms", data="portraits", settings=small, out=run, device="cpu", progress=False)
    settings = ["classifier_samples=640", "confidence=0.0", "num=8", "repeats=4"]
    words = [word for setting in settings for word in ("--set", setting)]
    done = ganskit("eval", run, "arithmetic", *words, "--device", "cpu")
    assert done.code == 0, done.err
    record = json.loads((run / "evaluations/arithmetic/result.json").read_text())
    assert set(record["numbers"]) > {"agreement", "agreement_single", "agreement_by_chance"}
    assert record["protocol"]["classifier"]["sha256"]
    assert (run / "evaluations/arithmetic/arithmetic.png").is_file()
    again = ganskit("eval", run, "arithmetic", *words, "--set", "change=glases", "--device", "cpu")
    assert again.code == 2
    assert 'There is no attribute "glases". Did you mean "glasses"?' in again.err
