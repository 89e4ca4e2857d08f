"""Pairs and domains: two pictures in each example, on tiny files as pix2pix's and CycleGAN's datasets have them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from data_samples import encoded, noise, picture
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from samples_pictures import beside, check, hostile, names, reasons, write, zipped

from ganskit.data import Dataset, images
from ganskit.data.domains import TwoDomains
from ganskit.data.pairs import Pairs
from ganskit.data.prepare import prepare
from ganskit.data.sides import similar
from ganskit.errors import BadData, DataNotFound, UserError


def png(seed: int, width: int = 24, height: int = 16) -> bytes:
    return encoded(picture(seed, width, height))


def pixels(data: bytes, size: int = 16) -> np.ndarray:
    return images.decode(data, size, 3, "centre")


def same(example: dict[str, np.ndarray], a: bytes, b: bytes, size: int = 16) -> bool:
    return np.array_equal(example["a"], pixels(a, size)) and np.array_equal(example["b"], pixels(b, size))


# Side by side


def test_side_by_side_goes_into_a_store(tmp_path: Path) -> None:
    halves = [(picture(2 * i), picture(2 * i + 1)) for i in range(4)]
    write(tmp_path, {f"{i}.png": encoded(beside(*both)) for i, both in enumerate(halves)})
    dataset = Pairs(path=str(tmp_path), size=16)
    check(dataset)
    store, swapped = (prepare(each, progress=False) for each in (dataset, Pairs(path=str(tmp_path), size=16, swap=True)))
    batch, other = store.gather(range(4)), swapped.gather(range(4))
    for i, (left, right) in enumerate(halves):
        assert same({key: each[i].numpy() for key, each in batch.items()}, encoded(left), encoded(right))
        assert np.array_equal(other["a"][i], batch["b"][i])
        assert np.array_equal(other["b"][i], batch["a"][i])
    assert store.path != swapped.path
    assert all(each.pixels and not each.unpaired for each in store.fields.values())


@pytest.mark.parametrize("options", [{"crop": "none"}, {"channels": 1}, {"size": 5}, {"reduced": True}])
def test_side_by_side_with_every_option(tmp_path: Path, options: dict[str, object]) -> None:
    """A sharp seam: nothing of one half may get into the other, at any size."""
    both = beside(Image.new("RGB", (320, 160), "black"), Image.new("RGB", (320, 160), "white"))
    write(tmp_path, {"1.jpg": encoded(both, "JPEG", quality=100)})
    source = check(Pairs(path=str(tmp_path), **({"size": 16} | options)))
    example = source.read(0)
    assert (example["a"].max(), example["b"].min()) == (0, 255)
    assert "1/8" not in source.transform


def test_side_by_side_that_cannot_be_used(tmp_path: Path) -> None:
    write(tmp_path, {"good.png": png(0, 32), "odd.png": png(1, 31), "thin.png": png(2, 14), "empty.png": b"", "x.txt": b""})
    source = check(Pairs(path=str(tmp_path), size=8))
    assert reasons(source) == {
        "odd.png": "31 x 16 pixels: two pictures side by side need an even width",
        "thin.png": "14 x 16 pixels: each half is too small",
        "empty.png": "empty file",
    }
    assert source.num_ignored == 1


@pytest.mark.parametrize("top", ["", "facades/"])
def test_a_split_is_a_subfolder(tmp_path: Path, top: str) -> None:
    folder = write(
        tmp_path / "data", {f"{top}{split}/{i}.png": png(i) for i, split in enumerate(("train", "train2", "val", "test"))}
    )
    for path in (folder, zipped(folder)):
        for split in ("train", "val", "test"):
            source = check(Pairs(path=str(path), split=split, size=8))
            assert [Path(name).parent.name for name in names(source)] == [split]
            assert source.num_ignored == 3
        assert len(Pairs(path=str(path)).open()) == 4
    assert len(Pairs(path=str(folder / top / "val")).open()) == 1
    with pytest.raises(
        DataNotFound, match=r'no folder test with pictures, and the split "test" takes it.*Folders with pictures: train'
    ):
        Pairs(path=str(write(tmp_path / "b", {"train/1.png": png(0)})), split="test").open()


@pytest.mark.real
def test_real_facades(real: Callable[[str], Path]) -> None:
    """The photograph is on the left and the labels, in few flat colours, on the right; each as wide as high."""
    for split, count in (("train", 400), ("val", 100), ("test", 106)):
        dataset = Pairs(path=str(real("facades")), split=split, size=256)
        source = dataset.open()
        assert len(source) == count
        for index in range(0, count, 25):
            example = source.read(index)
            half = np.asarray(Image.open(real("facades") / source.name(index)))[:, :256].transpose(2, 0, 1)
            assert np.array_equal(example["a"], half)
            flat = [np.mean(np.abs(np.diff(example[key].astype(int), axis=2)) < 8) for key in "ab"]
            assert flat[1] > flat[0]


# Two folders


SIDES = [
    (("a", "b"), None),
    (("A", "B"), None),
    (("trainA", "trainB"), None),
    (("trainA", "trainB"), "train"),
    (("testA", "testB"), "test"),
    (("val/a", "val/b"), "val"),
    (("A/test", "B/test"), "test"),
    (("maps/trainA", "maps/trainB"), None),
]


@pytest.mark.parametrize(("sides", "split"), SIDES)
@pytest.mark.parametrize("packed", [False, True])
def test_two_folders_go_into_a_store(tmp_path: Path, sides: tuple[str, str], split: str | None, packed: bool) -> None:
    """By name without the suffix, at any depth; of any sizes with the same ratio."""
    a = {"1.png": png(1), "deep/2.png": png(2), "3.x.png": png(3, 48, 32)}
    b = {"1.jpeg": encoded(picture(4, 48, 32), "JPEG"), "deep/2.bmp": png(5), "3.x.png": png(6, 36, 24)}
    folder = write(
        tmp_path / "data", {f"{side}/{name}": data for side, of in zip(sides, (a, b), strict=True) for name, data in of.items()}
    )
    write(folder, {"README.md": b"", "other/9.png": png(9)} if "/" not in sides[0] else {})
    dataset = Pairs(path=str(zipped(folder) if packed else folder), split=split, size=16)
    source = check(dataset)
    assert reasons(source) == {}
    store, swapped = (prepare(each, progress=False) for each in (dataset, Pairs(dataset.path, split=split, size=16, swap=True)))
    order = ["1", "3.x", "deep/2"]
    for i, stem in enumerate(order):
        one, other = (next(data for name, data in of.items() if os.path.splitext(name)[0] == stem) for of in (a, b))
        assert same({key: each[i].numpy() for key, each in store.gather(range(3)).items()}, one, other)
        assert same({key: each[i].numpy() for key, each in swapped.gather(range(3)).items()}, other, one)


def test_two_folders_that_do_not_match(tmp_path: Path) -> None:
    write(tmp_path / "a", {"1.png": png(1), "2.png": png(2), "3.png": png(3), "4.png": png(4), "4.gif": png(4), "5.png": b"x"})
    write(
        tmp_path / "b",
        {"1.png": png(1, 20, 20), "3.png": b"", "4.png": png(4), "5.png": png(5), "6.png": png(6), "7.png": png(7)},
    )
    write(tmp_path / "a", {"7.png": png(8)})
    source = check(Pairs(path=str(tmp_path), size=8))
    assert reasons(source) == {
        "a/1.png + b/1.png": "a is 24 x 16 and b is 20 x 20: not the same shape",
        "a/2.png": "no picture of this name in b/",
        "a/3.png + b/3.png": "b (b/3.png): empty file",
        "a/4.gif + b/4.png": "several pictures of one name in a/: a/4.gif, a/4.png",
        "a/5.png + b/5.png": "a (a/5.png): not a picture in JPEG, PNG, WEBP, BMP, GIF, TIFF or PPM format",
        "b/6.png": "no picture of this name in a/",
    }
    store = prepare(Pairs(path=str(tmp_path), size=8), progress=False, max_skipped=0.9)
    assert (len(store), store.manifest.num_skipped) == (1, 6)
    with pytest.raises(BadData, match=r"6 of 7 originals cannot be used(.|\n)*a/2.png: no picture of this name in b/"):
        prepare(Pairs(path=str(tmp_path), size=9), progress=False)


@given(data=st.data())
def test_two_folders_match_by_name_alone(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Every name is in the report once, as a pair or with the folder that lacks it."""
    stems = st.sets(st.sampled_from("pqrstuv"), min_size=1)
    a, b = data.draw(stems), data.draw(stems)
    suffixes = st.sampled_from((".png", ".PNG", ".gif"))
    folder = tmp_path_factory.mktemp("pairs")
    write(
        folder,
        {f"{side}/{stem}{data.draw(suffixes)}": png(ord(stem)) for side, of in (("a", a), ("b", b)) for stem in sorted(of)},
    )
    source = Pairs(path=str(folder), size=8).open()
    assert [Path(name).stem for name in names(source)] == sorted(a | b)
    bad = {Path(name).stem: reason for name, reason in reasons(source).items()}
    assert bad == dict.fromkeys(a - b, "no picture of this name in b/") | dict.fromkeys(b - a, "no picture of this name in a/")


@given(st.integers(8, 2000), st.integers(8, 2000), st.floats(0.1, 1), st.booleans())
def test_resizing_keeps_a_shape_similar(width: int, height: int, scale: float, truncated: bool) -> None:
    small = [max(1, int(side * scale) if truncated else round(side * scale)) for side in (width, height)]
    assert similar((width, height), tuple(small))
    assert similar(tuple(small), (width, height))
    assert not similar((width, height), (2 * width, height))


def test_the_layout_may_be_said(tmp_path: Path) -> None:
    write(tmp_path, {"a/1.png": png(1), "b/1.png": png(2)})
    assert names(Pairs(path=str(tmp_path), layout="folders").open()) == ["a/1.png + b/1.png"]
    assert names(Pairs(path=str(tmp_path), layout="beside").open()) == ["a/1.png", "b/1.png"]
    with pytest.raises(DataNotFound, match=r"expected pictures in two folders testA and testB.*Folders with pictures: a, b"):
        Pairs(path=str(tmp_path), layout="folders", split="test").open()
    write(tmp_path / "both", {f"{kind}/test{side}/1.png": png(1) for kind in ("maps", "horses") for side in "AB"})
    with pytest.raises(DataNotFound, match="expected pictures in two folders"):  # and not one beside the other
        Pairs(path=str(tmp_path / "both")).open()
    assert len(Pairs(path=str(tmp_path / "both"), layout="beside").open()) == 4
    for options in ({"layout": "above"}, {"split": "valid"}, {"channels": 2}):
        with pytest.raises(UserError, match=next(iter(options))):
            Pairs(**options)


# Two domains


@pytest.mark.parametrize(("sides", "split"), SIDES)
@pytest.mark.parametrize("packed", [False, True])
def test_domains_go_into_a_store(tmp_path: Path, sides: tuple[str, str], split: str | None, packed: bool) -> None:
    a, b = [png(i) for i in range(5)], [png(10 + i, 16, 30) for i in range(2)]
    for flip in (False, True):
        of = (b, a) if flip else (a, b)
        members = {f"{side}/{i}.png": each for side, data in zip(sides, of, strict=True) for i, each in enumerate(data)}
        folder = write(tmp_path / f"data{flip}", members)
        dataset = TwoDomains(path=str(zipped(folder) if packed else folder), split=split, size=16)
        check(dataset)
        store = prepare(dataset, progress=False)
        assert len(store) == 5
        assert (store.fields["a"].unpaired, store.fields["b"].unpaired) == (False, True)
        batch = store.gather(range(5))
        for i in range(5):
            example = {key: each[i].numpy() for key, each in batch.items()}
            assert same(example, of[0][i % len(of[0])], of[1][i % len(of[1])])


def test_domains_without_one_of_the_two_pictures(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"trainA/1.jpg": png(1), "trainA/2.jpg": b"", "trainA/3.jpg": png(3), "trainB/x.jpg": png(4), "trainB/y.jpg": b"x"},
    )
    write(tmp_path, {"testA/1.jpg": png(5)})
    source = check(TwoDomains(path=str(tmp_path), size=8))
    assert names(source) == ["trainA/1.jpg + trainB/x.jpg", "trainA/2.jpg + trainB/y.jpg", "trainA/3.jpg + trainB/x.jpg"]
    b = "b (trainB/y.jpg): not a picture in JPEG, PNG, WEBP, BMP, GIF, TIFF or PPM format"
    assert reasons(source) == {"trainA/2.jpg + trainB/y.jpg": f"a (trainA/2.jpg): empty file; {b}"}
    assert source.num_ignored == 1
    write(tmp_path, {"trainA/2.jpg": png(2)})
    assert list(reasons(TwoDomains(path=str(tmp_path), size=8).open()).values()) == [b]


# Both


@pytest.mark.parametrize("kind", [Pairs, TwoDomains])
def test_what_is_not_there(kind: type[Dataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "half", {"trainA/1.png": png(1), "trainB/readme.txt": b""})
    write(tmp_path / "none", {"readme.txt": b""})
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04")
    (tmp_path / "maps.tar.gz").write_bytes(b"\x1f\x8b")
    os.mkfifo(tmp_path / "pipe")
    for path, message in (
        ("half", "has pictures in trainA, and none in trainB: expected some in both"),
        ("none", "no picture there .*1 other files"),
        ("missing", "no such folder or file"),
        ("bad.zip", "bad.zip .* is no readable .zip file"),
        ("maps.tar.gz", r"tar -xf maps.tar.gz"),
        ("pipe", "neither a folder nor a file"),
    ):
        with pytest.raises(UserError, match=message):
            kind(path=str(tmp_path / path)).open()
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path))
    with pytest.raises(DataNotFound, match=re.escape(str(tmp_path / "originals" / "mine"))):
        kind(name="mine").open()


def test_domains_need_two_folders(tmp_path: Path) -> None:
    write(tmp_path, {"cats/1.png": png(1), "dogs/1.png": png(1)})
    with pytest.raises(DataNotFound, match=r"a and b, or A and B, or trainA and trainB. Folders with pictures: cats, dogs"):
        TwoDomains(path=str(tmp_path)).open()


@pytest.mark.parametrize("kind", [Pairs, TwoDomains])
def test_hostile_names(kind: type[Dataset], tmp_path: Path) -> None:
    expected = hostile(tmp_path / "a")
    hostile(tmp_path / "b")
    source = check(kind(path=str(tmp_path), size=8))
    assert reasons(source) == {}
    assert sorted(names(source)) == sorted(f"a/{name} + b/{name}" for name in expected)
    (tmp_path / "a" / expected[0]).write_bytes(b"")
    store = prepare(kind(path=str(tmp_path), size=8), progress=False, max_skipped=0.9)
    assert [name for name, _ in store.manifest.skipped] == [f"a/{expected[0]} + b/{expected[0]}"]
    alone = Pairs(path=str(tmp_path / "b"), size=8)
    assert sorted(names(check(alone))) == sorted(expected)


@pytest.mark.parametrize("kind", [Pairs, TwoDomains])
def test_the_fingerprint_follows_both_folders(kind: type[Dataset], tmp_path: Path) -> None:
    write(tmp_path, {"a/1.png": png(1), "b/1.png": png(2)})
    found = {kind(path=str(tmp_path)).open().fingerprint for _ in range(2)}
    for name in ("a/1.png", "b/1.png"):
        os.utime(tmp_path / name, (1, 1))
        found.add(kind(path=str(tmp_path)).open().fingerprint)
    assert len(found) == 3
    write(tmp_path, {"elsewhere/1.png": png(1)})
    assert kind(path=str(tmp_path)).open().fingerprint in found


def test_reduced_decoding_is_said_and_close(tmp_path: Path) -> None:
    large = encoded(Image.fromarray(noise(1, 6, 6, 3)).resize((256, 256), Image.Resampling.BILINEAR), "JPEG")
    write(tmp_path, {"a/1.jpg": large, "b/1.jpg": large})
    plain, reduced = (TwoDomains(path=str(tmp_path), size=16, reduced=each).open() for each in (False, True))
    assert "1/8" in reduced.transform
    assert "1/8" not in plain.transform
    assert np.abs(plain.read(0)["a"].astype(int) - reduced.read(0)["a"]).mean() < 2
