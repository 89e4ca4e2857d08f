"""The drawn bedrooms: pure in (seed, index), as varied as promised, and boxed where they are drawn."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections import Counter
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from ganskit.data.rooms import Box, Rooms, Scene, draw
from ganskit.errors import UserError

PRINT_HASH = """
import hashlib, sys
from ganskit.data.rooms import Rooms
source = Rooms(num_images=9, seed=3).open()
print(hashlib.sha256(b"".join(source.read(index)["x"].tobytes() for index in range(9))).hexdigest())
assert "torch" not in sys.modules
"""

GOLDEN_MEANS = [[147.8, 137.2, 110.7], [155.1, 147.8, 150.8], [106.3, 107.5, 114.5]]


def scenes(count: int, seed: int = 0) -> list[Scene]:
    return [Scene.sample(seed, index) for index in range(count)]


def boxes_of(kind: str, scene: Scene, size: int = 64) -> list[Box]:
    return [box for box in draw(scene, size).boxes if box.kind == kind]


def test_a_room_is_the_same_in_every_process() -> None:
    source = Rooms(num_images=9, seed=3).open()
    here = hashlib.sha256(b"".join(source.read(index)["x"].tobytes() for index in range(9))).hexdigest()
    there = subprocess.run([sys.executable, "-c", PRINT_HASH], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == here


def test_rooms_differ_by_index_and_by_seed() -> None:
    images = [draw(Scene.sample(seed, index)).pixels.tobytes() for seed in (0, 1) for index in range(20)]
    assert len(set(images)) == 40


def test_a_room_does_not_depend_on_how_many_there_are() -> None:
    few, many = Rooms(num_images=5).open(), Rooms(num_images=50_000).open()
    assert all(np.array_equal(few.read(index)["x"], many.read(index)["x"]) for index in range(5))


@pytest.mark.parametrize(
    ("factor", "values"),
    [
        ("num_windows", {0, 1, 2}),
        ("num_pictures", {0, 1, 2, 3}),
        ("light", {"day", "night"}),
        ("bed_side", {"left", "centre", "right"}),
        ("has_lamp", {True, False}),
        ("has_door", {True, False}),
        ("has_throw", {True, False}),
        ("has_cushion", {True, False}),
        ("wallpaper", {"plain", "stripes", "panels"}),
        ("flooring", {"planks", "carpet"}),
        ("pattern", {"plain", "stripes", "checks", "quilt"}),
        ("headboard", {"panel", "slats", "buttons"}),
        ("glazing", {"casement", "sash", "cross", "grid"}),
        ("curtains", {"none", "short", "long"}),
    ],
)
def test_every_value_of_a_factor_is_common(factor: str, values: set[Any]) -> None:
    found = Counter(getattr(scene, factor) for scene in scenes(400))
    assert set(found) == values
    assert min(found.values()) > 20


def test_optional_furniture_is_there_and_is_missing() -> None:
    rooms = scenes(300)
    for thing in ("rug", "plant", "wardrobe"):
        number = sum(getattr(scene, thing) is not None for scene in rooms)
        assert 15 < number < 285


def test_there_is_a_box_for_every_object_and_for_nothing_else() -> None:
    for scene in scenes(120):
        found = Counter(box.kind for box in draw(scene).boxes)
        for kind, number in (
            ("bed", 1),
            ("window", scene.num_windows),
            ("door", int(scene.has_door)),
            ("lamp", len(scene.lamps)),
            ("picture", scene.num_pictures),
        ):
            assert found[kind] == number, (scene, kind)


@pytest.mark.parametrize("kind", ["picture", "door", "rug"])
def test_a_box_is_where_the_object_is_drawn(kind: str) -> None:
    size, checked = 128, 0
    for scene in scenes(50):
        present = boxes_of(kind, scene, size)
        if not present:
            continue
        without: dict[str, Scene] = {
            "picture": evolve(scene, pictures=scene.pictures[:-1]),
            "door": evolve(scene, door=None),
            "rug": evolve(scene, rug=None),
        }
        changed = (draw(scene, size).pixels != draw(without[kind], size).pixels).any(2)
        rows, columns = changed.any(1).nonzero()[0], changed.any(0).nonzero()[0]
        drawn = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
        box = present[-1]
        boxed = np.array([box.left, box.top, box.right, box.bottom]) * size
        assert np.abs(drawn - boxed).max() <= 1.5, scene
        checked += 1
    assert checked > 10


def test_windows_by_day_and_lamps_by_night_are_bright() -> None:
    for scene in scenes(80):
        day, night = draw(evolve(scene, light="day", curtains="none")), draw(evolve(scene, light="night"))
        for picture, kind in ((day, "window"), (night, "lamp")):
            for box in picture.boxes:
                if box.kind == kind:
                    left, top, right, bottom = (round(64 * edge) for edge in (box.left, box.top, box.right, box.bottom))
                    assert picture.pixels[top : bottom + 1, left : right + 1].mean() > picture.pixels.mean()


def test_night_is_darker_than_day() -> None:
    for scene in scenes(60):
        day, night = (draw(evolve(scene, light=light)).pixels.mean() for light in ("day", "night"))
        assert night < 0.9 * day


def test_pictures_are_neither_flat_nor_burnt_out() -> None:
    for scene in scenes(100):
        pixels = draw(scene).pixels
        assert 40 < pixels.mean() < 215
        assert pixels.std() > 15
        assert (pixels == 255).all(2).mean() < 0.3


@pytest.mark.parametrize("size", [16, 33, 64, 256, 1024])
def test_the_same_room_at_another_size(size: int) -> None:
    """Also that bands, in which large pictures are drawn, fit together."""
    scene = Scene.sample(0, 5)
    large, small = draw(scene, size), draw(scene, 64)
    assert large.pixels.shape == (size, size, 3)
    assert large.pixels.dtype == np.uint8
    if size % 64 == 0:
        reduced = large.pixels.reshape(64, size // 64, 64, size // 64, 3).mean((1, 3))
        difference = np.abs(reduced - small.pixels)
        assert difference.mean() < 4
        assert difference.mean((1, 2)).max() < 15
    assert [box.kind for box in large.boxes] == [box.kind for box in small.boxes]
    assert abs(large.boxes[0].left - small.boxes[0].left) < 1.5 / min(size, 64)


def test_the_drawing_has_not_changed_under_the_same_version() -> None:
    """When this fails on purpose, change `DRAWING`, so that prepared stores are made anew."""
    source = Rooms(seed=7).open()
    means = [source.read(index)["x"].mean((1, 2)) for index in range(3)]
    assert source.fingerprint.startswith("rooms 1 ")
    np.testing.assert_allclose(means, GOLDEN_MEANS, atol=0.5)


def test_the_dataset_gives_what_it_says() -> None:
    rooms = Rooms(num_images=12, size=32, seed=4)
    source = rooms.open()
    assert len(source) == 12
    assert source.name(7) == "room 7"
    fields = rooms.provides()
    assert fields["x"].pixels
    assert fields["y"].classes == ("no window", "one window", "two windows")
    for index in range(12):
        example = source.read(index)
        assert {key: (value.shape, str(value.dtype)) for key, value in example.items()} == {
            key: (field.shape, field.dtype) for key, field in fields.items()
        }
        scene = Scene.sample(4, index)
        assert example["y"] == scene.num_windows
        assert np.array_equal(example["x"].transpose(1, 2, 0), draw(scene, 32).pixels)


def test_the_fingerprint_tells_datasets_apart() -> None:
    others = [Rooms(), Rooms(seed=1), Rooms(size=32), Rooms(num_images=3)]
    assert len({rooms.open().fingerprint for rooms in others}) == 4


@pytest.mark.parametrize("index", [-1, 12])
def test_reading_beyond_the_last_room_is_refused(index: int) -> None:
    with pytest.raises(IndexError, match="no room"):
        Rooms(num_images=12).open().read(index)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"size": 15}, "size is a whole number of pixels from 16 to 1024, not 15"),
        ({"size": 1025}, "not 1025"),
        ({"size": 64.0}, "not 64.0"),
        ({"num_images": 0}, "Rooms: num_images is 0, expected a whole number, 1 or more"),
        ({"num_images": "many"}, "num_images is 'many', expected"),
        ({"num_images": True}, "num_images is True, expected"),
        ({"seed": -1}, "seed is -1, expected a whole number, 0 or more"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(UserError, match=text):
        Rooms(**options)


def test_scenes_and_pictures_out_of_range_are_refused() -> None:
    with pytest.raises(UserError, match="from 0 upwards"):
        Scene.sample(0, -1)
    with pytest.raises(UserError, match="from 16 to 1024"):
        draw(Scene.sample(0, 0), 8)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**64), st.integers(0, 2**40), st.integers(16, 140))
def test_any_room_at_any_size_can_be_drawn(seed: int, index: int, size: int) -> None:
    scene = Scene.sample(seed, index)
    picture = draw(scene, size)
    assert picture.pixels.shape == (size, size, 3)
    assert scene == Scene.sample(seed, index)
    for box in picture.boxes:
        assert 0 <= box.left < box.right <= 1
        assert 0 <= box.top < box.bottom <= 1
