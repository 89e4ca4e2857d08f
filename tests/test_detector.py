"""Rooms with boxes, and the small detector that learns from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from ganskit import UserError, load
from ganskit.data.home import data_home
from ganskit.data.rooms import Rooms, Scene, draw
from ganskit.data.rooms.boxes import KINDS, RoomBoxes
from ganskit.evaluate.rooms import Detector, Found, detector
from ganskit.evaluate.rooms.detector import measured
from ganskit.evaluate.rooms.game import CELLS, placed, targets
from ganskit.evaluate.rooms.making import _quality, recipe_for

SMALL = 128


@pytest.fixture(scope="module")
def small() -> Detector:
    """Hardly trained."""
    return detector(16, samples=SMALL, progress=False, device="cpu")


def test_pictures_are_those_of_rooms_and_boxes_those_of_their_scenes() -> None:
    ours, rooms = RoomBoxes(8, 16, 3).open(), Rooms(8, 16, 3).open()
    for i in range(8):
        example, boxes = ours.read(i), draw(Scene.sample(3, i), 16).boxes
        assert (example["x"] == rooms.read(i)["x"]).all()
        found = [KINDS[kind - 1] for kind in example["kinds"] if kind]
        assert found == [box.kind for box in boxes]
        table = np.array([(box.left, box.top, box.right, box.bottom) for box in boxes], np.float32)
        assert (example["boxes"][: len(boxes)] == table).all()
        assert not example["boxes"][len(boxes) :].any()


def test_blurred_pictures_have_no_boxes_and_the_others_are_as_they_were() -> None:
    plain, blurry = RoomBoxes(8, 16, 3).open(), RoomBoxes(8, 16, 3, blur_every=4).open()
    assert plain.fingerprint != blurry.fingerprint
    for i in range(8):
        ours, before = blurry.read(i), plain.read(i)
        if i in (3, 7):
            assert not ours["kinds"].any()
            assert not ours["boxes"].any()
            assert ours["x"].mean() == pytest.approx(before["x"].mean(), abs=3)
            assert ours["x"].std() < before["x"].std()
        else:
            assert all((ours[name] == before[name]).all() for name in before)
    first = blurry.read(3)["x"]
    assert (first == first[:, :1, :1]).all(), "of the first blur one pixel is left"
    with pytest.raises(UserError, match="blur_every is 0, expected a whole number, 1 or more"):
        RoomBoxes(8, 16, 3, blur_every=0)


def test_every_scene_fits_into_the_table() -> None:
    scenes = [Scene.sample(1, i) for i in range(100)]
    assert max(len(draw(scene, 16).boxes) for scene in scenes) <= 20


edge = st.floats(0, 1, width=32)


@given(st.lists(st.tuples(edge, edge, edge, edge, st.integers(1, 3)), min_size=1, max_size=4))
def test_the_cell_of_its_middle_answers_for_an_object_or_a_smaller_one(objects) -> None:
    boxes = torch.tensor([[(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d, _ in objects]])
    kinds = torch.tensor([[kind for *_, kind in objects]])
    there, box = targets(boxes, kinds, 3)
    assert there.shape == (1, 3, CELLS, CELLS)
    assert box.shape == (1, 3, 4, CELLS, CELLS)
    area = (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    for i, (left, top, right, bottom) in enumerate(boxes[0].tolist()):
        column, row = (min(CELLS - 1, int((a + b) / 2 * CELLS)) for a, b in ((left, right), (top, bottom)))
        k = kinds[0, i] - 1
        assert there[0, k, row, column]
        answer = box[0, k, :, row, column]
        assert (answer[2] - answer[0]) * (answer[3] - answer[1]) <= area[0, i]


def test_what_fills_the_table_up_is_no_object() -> None:
    there, _ = targets(torch.zeros(2, 20, 4), torch.zeros(2, 20, dtype=torch.long), 3)
    assert not there.any()


class Knowing(nn.Module):
    """Says what is true of one room, whatever it is shown."""

    def __init__(self, boxes: torch.Tensor, kinds: torch.Tensor) -> None:
        super().__init__()
        there, box = targets(boxes, kinds, len(KINDS))
        edges = (box - placed(torch.zeros_like(box))) * CELLS
        self.maps = torch.cat([there[:, :, None].float() * 20 - 10, edges], 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.maps.expand(len(x), -1, -1, -1, -1)


def test_what_the_maps_say_is_found() -> None:
    rooms = RoomBoxes(20, 64, 5).open()
    room = next(room for room in map(rooms.read, range(20)) if {1, 2} <= set(room["kinds"].tolist()))
    boxes, kinds = torch.from_numpy(room["boxes"]), torch.from_numpy(room["kinds"])
    knowing = Detector(Knowing(boxes[None], kinds[None]), KINDS, (3, 64, 64), {}, {}, torch.device("cpu"))
    found = knowing(torch.zeros(2, 3, 64, 64), kinds=("window", "bed"))
    true = {kind: boxes[kinds == 1 + i] for i, kind in enumerate(KINDS)}
    assert {each.kind for each in found[0]} == {"window", "bed"}
    for kind, each in measured(found, [true, true], ("window", "bed")).items():
        assert each == {"precision": 1, "recall": 1, "presence": 1, "num": 2 * len(true[kind])}


class Seeing(nn.Module):
    """Finds a bed in the middle of every picture that has details."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = torch.zeros(len(x), len(KINDS), 5, CELLS, CELLS)
        details = (x[..., 1:] - x[..., :-1]).abs().amax((1, 2, 3)) > 0.4
        maps[:, :, 0] = -10
        maps[details, KINDS.index("bed"), 0, 4, 4] = 10
        return maps


@pytest.mark.parametrize(
    ("net", "share"), [(Seeing(), 0), (Knowing(torch.tensor([[[0.2, 0.4, 0.8, 1]]]), torch.tensor([[2]])), 1)]
)
def test_what_it_finds_in_blurs_is_measured(net: nn.Module, share: float) -> None:
    quality = _quality(Detector(net, KINDS, (3, 64, 64), {}, {}, torch.device("cpu")), RoomBoxes(8, 64, 5))
    assert quality["bed"]["in_blurs"] == share
    assert quality["bed"]["presence"] > 0.8, "in sharp ones it finds them"
    assert quality["window"]["in_blurs"] == 0


def test_precision_and_recall() -> None:
    window = torch.tensor([[0.0, 0.0, 0.4, 0.4]])
    good, again, far = (Found("window", score, left, 0, left + 0.4, 0.4) for score, left in ((0.9, 0), (0.8, 0.05), (0.7, 0.5)))
    quality = measured([[good, again, far], [far], []], [{"window": each} for each in (window, window[:0], window)], ["window"])
    assert quality["window"] == {"precision": 1 / 4, "recall": 1 / 2, "presence": 1 / 3, "num": 2}


def test_it_is_trained_once_and_kept(small: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganskit.evaluate.kept.run", lambda *_, **__: pytest.fail("it is trained again"))
    again = detector(16, samples=SMALL, progress=False, device="cpu")
    x = torch.rand(5, 3, 16, 16) * 2 - 1
    assert again(x, threshold=0.1) == small(x, threshold=0.1)
    assert again.protocol == small.protocol
    assert set(small.quality) == set(KINDS)
    assert all(set(each) == {"precision", "recall", "presence", "num", "in_blurs"} for each in small.quality.values())
    folder = data_home() / "learned" / small.protocol["network"]
    assert load(folder, recipe=recipe_for(16, SMALL)).identity["weights_sha256"] == small.protocol["sha256"]


def test_a_picture_is_treated_by_itself(small: Detector) -> None:
    x = torch.rand(5, 3, 16, 16) * 2 - 1
    together, alone = small(x, threshold=0.1), small(x[2:3], threshold=0.1)
    assert [each.kind for each in together[2]] == [each.kind for each in alone[0]]


def test_what_it_cannot_look_at(small: Detector) -> None:
    with pytest.raises(UserError, match=r"sees pictures \(N, 3, 16, 16\), and not \(2, 3, 32, 32\)"):
        small(torch.zeros(2, 3, 32, 32))
    with pytest.raises(UserError, match=r'The room detector knows no "widnow"\. Did you mean "window"'):
        small(torch.zeros(2, 3, 16, 16), kinds=("widnow",))


@pytest.mark.slow
def test_it_finds_windows_and_beds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default: about two minutes on two cores."""
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path))
    quality = detector(64, progress=False, device="cpu").quality
    assert min(quality["window"]["precision"], quality["bed"]["precision"], quality["bed"]["recall"]) > 0.9
    assert quality["window"]["recall"] > 0.8
    assert quality["window"]["in_blurs"] < 0.02
    assert quality["bed"]["in_blurs"] < 0.2, "0.7 if it has seen no blurs; where a bed was, a patch of its colour may be left"
