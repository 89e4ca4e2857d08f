"""Labeled Faces in the Wild, on tiny files as its publisher lays them out."""

from __future__ import annotations

import os
import re
import zipfile
from pathlib import Path

import pytest
from data_samples import encoded, picture
from samples_pictures import check, names, reasons, write, write_lfw, zipped

from ganskit.data.lfw import Lfw
from ganskit.data.prepare import prepare
from ganskit.errors import DataNotFound, UserError

PEOPLE = {"Ann_Example": 2, "Bo_van_der_Berg": 1, "Cy": 3}


@pytest.mark.parametrize("version", ["lfw", "lfw_funneled", "lfw-deepfunneled/lfw-deepfunneled"])
def test_goes_into_a_store(tmp_path: Path, version: str) -> None:
    folder = write_lfw(tmp_path / version, PEOPLE)
    for path in (tmp_path, folder):
        dataset = Lfw(path=str(path), size=16, labels=True)
        check(dataset)
        store = prepare(dataset, progress=False)
        assert store.fields["y"].classes == tuple(PEOPLE)
        assert store.gather(range(6))["y"].tolist() == [0, 0, 1, 2, 2, 2]


def test_without_labels_and_zipped(tmp_path: Path) -> None:
    folder = write_lfw(tmp_path / "lfw", PEOPLE)
    plain, packed = (check(Lfw(path=str(path), size=8)) for path in (folder, zipped(folder)))
    assert list(plain.read(0)) == ["x"]
    assert names(packed) == [f"lfw/{name}" for name in names(plain)]
    assert Lfw(path=str(zipped(folder)), labels=True).open().classes == {"y": tuple(PEOPLE)}


def test_pictures_that_are_mislabelled(tmp_path: Path) -> None:
    folder = write_lfw(tmp_path / "lfw", PEOPLE)
    (folder / "Cy" / "Cy_0003.jpg").rename(folder / "Ann_Example" / "Cy_0003.jpg")
    write(folder, {"loose.jpg": b"x", "Cy/Cy_001.jpg": b"x", "Cy/Cy_0009.jpg": b"", "lfw-names.txt": b"x"})
    for labels in (True, False):
        source = check(Lfw(path=str(folder), size=8, labels=labels))
        bad = reasons(source)
        assert bad.pop("Cy/Cy_0009.jpg") == "empty file"
        assert set(bad) == {"Ann_Example/Cy_0003.jpg", "loose.jpg", "Cy/Cy_001.jpg"}
        assert all(reason.startswith("mislabelled") for reason in bad.values())
        assert source.num_ignored == 1


def test_that_is_something_else(tmp_path: Path) -> None:
    write_lfw(tmp_path / "both" / "lfw", PEOPLE)
    write_lfw(tmp_path / "both" / "lfw_funneled", PEOPLE)
    write(tmp_path / "cats", {f"{i}.png": encoded(picture(i)) for i in range(2)})
    write(tmp_path / "packed", {"lfw.tgz": b"\x1f\x8b"})
    (tmp_path / "empty").mkdir()
    (tmp_path / "lfw.zip").write_bytes(b"PK")
    for path, message in (
        ("both", r"two pictures of one name: lfw/Ann_Example/Ann_Example_0001.jpg and lfw_funneled/Ann_"),
        ("cats", r"is not LFW. The first of 2 pictures is 0.png"),
        ("packed", r"lfw.tgz is not extracted: run tar -xzf lfw.tgz .*ganskit data fetch lfw"),
        ("packed/lfw.tgz", r"lfw.tgz is not extracted"),
        ("empty", "Looked in"),
        ("missing", "no such folder or file"),
        ("lfw.zip", "no readable .zip"),
    ):
        with pytest.raises(UserError, match=message):
            Lfw(path=str(tmp_path / path)).open()


def test_without_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path))
    with pytest.raises(DataNotFound, match=re.escape(str(tmp_path / "originals" / "lfw"))):
        Lfw().open()


def test_with_hostile_names(tmp_path: Path) -> None:
    people = [os.fsdecode(name) for name in (b"two\nlines", "\N{GRINNING FACE}".encode(), b"n" * 246, b"\xff\xfe")]
    for seed, person in enumerate(people):
        write(tmp_path, {f"{person}/{person}_0001.jpg": encoded(picture(seed))})
    store = prepare(Lfw(path=str(tmp_path), size=8, labels=True), progress=False)
    assert len(store) == len(people)
    assert store.fields["y"].classes == tuple(sorted(people))


def test_member_that_is_damaged(tmp_path: Path) -> None:
    archive = zipped(write_lfw(tmp_path / "lfw", PEOPLE))
    with zipfile.ZipFile(archive) as opened:
        offset = opened.getinfo("lfw/Cy/Cy_0001.jpg").header_offset
    data = bytearray(archive.read_bytes())
    data[offset + 80] ^= 0xFF
    archive.write_bytes(data)
    assert list(reasons(Lfw(path=str(archive), size=8).open())) == ["lfw/Cy/Cy_0001.jpg"]
