"""CelebA, on tiny files in its publisher's format, and on ten thousand real ones."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples_pictures import (
    ATTRIBUTES,
    attribute_values,
    celeba_names,
    check,
    face,
    hostile,
    names,
    reasons,
    write,
    write_attributes,
    write_celeba,
    write_partition,
    zipped,
)

from ganskit.data import images
from ganskit.data.celeba import CelebA
from ganskit.data.prepare import prepare
from ganskit.errors import BadData, DataNotFound, UserError

LISTS = ("txt", "csv")


@pytest.mark.parametrize("lists", LISTS)
def test_goes_into_a_store(tmp_path: Path, lists: str) -> None:
    values = write_celeba(tmp_path, 9, lists)
    dataset = CelebA(path=str(tmp_path), size=16, attributes=True)
    store = prepare(dataset, progress=False)
    assert len(store) == 9
    assert store.fields["attributes"].classes == tuple(ATTRIBUTES) == dataset.provides()["attributes"].classes
    batch = store.gather(range(9))
    assert np.array_equal(batch["attributes"].numpy(), values)
    for i in range(9):
        assert np.array_equal(batch["x"][i].numpy(), images.decode(face(i), 16, 3, "centre"))


@pytest.mark.parametrize("lists", LISTS)
def test_partition(tmp_path: Path, lists: str) -> None:
    values = write_celeba(tmp_path, 9, lists)
    parts = {
        split: check(CelebA(path=str(tmp_path), split=split, size=8, attributes=True)) for split in ("train", "valid", "test")
    }
    found = {split: [Path(name).stem for name in names(source)] for split, source in parts.items()}
    assert found["train"] == [f"{i:06d}" for i in range(1, 7)]
    assert found["valid"] == ["000007", "000009"]
    assert found["test"] == ["000008"]
    assert np.array_equal(parts["valid"].read(0)["attributes"], values[6])
    assert len({source.fingerprint for source in parts.values()}) == 1  # the split is an option: the name differs by it


def test_without_lists(tmp_path: Path) -> None:
    write_celeba(tmp_path, 3)
    for file in tmp_path.glob("list_*"):
        file.unlink()
    source = check(CelebA(path=str(tmp_path), size=8))
    assert list(source.read(0)) == ["x"]
    assert len(source) == 3
    for options, needed in (({"split": "test"}, "list_eval_partition.txt"), ({"attributes": True}, "list_attr_celeba.txt")):
        with pytest.raises(DataNotFound, match=needed) as error:
            CelebA(path=str(tmp_path), **options).open()
        assert str(tmp_path) in str(error.value)
        assert "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html" in str(error.value)


def test_wherever_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder, the archive, what holds one of them, and the authors' folders Img, Anno and Eval."""
    options = {"size": 8, "attributes": True, "split": "train"}
    write_celeba(tmp_path / "plain", 3)
    expected = [CelebA(path=str(tmp_path / "plain"), **options).open().read(i) for i in range(2)]
    plain, packed, authors = (tmp_path / name for name in ("plain", "packed", "authors"))
    write_celeba(packed, 3)
    archive = zipped(packed / "img_align_celeba")
    write_celeba(authors, 3)
    for name, folder in (("img_align_celeba", "Img"), ("list_attr_celeba.txt", "Anno"), ("list_eval_partition.txt", "Eval")):
        (authors / folder).mkdir()
        (authors / name).rename(authors / folder / name)
    for path in (
        plain,
        plain / "img_align_celeba",
        packed,
        archive,
        authors,
        authors / "Img",
        authors / "Img" / "img_align_celeba",
    ):
        source = check(CelebA(path=str(path), **options))
        for example, wanted in zip(map(source.read, range(2)), expected, strict=True):
            assert all(np.array_equal(example[key], wanted[key]) for key in wanted)
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path / "home"))
    with pytest.raises(DataNotFound, match=re.escape(str(tmp_path / "home" / "originals" / "celeba"))):
        CelebA().open()
    write_celeba(tmp_path / "home" / "originals" / "celeba", 3)
    assert len(CelebA(**options).open()) == 2


def test_where_lists_and_pictures_differ(tmp_path: Path) -> None:
    """Counted and said, and no reason to stop."""
    write_celeba(tmp_path, 6)
    pictures, listed = tmp_path / "img_align_celeba", celeba_names([1, 2, 3, 4, 8])
    write_attributes(tmp_path / "list_attr_celeba.txt", listed, attribute_values(5))
    write_partition(tmp_path / "list_eval_partition.txt", celeba_names([1, 2, 3, 5, 8, 9]), [0, 0, 1, 0, 0, 1])
    (pictures / "000002.jpg").write_bytes(b"")
    assert reasons(check(CelebA(path=str(tmp_path), size=8, attributes=True))) == {
        "000002.jpg": "empty file",
        "000005.jpg": "has no row in list_attr_celeba.txt",
        "000006.jpg": "has no row in list_attr_celeba.txt",
        "000008.jpg": "named in list_attr_celeba.txt, and not among the pictures",
    }
    assert reasons(check(CelebA(path=str(tmp_path), size=8, attributes=True, split="train"))) == {
        "000002.jpg": "empty file",
        "000004.jpg": "has no row in list_eval_partition.txt",
        "000005.jpg": "has no row in list_attr_celeba.txt",
        "000006.jpg": "has no row in list_eval_partition.txt",
        "000008.jpg": "named in list_eval_partition.txt, and not among the pictures",
    }
    store = prepare(CelebA(path=str(tmp_path), size=8, attributes=True), progress=False, max_skipped=0.9)
    assert (len(store), store.manifest.num_skipped) == (3, 4)
    assert np.array_equal(store.gather([2])["attributes"][0].numpy(), attribute_values(5)[3])
    check(CelebA(path=str(zipped(pictures)), size=8, attributes=True))


def test_as_png_has_the_same_rows(tmp_path: Path) -> None:
    values = write_celeba(tmp_path, 3)
    for file in (tmp_path / "img_align_celeba").iterdir():
        file.rename(file.with_suffix(".png"))
    (tmp_path / "img_align_celeba").rename(tmp_path / "img_align_celeba_png")
    source = check(CelebA(path=str(tmp_path), size=8, attributes=True))
    assert reasons(source) == {}
    assert np.array_equal([source.read(i)["attributes"] for i in range(3)], values)


def edited(line: int, old: str, new: str) -> Callable[[list[str]], list[str]]:
    """One line of a file with a text in it changed once."""
    return lambda lines: [each.replace(old, new, 1) if i == line - 1 else each for i, each in enumerate(lines)]


@pytest.mark.parametrize(
    ("file", "edit", "message"),
    [
        ("list_attr_celeba.txt", edited(2, "Bald", "Blad"), r'line 2: column 5 is "Blad", expected "Bald"'),
        (
            "list_attr_celeba.txt",
            edited(2, "Big_Lips Big_Nose", "Big_Nose Big_Lips"),
            'column 7 is "Big_Nose", expected "Big_Lips"',
        ),
        ("list_attr_celeba.txt", edited(2, " Young", ""), "the names of 40 columns, found 39"),
        ("list_attr_celeba.txt", edited(2, " Young", " Young Rich Famous"), "the names of 40 columns, found 42"),
        ("list_attr_celeba.txt", lambda lines: lines[2:], r"line 1: column 1 is .*expected \"5_o_Clock_Shadow\""),
        ("list_attr_celeba.txt", edited(5, " ", "  7 "), r"line 5: 41 values for 000003.jpg, expected 40"),
        ("list_attr_celeba.txt", lambda lines: [*lines[:-2], lines[-2][:40]], r"line 11: \d+ values for 000009.jpg.*cut short"),
        ("list_attr_celeba.txt", lambda lines: [*lines[:7], ""], "promises 9 rows and there are 5"),
        ("list_attr_celeba.txt", lambda lines: [*lines[:4], lines[3], *lines[4:]], "line 5: a second row for 000002.jpg"),
        (
            "list_attr_celeba.txt",
            lambda lines: [re.sub(r"1$", "2", each) for each in lines],
            r'line 3: Young of 000001.jpg is "-?2"',
        ),
        ("list_attr_celeba.txt", lambda lines: ["<!DOCTYPE html><html>", "quota exceeded"], "line 1: column 1"),
        ("list_attr_celeba.txt", lambda lines: [], r"line 1: expected the names of 40 columns, found 0"),
        ("list_attr_celeba.txt", lambda lines: lines[:2], "promises 9 rows and there are 0"),
        ("list_attr_celeba.csv", edited(3, ",", ",x,"), "line 3: 41 values for 000002.jpg"),
        (
            "list_attr_celeba.csv",
            lambda lines: [lines[0], lines[1].replace(",0", ",no"), *lines[2:]],
            'is "no", expected -1, 0, 1',
        ),
        ("list_attr_celeba.csv", lambda lines: lines[:1], "has no row"),
        ("list_eval_partition.txt", edited(4, " 0", " 3"), r'line 4: partition of 000004.jpg is "3", expected 0, 1, 2'),
        ("list_eval_partition.txt", edited(4, " 0", ""), "line 4: 0 values for 000004.jpg, expected 1"),
        ("list_eval_partition.txt", edited(2, "000002", "000001"), "line 2: a second row for 000001.jpg"),
        ("list_eval_partition.txt", lambda lines: [], "has no row"),
        ("list_eval_partition.csv", edited(1, "partition", "Smiling"), 'column 1 is "Smiling", expected "partition"'),
    ],
)
def test_lists_that_are_wrong(tmp_path: Path, file: str, edit: Callable[[list[str]], list[str]], message: str) -> None:
    write_celeba(tmp_path, 9, file[-3:])
    (tmp_path / file).write_text("\n".join(edit((tmp_path / file).read_text().split("\n"))))
    with pytest.raises(BadData, match=message) as error:
        CelebA(path=str(tmp_path), split="train", attributes=True).open()
    assert str(tmp_path / file) in str(error.value)


def test_lists_from_other_systems(tmp_path: Path) -> None:
    """A byte order mark, lines that end as on Unix, blank lines at the end, no end of line at all, names that are not UTF-8."""
    values = write_celeba(tmp_path, 3)
    file = tmp_path / "list_attr_celeba.txt"
    data = file.read_bytes()
    changes = (b"\xef\xbb\xbf" + data, data.replace(b"\r\n", b"\n"), data + b"\n\n", data.rstrip())
    for changed in changes:
        file.write_bytes(changed)
        source = CelebA(path=str(tmp_path), size=8, attributes=True).open()
        assert np.array_equal([source.read(i)["attributes"] for i in range(3)], values)
    os.rename(tmp_path / "img_align_celeba" / "000002.jpg", os.fsencode(tmp_path / "img_align_celeba") + b"/\xff.jpg")
    file.write_bytes(data.replace(b"000002", b"\xff"))
    assert reasons(CelebA(path=str(tmp_path), size=8, attributes=True).open()) == {}


@given(rows=st.lists(st.lists(st.integers(0, 1), min_size=40, max_size=40), min_size=1, max_size=6), lists=st.sampled_from(LISTS))
def test_any_attributes_come_back(rows: list[list[int]], lists: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("celeba")
    write(folder, {f"img_align_celeba/{name}": face(0) for name in celeba_names(range(len(rows)))})
    write_attributes(folder / f"list_attr_celeba.{lists}", celeba_names(range(len(rows))), np.array(rows))
    source = CelebA(path=str(folder), size=8, attributes=True).open()
    assert [source.read(i)["attributes"].tolist() for i in range(len(source))] == rows


def test_fingerprint_follows_the_lists(tmp_path: Path) -> None:
    write_celeba(tmp_path, 3)
    dataset = CelebA(path=str(tmp_path), attributes=True)
    before, without = dataset.open().fingerprint, CelebA(path=str(tmp_path)).open().fingerprint
    write_attributes(tmp_path / "list_attr_celeba.txt", celeba_names([1, 2, 3]), 1 - attribute_values(3))
    assert dataset.open().fingerprint != before
    assert CelebA(path=str(tmp_path)).open().fingerprint == without


def test_that_is_damaged_or_something_else(tmp_path: Path) -> None:
    write_celeba(tmp_path / "a", 3)
    archive = zipped(tmp_path / "a" / "img_align_celeba")
    archive.write_bytes(archive.read_bytes()[:-40])
    with pytest.raises(BadData, match=r"img_align_celeba.zip .* is no readable .zip file.*downloaded whole"):
        CelebA(path=str(tmp_path / "a")).open()
    archive.unlink()
    write(tmp_path / "a" / "img_align_celeba", {"again/000002.jpg": face(0)})
    with pytest.raises(BadData, match=r"two pictures of one name: 000002.jpg and again/000002.jpg"):
        CelebA(path=str(tmp_path / "a")).open()
    (tmp_path / "empty").mkdir()
    (tmp_path / "img.tar").write_bytes(b"x")
    for path, message in (("empty", "Looked in"), ("missing", "no such folder or file"), ("img.tar", "tar -xf img.tar")):
        with pytest.raises(DataNotFound, match=message):
            CelebA(path=str(tmp_path / path)).open()
    for options in ({"split": "val"}, {"size": 0}, {"crop": "center"}):
        with pytest.raises(UserError, match=next(iter(options))):
            CelebA(**options)


def test_with_hostile_names(tmp_path: Path) -> None:
    expected = hostile(tmp_path / "img_align_celeba", b".jpg")
    source = check(CelebA(path=str(tmp_path), size=8))
    assert sorted(names(source)) == sorted(expected)
    write_attributes(tmp_path / "list_attr_celeba.csv", celeba_names([1]), attribute_values(1))
    assert len(reasons(CelebA(path=str(tmp_path), size=8, attributes=True).open())) == len(expected) + 1


@pytest.mark.real
def test_real_celeba(real: Callable[[str], Path], tmp_path: Path) -> None:
    """Ten thousand pictures, halved, and their attributes as one of the .csv files that circulate."""
    (tmp_path / "img_align_celeba").symlink_to(real("celeba10k"))
    (tmp_path / "list_attr_celeba.csv").symlink_to(real("celeba10k_attributes.csv"))
    source = CelebA(path=str(tmp_path), attributes=True).open()
    assert len(source) == 10_000
    assert not source.unusable
    values = source.targets["attributes"]
    rows = (tmp_path / "list_attr_celeba.csv").read_text().split()
    assert rows[1].split(",")[1:] == [str(each) for each in values[0]]
    share = dict(zip(ATTRIBUTES, values.mean(axis=0), strict=True))
    assert 0.4 < share["Male"] < 0.43  # 41.7 % of all 202,599
    assert 0.46 < share["Smiling"] < 0.5  # 48.2 %
    assert share["Bald"] < 0.04
    assert source.read(9_999)["x"].shape == (3, 64, 64)
