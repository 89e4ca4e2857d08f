"""Fig. 8: a vector that turns faces."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from latent_toys import model, reader  # noqa: F401 - a fixture

import ganskit as package
from ganskit import UserError
from ganskit.conformance.tiny import TinyData
from ganskit.dcgan.turn import Turn
from ganskit.evaluate.evaluation import measured

GIVEN = {"left": (0, 1), "right": (2, 3), "num": 4}
PICKED = {"attribute": "smile", "num": 200, "rows": 40, "confidence": 0.7}


def test_rows_move_along_the_vector() -> None:
    ours = model(TinyData())
    z = ours.z(4)["z"]
    vector = z[2:].mean(0) - z[:2].mean(0)
    result = Turn(**GIVEN, rows=3, shown=2, steps=5, reach=2.0).evaluate(ours)
    rows = result.pictures["turn"].x.unflatten(0, (-1, 5))
    assert len(rows) == 2
    start = ours.z(3, seed=1)["z"]
    assert torch.equal(rows[:, 2], ours.sample(3, seed=1)[:2]), "the sample itself is in the middle"
    torch.testing.assert_close(rows[1, 4], ours.from_z((start[1] + 2 * vector)[None])[0])
    assert result.numbers["vector_length"] == pytest.approx(vector.norm().item())
    assert result.protocol["t"] == [-2, -1, 0, 1, 2]


@pytest.mark.usefixtures("reader")
def test_a_linear_pose_is_turned() -> None:
    result = measured(Turn(**PICKED), model())
    numbers = result.numbers
    assert numbers["monotone"] == 1
    assert numbers["correlation"] > 0.9
    assert numbers["turned"] > 0.7
    assert numbers["turned"] > numbers["turned_by_chance"]
    assert len(result.details["left"]) == len(result.details["right"]) == 4
    assert measured(Turn(**PICKED), model()).numbers == numbers


@pytest.mark.usefixtures("reader")
def test_given_exemplars_can_be_judged() -> None:
    ours = model()
    result = measured(Turn(**GIVEN, attribute="smile", data=ours.recipe.data, rows=4), ours)
    assert {"correlation", "turned_by_chance"} <= set(result.numbers)


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"left": (1,)}, "give both, or neither"),
        (GIVEN | {"reach": 1e38}, r"reach is 1e\+38: expected 1,000 at most"),
        ({"left": (), "right": ()}, "Turn.left is empty: expected one or more"),
        (GIVEN | {"right": (4,)}, "There is no sample 4 among the 4 of seed 0"),
        ({}, 'There is no attribute "turn". Known: man, smile.'),
        ({"attribute": "smile", "num": 5, "confidence": 0.9999}, '0 of the 5 samples looked through are "not smile"'),
    ],
)
def test_what_cannot_be_turned(options: dict, says: str) -> None:
    with pytest.raises(UserError, match=says):
        measured(Turn(**options), model())


def test_data_without_attributes() -> None:
    with pytest.raises(UserError, match="There are no attributes"):
        measured(Turn(), model(TinyData()))


def test_the_command(ganskit: Callable, tmp_path: Path) -> None:
    run = tmp_path / "run"
    small = ["samples=64", "batch_size=4", "data.num_images=64", "data.size=16", "nets.G.width=4", "nets.D.width=4"]
    package.run("dcgan-rooms", settings=small, out=run, device="cpu", progress=False)
    done = ganskit("eval", run, "turn", "--set", "left=[0, 1]", "--set", "right=[2, 3]", "--set", "rows=2", "--device", "cpu")
    assert done.code == 0, done.err
    record = json.loads((run / "evaluations/turn/result.json").read_text())
    assert record["details"]["right"] == [2, 3]
    assert (run / "evaluations/turn/turn.png").is_file()
    wrong = ganskit("eval", run, "turn", "--device", "cpu")
    assert wrong.code == 2
    assert "There are no attributes in data with" in wrong.err
