"""The drawn faces: pure in (seed, index), one factor changeable at a time, and landmarks where things are drawn."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from ganskit.data.portraits import FACTORS, LANDMARKS, Face, Portraits, draw, factors
from ganskit.data.prepare import prepare
from ganskit.errors import UserError

PRINT_HASH = """
import hashlib, sys
from ganskit.data.portraits import Portraits
source = Portraits(num_images=9, seed=3).open()
print(hashlib.sha256(b"".join(source.read(index)[key].tobytes() for index in range(9) for key in ("x", "landmarks"))).hexdigest())
assert "torch" not in sys.modules
"""

GOLDEN = "94c6e4783e78da2005a38cc73084a488bfe674fb1ef6bfa3f3ff7311818bf34b"


def faces(count: int, seed: int = 0) -> list[Face]:
    return [Face.sample(seed, index) for index in range(count)]


def plain(face: Face) -> Face:
    """Nothing before the face that could hide a change."""
    return evolve(face, glasses="none", beard="none", fringe=0.0, hair_length=min(face.hair_length, 0.2))


def landmarks(face: Face) -> dict[str, np.ndarray]:
    return dict(zip(LANDMARKS, draw(face).landmarks, strict=True))


def changed(face: Face, other: Face, size: int = 64) -> np.ndarray:
    """Where the pictures differ, (N, 2), as landmarks are: (x, y), -1 to 1."""
    rows, columns = (draw(face, size).pixels != draw(other, size).pixels).any(2).nonzero()
    return (np.stack([columns, rows], 1) + 0.5) * (2 / size) - 1


def digest(source: Any) -> str:
    return hashlib.sha256(b"".join(source.read(i)[key].tobytes() for i in range(9) for key in ("x", "landmarks"))).hexdigest()


def test_a_face_is_the_same_in_every_process() -> None:
    there = subprocess.run([sys.executable, "-c", PRINT_HASH], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == digest(Portraits(num_images=9, seed=3).open())


def test_the_drawing_has_not_changed_under_the_same_version() -> None:
    """When this fails on purpose, change `DRAWING`, so that prepared stores are made anew."""
    source = Portraits(num_images=9, seed=7).open()
    assert source.fingerprint.startswith("portraits 1 ")
    assert digest(source) == GOLDEN


def test_faces_differ_by_index_and_by_seed() -> None:
    images = [draw(Face.sample(seed, index)).pixels.tobytes() for seed in (0, 1) for index in range(20)]
    assert len(set(images)) == 40


def test_a_face_does_not_depend_on_how_many_there_are() -> None:
    few, many = Portraits(num_images=5).open(), Portraits(num_images=50_000).open()
    assert all(np.array_equal(few.read(index)["x"], many.read(index)["x"]) for index in range(5))


@pytest.mark.parametrize(
    ("factor", "values"),
    [
        ("label", {0, 1, 2, 3}),
        ("presentation", {"woman", "man"}),
        ("beard", {"none", "stubble", "moustache", "goatee", "full"}),
        ("glasses", {"none", "round", "square", "wide"}),
        ("clothes", {"crew", "vee", "shirt", "suit", "turtleneck"}),
        ("bun", {True, False}),
        ("earrings", {True, False}),
    ],
)
def test_every_value_of_a_factor_is_common(factor: str, values: set[Any]) -> None:
    found = Counter(getattr(face, factor) for face in faces(600))
    assert set(found) == values
    assert min(found.values()) > 15


@pytest.mark.parametrize(
    ("factor", "low", "high"),
    [("smile", 0, 1), ("turn", -40, 40), ("tilt", -9, 9), ("skin", 0, 1), ("age", 0, 1), ("hair_length", 0, 1), ("light", -1, 1)],
)
def test_numbers_fill_their_range(factor: str, low: float, high: float) -> None:
    values = np.array([getattr(face, factor) for face in faces(600)])
    assert low <= values.min() < low + 0.15 * (high - low)
    assert high - 0.15 * (high - low) < values.max() <= high


def test_a_presentation_goes_with_other_factors() -> None:
    sampled = faces(600)
    women, men = ([face for face in sampled if face.is_man is man] for man in (False, True))
    assert 250 < len(women) < 350
    assert {face.beard for face in women} == {"none"}
    assert np.mean([face.beard != "none" for face in men]) > 0.35
    assert np.mean([face.hair_length for face in women]) > np.mean([face.hair_length for face in men]) + 0.3
    assert any(face.hair_length < 0.25 for face in women)
    assert any(face.hair_length > 0.4 for face in men)


def test_a_smile_changes_mouth_and_cheeks_only() -> None:
    for face in map(plain, faces(30)):
        marks = landmarks(face)
        moved = changed(evolve(face, smile=0.0), evolve(face, smile=1.0))
        assert len(moved) > 30
        assert moved[:, 1].min() > (marks["left_eye"][1] + marks["right_eye"][1]) / 2 - 0.1, face
        assert moved[:, 1].max() < marks["chin"][1] + 0.05, face
        assert min(marks["left_ear"][0], marks["mouth_left"][0] - 0.1) - 0.1 < moved[:, 0].min(), face
        assert moved[:, 0].max() < max(marks["right_ear"][0], marks["mouth_right"][0] + 0.1) + 0.1, face
        near = np.abs(moved - marks["mouth"]).max(1) < 0.3
        assert near.mean() > 0.3, face


def test_glasses_change_the_eyes_only() -> None:
    for face in map(plain, faces(30)):
        marks = landmarks(face)
        for glasses in ("round", "square", "wide"):
            moved = changed(face, evolve(face, glasses=glasses))
            assert len(moved) > 50
            assert moved[:, 1].min() > min(marks["left_brow"][1], marks["right_brow"][1]) - 0.15, face
            assert moved[:, 1].max() < marks["mouth"][1], face


def test_a_beard_changes_the_lower_face_only() -> None:
    for face in map(plain, faces(30)):
        marks = landmarks(face)
        moved = changed(face, evolve(face, beard="full"))
        assert len(moved) > 100
        assert moved[:, 1].min() > min(marks["left_brow"][1], marks["right_brow"][1]) - 0.1, face
        assert moved[:, 1].max() < marks["chin"][1] + 0.35, face


def test_a_backdrop_changes_nothing_in_the_face() -> None:
    for face in faces(20):
        before, after = (draw(evolve(face, backdrop=name, backdrop_end=name, bokeh=()), 64).pixels for name in ("sky", "night"))
        column, row = ((landmarks(face)["nose_tip"] + 1) * 32).astype(int)
        around = np.s_[row - 4 : row + 4, column - 2 : column + 2]
        assert np.array_equal(before[around], after[around])
        assert not np.array_equal(before[:6], after[:6])


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"iris": "dark"}, ["left_eye", "right_eye"]),
        ({"brow_weight": 2.0}, ["left_brow", "right_brow"]),
        ({"lipstick": 1.0}, ["mouth"]),
        ({"mouth_width": 1.0}, ["mouth_left", "mouth_right"]),
    ],
)
def test_landmarks_are_where_the_parts_are_drawn(changes: dict[str, Any], parts: list[str]) -> None:
    checked = 0
    for sampled in faces(60):
        face = evolve(plain(sampled), turn=sampled.turn / 2, gaze=0.0, iris="blue", lipstick=0.0, mouth_width=0.0, smile=0.0)
        marks = landmarks(face)
        where = changed(face, evolve(face, **changes), 128)
        assert len(where) > 4
        distances = np.min([np.abs(where - marks[part]).max(1) for part in parts], 0)
        assert distances.max() < 0.28, face
        assert distances.mean() < 0.16, face
        checked += 1
    assert checked == 60


def test_landmarks_are_arranged_as_in_a_face() -> None:
    for face in faces(100):
        upright = landmarks(evolve(face, tilt=0.0))
        pairs = ("left_eye", "right_eye"), ("left_brow", "right_brow"), ("mouth_left", "mouth_right"), ("left_ear", "right_ear")
        for left, right in pairs:
            assert upright[left][0] < upright[right][0]
            assert upright[left][1] == pytest.approx(upright[right][1], abs=0.01)
        heights = [upright[name][1] for name in ("left_brow", "left_eye", "nose_tip", "mouth", "chin")]
        assert heights == sorted(heights)
        assert upright["left_eye_outer"][0] < upright["left_eye"][0] < upright["left_eye_inner"][0]
        assert np.abs(draw(face).landmarks).max() < 1


def test_the_face_turns() -> None:
    for face in faces(20):
        straight = evolve(face, tilt=0.0)
        poses = [landmarks(evolve(straight, turn=turn)) for turn in (-40.0, -20.0, 0.0, 20.0, 40.0)]
        noses = [marks["nose_tip"][0] - (marks["left_ear"][0] + marks["right_ear"][0]) / 2 for marks in poses]
        assert noses == sorted(noses)
        assert noses[2] == pytest.approx(0, abs=1e-3)
        left, right = ([abs(marks[f"{side}_eye"][0] - marks["nose_tip"][0]) for marks in poses] for side in ("left", "right"))
        assert right[0] > right[2] > right[4]  # the far side is foreshortened
        assert left[0] < left[2] < left[4]
        tilted, nodding = landmarks(evolve(straight, tilt=9.0)), landmarks(evolve(straight, nod=8.0))
        assert tilted["left_eye"][1] < tilted["right_eye"][1]
        assert nodding["nose_tip"][1] < landmarks(evolve(straight, nod=0.0))["nose_tip"][1]


def test_a_frontal_face_in_frontal_light_is_nearly_symmetrical() -> None:
    for face in map(plain, faces(20)):
        straight = evolve(face, turn=0.0, tilt=0.0, shift_x=0.0, light=0.0, gaze=0.0, parting=0.0, curls=0.0)
        pixels = draw(straight).pixels.astype(int)[20:52, 18:46]
        assert np.abs(pixels - pixels[:, ::-1]).mean() < 6


def test_light_comes_from_its_side() -> None:
    for face in map(plain, faces(20)):
        straight = evolve(face, turn=0.0, tilt=0.0, shift_x=0.0, contrast=1.0)
        for light in (-1.0, 1.0):
            pixels = draw(evolve(straight, light=light)).pixels.astype(int)
            left, right = pixels[26:44, 20:28].mean(), pixels[26:44, 36:44].mean()
            assert (right > left) == (light > 0)


def test_darker_skin_is_darker() -> None:
    for face in map(plain, faces(10)):
        column, row = ((landmarks(face)["nose_tip"] + 1) * 32).astype(int)
        nose = np.s_[row - 2 : row + 2, column - 2 : column + 2]
        shades = [draw(evolve(face, skin=skin)).pixels[nose].mean() for skin in (0.0, 0.5, 1.0)]
        assert shades == sorted(shades, reverse=True)


def test_pictures_are_neither_flat_nor_burnt_out() -> None:
    for face in faces(100):
        pixels = draw(face).pixels
        assert 30 < pixels.mean() < 215
        assert pixels.std() > 15
        assert (pixels == 255).all(2).mean() < 0.1


@pytest.mark.parametrize("size", [16, 33, 64, 256, 1024])
def test_the_same_face_at_another_size(size: int) -> None:
    """Also that bands, in which large pictures are drawn, fit together."""
    face = Face.sample(0, 3)
    large, small = draw(face, size), draw(face, 64)
    assert large.pixels.shape == (size, size, 3)
    assert large.pixels.dtype == np.uint8
    assert np.array_equal(large.landmarks, small.landmarks)
    if size % 64 == 0:
        reduced = large.pixels.reshape(64, size // 64, 64, size // 64, 3).mean((1, 3))
        difference = np.abs(reduced - small.pixels)
        assert difference.mean() < 3
        assert difference.mean((1, 2)).max() < 12


def test_factors_are_those_of_the_face() -> None:
    for face in faces(30):
        numbers = dict(zip(FACTORS, factors(face).tolist(), strict=True))
        assert numbers["man"] == face.is_man
        assert numbers["smile"] == pytest.approx(face.smile)
        assert numbers["turn"] == pytest.approx(face.turn, abs=1e-5)
        assert numbers["glasses"] == (face.glasses != "none")
        assert numbers["beard"] <= numbers["moustache"]
    dark, fair = (
        factors(evolve(faces(1)[0], hair=hair, grey=0.0))[FACTORS.index("hair_lightness")] for hair in ("black", "blonde")
    )
    assert 0 < dark < fair < 1


def test_the_dataset_gives_what_it_says() -> None:
    portraits = Portraits(num_images=12, size=32, seed=4)
    source = portraits.open()
    assert len(source) == 12
    assert source.name(7) == "portrait 7"
    fields = portraits.provides()
    assert fields["x"].pixels
    assert fields["y"].classes == ("neutral woman", "smiling woman", "neutral man", "smiling man")
    for index in range(12):
        example = source.read(index)
        assert {key: (value.shape, str(value.dtype)) for key, value in example.items()} == {
            key: (field.shape, field.dtype) for key, field in fields.items()
        }
        face = Face.sample(4, index)
        picture = draw(face, 32)
        assert example["y"] == 2 * face.is_man + (face.smile > 0.3)
        assert np.array_equal(example["x"].transpose(1, 2, 0), picture.pixels)
        assert np.array_equal(example["landmarks"], picture.landmarks)
        assert np.array_equal(example["factors"], factors(face))


def test_all_fields_go_through_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path))
    portraits = Portraits(num_images=10, size=16)
    stored = prepare(portraits, progress=False).gather([7, 2])
    for key, tensor in stored.items():
        assert np.array_equal(tensor[0].numpy(), portraits.open().read(7)[key])


def test_the_fingerprint_tells_datasets_apart() -> None:
    others = [Portraits(), Portraits(seed=1), Portraits(size=32), Portraits(num_images=3)]
    assert len({portraits.open().fingerprint for portraits in others}) == 4


@pytest.mark.parametrize("index", [-1, 12])
def test_reading_beyond_the_last_portrait_is_refused(index: int) -> None:
    with pytest.raises(IndexError, match="no portrait"):
        Portraits(num_images=12).open().read(index)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"size": 15}, "size is a whole number of pixels from 16 to 1024, not 15"),
        ({"size": 1025}, "not 1025"),
        ({"size": 64.0}, "not 64.0"),
        ({"num_images": 0}, "num_images is 0, expected a whole number, 1 or more"),
        ({"num_images": "many"}, "num_images is 'many'"),
        ({"num_images": True}, "num_images is True"),
        ({"seed": -1}, "seed is -1, expected a whole number, 0 or more"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(UserError, match=text):
        Portraits(**options)


def test_faces_and_pictures_out_of_range_are_refused() -> None:
    with pytest.raises(UserError, match="from 0 upwards"):
        Face.sample(0, -1)
    with pytest.raises(UserError, match="from 16 to 1024"):
        draw(Face.sample(0, 0), 8)
    with pytest.raises(UserError, match=r"beard is 'ful'\. Did you mean \"full\""):
        evolve(Face.sample(0, 0), beard="ful")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**64), st.integers(0, 2**40), st.integers(16, 140))
def test_any_face_at_any_size_can_be_drawn(seed: int, index: int, size: int) -> None:
    face = Face.sample(seed, index)
    picture = draw(face, size)
    assert picture.pixels.shape == (size, size, 3)
    assert np.isfinite(picture.landmarks).all()
    assert face == Face.sample(seed, index)
