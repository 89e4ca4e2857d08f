"""Fig. 6: dropping the feature maps that draw an object."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st
from latent_toys import model
from torch import nn

import ganskit as package
from ganskit import Architecture, Shape, UserError
from ganskit.conformance.tiny import TinyData
from ganskit.data.files import sha256
from ganskit.data.home import data_home
from ganskit.dcgan.forget import Forget
from ganskit.dcgan.forget.boxes import covered, read
from ganskit.dcgan.forget.evaluator import _kept
from ganskit.dcgan.forget.maps import layer_sizes, responses, second_highest, without
from ganskit.evaluate.evaluation import measured

MAPS, PATCH = 6, [0.0, 0.0, 4.0, 4.0]


@frozen
class Painter(Architecture):
    """Paints noise all over with most of its maps; where z[0] > 0 the first one adds a white patch at the top left."""

    def build(self, shape: Shape) -> nn.Module:
        return PainterNet()


class PainterNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.middle = nn.Conv2d(MAPS, MAPS, 1, bias=False)
        self.late = nn.Conv2d(MAPS, MAPS, 1, bias=False)
        self.out = nn.Conv2d(MAPS, 3, 1, bias=False)
        with torch.no_grad():
            for layer in (self.middle, self.late):
                layer.weight.copy_(torch.eye(MAPS)[:, :, None, None])
            self.out.weight.fill_(0.1)
            self.out.weight[:, 0] = 2

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        noise = torch.sin(z[:, 1:MAPS, None, None] * torch.arange(1.0, 65).view(8, 8) * 7)
        patch = F.pad((z[:, 0] > 0).float()[:, None, None, None].expand(-1, 1, 4, 4), (0, 4, 0, 4))
        h = torch.relu(self.middle(torch.cat([patch, noise], 1)))
        return self.out(torch.relu(self.late(h))).tanh()


@pytest.fixture
def painted(tmp_path: Path):
    """The painter's model, and a file with a box around each patch on its first 40 samples."""
    ours = model(TinyData(), G=Painter())
    file = tmp_path / "boxes.json"
    file.write_text(json.dumps({str(i): [PATCH] for i, z in enumerate(ours.z(40)["z"]) if z[0] > 0}))
    return ours, str(file)


def test_the_object_is_forgotten_and_the_rest_stays(painted) -> None:
    ours, file = painted
    result = measured(Forget(boxes=file, num=40, num_new=24, shown=24), ours)
    before, after = result.pictures["forget"].x.unflatten(0, (2, 24))
    has_patch = ours.z(24, seed=1)["z"][:, 0] > 0
    assert torch.equal(before, ours.sample(24, seed=1))
    assert 0 in result.details["dropped_maps"]
    assert before[has_patch, :, :4, :4].mean() > 0.9
    assert after[has_patch, :, :4, :4].mean() < 0.3
    assert result.numbers["regression_accuracy"] > 0.95
    assert result.numbers["maps"] == MAPS
    assert result.protocol["layer"] == "middle"
    assert result.protocol["boxes_from"] == f"file with the SHA-256 {sha256(Path(file))}"
    assert result.pictures["forget"].columns == 24, "one column for each z"
    assert measured(Forget(boxes=file, num=40, num_new=24), ours).numbers == result.numbers


def test_maps_are_dropped_within_and_there_again_afterwards(painted) -> None:
    ours, _ = painted
    before = ours.sample(8)
    dropped = torch.arange(MAPS) == 0
    with without(ours, "G", "middle", dropped):
        inside = ours.sample(8)
    assert not torch.equal(inside, before)
    assert torch.equal(ours.sample(8), before)
    assert responses(ours, "G", "middle", 8, 0)[:, 0].any()


def test_of_nothing_no_share_is_kept() -> None:
    assert _kept(0.5, 0.25) == 0.5
    assert math.isnan(_kept(0, 0.002)), "or a generator without beds would keep the most"


def test_the_second_highest_layer() -> None:
    assert second_highest({"512": 8, "256": 16, "128": 32, "out": 64}) == "512", "the linear layer starts the stack"
    assert second_highest({"1024": 4, "512": 8, "256": 16, "128": 32, "out": 64}) == "512", "a convolution does"
    assert second_highest({"out": 4}) == "out"
    assert layer_sizes(model(TinyData(), G=Painter()), "G") == {"middle": 8, "late": 8, "out": 8}


def test_a_box_drawn_in_red(painted) -> None:
    ours, file = painted
    picture = Forget(boxes=file, num=40, num_new=4).evaluate(ours).pictures["boxes"].x
    assert picture[0, :, 0, 0].tolist() == [1, -1, -1]
    assert picture[0, :, 3, 3].tolist() == [1, -1, -1]
    assert picture[0, :, 4, 4].tolist() != [1, -1, -1]


@given(st.integers(0, 15), st.integers(0, 15), st.integers(1, 16), st.integers(1, 16))
def test_every_box_covers_some_position(left: int, top: int, width: int, height: int) -> None:
    box = torch.tensor([[left, top, min(16, left + width), min(16, top + height)]], dtype=torch.float32)
    on = covered(box, (16, 16), (4, 4))
    assert on.shape == (4, 4)
    assert on.any()
    assert on.sum() <= (width // 4 + 1) * (height // 4 + 1)


def test_positions_are_inside_by_their_middle() -> None:
    assert covered(torch.tensor([[0.0, 0, 16, 16]]), (16, 16), (4, 4)).all()
    assert covered(torch.tensor([[0.0, 0, 8, 4]]), (16, 16), (4, 4)).nonzero().tolist() == [[0, 0], [0, 1]]
    assert not covered(torch.zeros(0, 4), (16, 16), (4, 4)).any()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "cannot be read"),
        ("[1]", r'is not about boxes. Expected {"SAMPLE": '),
        ('{"3": 7}', r'sample 3: 7 is no list. Expected {"SAMPLE": '),
        (f'{{"{"1" * 5000}": []}}', 'there is no sample "11111'),
        ('{"3": [[1, 2, 3]]}', r"\[1, 2, 3\] is no box"),
        ('{"3": [[1, 2, 3, "4"]]}', "is no box"),
        ('{"3": [[1, 2, true, 4]]}', "is no box"),
        ('{"3": [[1, 2, NaN, 4]]}', "is not within the picture"),
        ('{"3": [[1, 2, 9, 4]]}', "is not within the picture of 8x8 pixels"),
        ('{"3": [[-1, 2, 3, 4]]}', "is not within the picture"),
        ('{"3": [[3, 2, 3, 4]]}', "is not within the picture"),
        ('{"10": [[1, 2, 3, 4]]}', 'there is no sample "10" among 10, which are numbered from 0 to 9'),
        ('{"-1": [[1, 2, 3, 4]]}', 'there is no sample "-1"'),
        ('{"first": [[1, 2, 3, 4]]}', 'there is no sample "first"'),
        ('{"3": [], "3": []}', '"3" is there twice'),
        ('{"3": [], "03": []}', "names sample 3 twice"),
        ('{"3": []}', "has no boxes"),
        ("{}", "has no boxes"),
    ],
)
def test_boxes_that_are_wrong(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "boxes.json"
    file.write_text(text)
    with pytest.raises(UserError, match=says):
        read(file, 10, 8, 8)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"boxes": None}, '"halves" was not trained on rooms, .* give the JSON file as boxes'),
        ({"boxes": "nowhere.json"}, "nowhere.json cannot be read"),
        ({"boxes": "~nobody-of-this-name/b.json"}, "b.json cannot be read"),
        ({"net": "F"}, 'has no net "F", only G, D'),
        ({"net": "D"}, r"are made without its net \"D\": set net to one of G\.$"),
        ({"layer": "midle"}, 'no layer "midle" .* Did you mean "middle"'),
        ({"num": 3}, "there is no sample"),
    ],
)
def test_what_cannot_be_forgotten(painted, options: dict, says: str) -> None:
    ours, file = painted
    with pytest.raises(UserError, match=says):
        measured(Forget(**{"boxes": file, "num": 40} | options), ours)


def test_boxes_that_leave_nothing_outside(painted, tmp_path: Path) -> None:
    file = tmp_path / "all.json"
    file.write_text('{"0": [[0, 0, 8, 8]]}')
    with pytest.raises(UserError, match="cover all of their pictures"):
        Forget(boxes=str(file), num=40).evaluate(painted[0])


def test_a_generator_without_convolutions(painted) -> None:
    with pytest.raises(UserError, match="no 2-d convolution"):
        Forget(boxes=painted[1]).evaluate(model(TinyData()))


def test_the_command_on_rooms(ganskit: Callable, tmp_path: Path) -> None:
    """A detector labels the samples itself, and counts windows and beds."""
    run = tmp_path / "run"
    small = ["samples=64", "batch_size=4", "data.num_images=64", "data.size=16", "nets.G.width=4", "nets.D.width=4"]
    package.run("dcgan-rooms", settings=small, out=run, device="cpu", progress=False)
    settings = ["num=8", "num_new=8", "threshold=0.0", "controls=1", "detector_samples=128"]
    words = [word for setting in settings for word in ("--set", setting)]
    done = ganskit("eval", run, "forget", *words, "--device", "cpu")
    assert done.code == 0, done.err
    record = json.loads((run / "evaluations/forget/result.json").read_text())
    shares = {f"{kind}_{when}" for kind in ("window", "bed") for when in ("before", "after", "random")}
    assert shares | {"maps", "dropped", "detector_recall", "detector_in_blurs"} <= set(record["numbers"])
    assert record["protocol"]["boxes_from"] == "detector"
    assert {file.name for file in (run / "evaluations/forget").iterdir()} == {"result.json", "forget.png", "boxes.png"}
    words += ["--set", "detector_samples=192"]  # another one, which would have to be trained
    kept = sorted((data_home() / "learned").iterdir())
    for setting, says in (
        ("detect=widnow", 'The room detector knows no "widnow". Did you mean "window"'),
        ('others=["widnow"]', 'The room detector knows no "widnow". Did you mean "window"'),
        (f"boxes={tmp_path / 'boxes.json'}", "boxes.json"),
    ):
        wrong = ganskit("eval", run, "forget", *words, "--set", setting, "--device", "cpu")
        assert wrong.code == 2
        assert says in wrong.err
        assert sorted((data_home() / "learned").iterdir()) == kept, "the mistake is said before a detector is trained"
