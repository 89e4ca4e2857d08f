"""Crops of photographs by a table of boxes."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from samples_faces import ODD

from ganskit.data.boxes import Box, Crops, read_table, write_table
from ganskit.data.prepare import prepare, store_name
from ganskit.errors import BadData, DataNotFound, UserError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own."""
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path / "home"))
    return tmp_path / "home"


def _write(table: Path, rows: str, header: str = "file,left,top,width,height") -> Path:
    table.write_text(f"{header}\n{rows}\n")
    return table


def _colours(folder: Path, names: tuple[str, ...]) -> Path:
    """Pictures of 40 x 30 pixels, the left half of another colour than the right."""
    folder.mkdir()
    for index, name in enumerate(names):
        pixels = np.full((30, 40, 3), 10 * index, np.uint8)
        pixels[:, 20:] = 200
        Image.fromarray(pixels).save(os.path.join(folder, name))
    return folder


NAMES = st.binary(min_size=1).filter(lambda name: b"\0" not in name and b"/" not in name).map(os.fsdecode)


@given(st.lists(st.tuples(NAMES, st.integers(0, 9999)), min_size=1))
def test_a_table_is_read_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int]]) -> None:
    boxes = [Box(f"below/{name}", left, 2, 3, 4, 20000, 10, 0.5) for name, left in rows if name != ".."]
    table = tmp_path_factory.getbasetemp() / "faces.csv"
    write_table([*boxes, Box("a", 0, 0, 1, 1)], table)
    assert read_table(table) == [*boxes, Box("a", 0, 0, 1, 1)]


def test_crops_are_the_boxes_in_the_order_of_the_table(tmp_path: Path) -> None:
    folder = _colours(tmp_path / "photos", ODD)
    boxes = [Box(name, left, 5, 20, 20) for name in ODD for left in (20, 0)]
    write_table(boxes, tmp_path / "faces.csv")
    store = prepare(Crops(path=str(folder), table=str(tmp_path / "faces.csv"), size=8))
    assert len(store) == 8
    assert [int(store[i]["x"].float().mean()) for i in range(8)] == [200, 0, 200, 10, 200, 20, 200, 30]
    source = Crops(path=str(folder), table=str(tmp_path / "faces.csv"), size=8).open()
    assert source.part(3, 5).name(0) == f"{ODD[1]} at 0,5"
    assert np.array_equal(source.part(3, 5).read(1)["x"], source.read(4)["x"])


def test_a_photograph_is_decoded_once_for_all_its_faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ganskit.data import images

    folder = _colours(tmp_path / "photos", ("a.png", "b.png"))
    write_table([Box(name, left, 0, 10, 10) for name in ("a.png", "b.png") for left in range(5)], tmp_path / "t.csv")
    read, calls = images.read, []
    monkeypatch.setattr(images, "read", lambda *given: calls.append(1) or read(*given))
    prepare(Crops(path=str(folder), table=str(tmp_path / "t.csv"), size=8))
    assert len(calls) == 2


def test_a_store_of_crops_depends_on_what_the_table_says_not_on_where_it_lies(tmp_path: Path) -> None:
    folder = _colours(tmp_path / "photos", ("a.png",))
    (tmp_path / "elsewhere").mkdir()
    tables = [
        _write(tmp_path / "one.csv", "a.png,1,2,8,8"),
        _write(tmp_path / "elsewhere" / "two.csv", "8,a.png,8,2,1", "width,file,height,top,left"),
        _write(tmp_path / "three.csv", "a.png,1,2,8,9"),
    ]
    datasets = [Crops(path=str(folder), table=str(table)) for table in tables]
    names = [store_name(each, each.open().fingerprint, each.open().transform) for each in datasets]
    assert names[0] == names[1] != names[2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "no box in it"),
        ("file,left,top,width,height\n", "no box in it"),
        ("file,left,top\na.png,1,2\n", "line 1: no column width, height: .* found file,left,top"),
        ("file;left;top;width;height\na.png;1;2;8;8\n", "line 1: no column"),
        ("file,left,top,width,height,top\n", "line 1: two columns have the same name"),
        ("file,left,top,width,height\na.png,1,2,8\n", "line 2: 4 values in 5 columns"),
        ("file,left,top,width,height\na.png,1,2,8,8\n\na.png,1,x,8,8\n", 'line 4: top is "x": expected a whole number'),
        ("file,left,top,width,height\na.png,-1,2,8,8\n", 'line 2: left is "-1"'),
        ("file,left,top,width,height\na.png,1.5,2,8,8\n", 'line 2: left is "1.5"'),
        ("file,left,top,width,height\na.png,,2,8,8\n", 'line 2: left is ""'),
        ("file,left,top,width,height\na.png,1,2,0,8\n", "line 2: the box is 0 x 8 pixels"),
        ("file,left,top,width,height\n/etc/passwd,1,2,8,8\n", "line 2: file is .* below the folder"),
        ("file,left,top,width,height\nx/../../a.png,1,2,8,8\n", "line 2: file is .* below the folder"),
        ("file,left,top,width,height\n,1,2,8,8\n", "line 2: file is"),
        ("file,left,top,width,height,score\na.png,1,2,8,8,good\n", 'line 2: score is "good"'),
        ("file,left,top,width,height,photo_width,photo_height\na.png,1,2,8,8,8,40\n", "line 2: the box ends at 9, and the"),
        ('file,left,top,width,height\n"a.png,1,2,8,8\n', "line 2: unexpected end of data"),
        ('file,left,top,width,height\n"a"b,1,2,8,8\n', "line 2: "),
    ],
)
def test_a_wrong_table_is_named_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    table = tmp_path / "faces.csv"
    table.write_text(text)
    with pytest.raises(BadData, match=f"(?s)faces.csv.*{expected}"):
        read_table(table)


def test_a_table_saved_by_a_spreadsheet_is_read(tmp_path: Path) -> None:
    table = tmp_path / "faces.csv"
    table.write_bytes(b"\xef\xbb\xbffile,left,top,width,height,remark\r\na.png,1,2,8,8,\r\n")
    assert read_table(table) == [Box("a.png", 1, 2, 8, 8)]


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    folder = _colours(tmp_path / "photos", ("a.png",))
    table = _write(tmp_path / "t.csv", "b.png,1,2,8,8")
    with pytest.raises(UserError, match='"path", the folder of photographs, and "table"'):
        Crops().open()
    with pytest.raises(DataNotFound, match="no such folder of photographs"):
        Crops(path=str(tmp_path / "none"), table=str(table)).open()
    with pytest.raises(DataNotFound, match=r"no such table\. Make one: ganskit data faces"):
        Crops(path=str(folder), table=str(tmp_path / "none.csv")).open()
    with pytest.raises(BadData, match=r"holds none of the photographs in .*t\.csv, such as b\.png"):
        Crops(path=str(folder), table=str(table)).open()
    with pytest.raises(UserError, match="leave reduced off"):
        Crops(reduced=True)


def test_a_photograph_that_has_gone_or_changed_is_skipped(tmp_path: Path) -> None:
    folder = _colours(tmp_path / "photos", ("a.png", "b.png", "c.png"))
    write_table([Box(name, 0, 0, 30, 30, 40, 30) for name in ("a.png", "b.png", "c.png", "gone.png")], tmp_path / "t.csv")
    Image.new("RGB", (30, 40)).save(folder / "b.png")
    (folder / "c.png").write_bytes(b"not a picture")
    store = prepare(Crops(path=str(folder), table=str(tmp_path / "t.csv"), size=8), max_skipped=0.8)
    assert len(store) == 1
    reasons = dict(store.manifest.skipped)
    assert reasons["b.png at 0,0"] == "it is 30 x 40 pixels, and was 40 x 30 when its boxes were made"
    assert reasons["c.png at 0,0"].startswith("not a picture")
    assert reasons["gone.png at 0,0"] == "the photograph is not there"
    table = _write(tmp_path / "u.csv", "a.png,20,0,30,30")
    with pytest.raises(BadData, match="the box ends at 50,30, beyond its 40 x 30 pixels"):
        prepare(Crops(path=str(folder), table=str(table)))
