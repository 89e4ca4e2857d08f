"""Hugging Face image datasets on disk, in parquet files."""

from __future__ import annotations

import json
import os
import pickle
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from data_samples import encoded, picture
from hypothesis import given, settings
from hypothesis import strategies as st

from ganskit.data import Skip, Source, images, parquet
from ganskit.data import prepare as prepare_module
from ganskit.data.dataset import part_of
from ganskit.data.parquet import Parquet
from ganskit.data.parquet_files import split_of
from ganskit.data.prepare import prepare
from ganskit.errors import BadData, DataNotFound, UserError

PICTURE = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
IMAGE = {"_type": "Image"}
CLASSES = ("cat", "dog", "eel")
LABEL = {"names": list(CLASSES), "_type": "ClassLabel"}


def write(
    file: Path,
    columns: dict[str, tuple[Sequence[Any], Any]],
    features: dict[str, Any] | None = None,
    group: int = 4,
    **options: Any,
) -> Path:
    """A parquet file with these columns, each values and type; with `features` as `datasets` notes them."""
    file.parent.mkdir(parents=True, exist_ok=True)
    schema = pyarrow.schema([(name, kind) for name, (_, kind) in columns.items()])
    if features is not None:
        schema = schema.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    arrays = [pyarrow.array(values, type=kind) for values, kind in columns.values()]
    pyarrow.parquet.write_table(pyarrow.table(arrays, schema=schema), file, row_group_size=group, **options)
    return file


def rows(count: int, first: int = 0) -> list[dict[str, Any]]:
    """Pictures as `datasets` stores them."""
    return [{"bytes": encoded(picture(i)), "path": f"{i}.png"} for i in range(first, first + count)]


def hub(file: Path, count: int = 10, first: int = 0) -> Path:
    """A file as `Dataset.to_parquet` writes it, with classes 0, 1, 2, 0, ..."""
    labels = [i % 3 for i in range(first, first + count)]
    columns = {"image": (rows(count, first), PICTURE), "label": (labels, pyarrow.int64())}
    return write(file, columns, {"image": IMAGE, "label": LABEL})


def names(source: Source) -> list[str]:
    return [source.name(i) for i in range(len(source))]


def reasons(source: Source) -> list[str]:
    """Why each example that cannot be used is skipped; "" for the others."""
    found = []
    for index in range(len(source)):
        try:
            source.read(index)
            found.append("")
        except Skip as reason:
            found.append(str(reason))
    return found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own, and small shards."""
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path / "home"))
    monkeypatch.setattr(prepare_module, "ROWS_PER_SHARD", 7)
    return tmp_path / "home"


def test_a_dataset_of_the_hub(tmp_path: Path, home: Path) -> None:
    for number in range(2):
        hub(tmp_path / "data" / f"train-{number:05d}-of-00002-0123456789abcdef.parquet", 10, 10 * number)
    hub(tmp_path / "data" / "test-00000-of-00001.parquet", 3)
    dataset = Parquet(path=str(tmp_path), size=16, labels=True)
    source = dataset.open()
    assert source.num_ignored == 1
    assert source.name(17) == "train-00001-of-00002-0123456789abcdef.parquet row 7"
    for i in range(20):
        assert np.array_equal(source.read(i)["x"], images.decode(encoded(picture(i)), 16, 3, "centre"))
    store = prepare(dataset)
    assert store.fields["y"].classes == CLASSES
    assert store.gather(range(20))["y"].tolist() == [i % 3 for i in range(20)]
    assert np.array_equal(store.gather([17])["x"][0].numpy(), source.read(17)["x"])
    assert len(Parquet(path=str(tmp_path), split="test").open()) == 3


def test_parts(tmp_path: Path) -> None:
    """Parts, pickled and read in any order, give the same examples; nothing but the rows' places is sent."""
    dataset = Parquet(path=str(hub(tmp_path / "a.parquet", 23)), size=8, labels=True)
    source = dataset.open()
    expected = [source.read(i) for i in range(23)]
    for start, stop in ((0, 23), (0, 5), (5, 6), (6, 23)):
        part = pickle.loads(pickle.dumps(part_of(source, start, stop)))
        assert len(pickle.dumps(part)) < 2000
        for i in (*range(len(part)), *reversed(range(len(part)))):
            assert part.name(i) == source.name(start + i) == f"a.parquet row {start + i}"
            assert all(np.array_equal(value, expected[start + i][key]) for key, value in part.read(i).items())
    with pytest.raises(IndexError):
        source.read(23)


@pytest.mark.parametrize("first", [0, 10])
def test_reading_in_order_opens_each_row_group_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int) -> None:
    source = Parquet(path=str(hub(tmp_path / "a.parquet", 40)), size=8).open()
    part = part_of(source, first, 40)
    opened = []
    real = parquet.opened
    monkeypatch.setattr(parquet, "opened", lambda original: opened.append(original) or real(original))
    monkeypatch.setattr(parquet, "BATCH_ROWS", 3)
    for i in range(len(part)):
        part.read(i)
    assert len(opened) == 10 - first // 4


@pytest.mark.parametrize(
    ("file", "split"),
    [
        ("data/train-00000-of-00005.parquet", "train"),
        ("data/train-00000-of-00005-0123abcd.parquet", "train"),
        ("data/unlabelled_faces-00000-of-00001.parquet", "unlabelled_faces"),
        ("default/test/0000.parquet", "test"),
        ("dev.parquet", "validation"),
        ("my-val-part.parquet", "validation"),
        ("0000.parquet", ""),
        ("trainees.parquet", ""),
    ],
)
def test_splits(file: str, split: str) -> None:
    assert split_of(Path(file)) == split


def test_which_files(tmp_path: Path) -> None:
    for name in ("a.parquet", "b.parquet", ".hidden.parquet", "notes.txt"):
        hub(tmp_path / "plain" / name, 2)
    assert len(Parquet(path=str(tmp_path / "plain")).open()) == 4
    with pytest.raises(DataNotFound, match="says of no file to which split it belongs"):
        Parquet(path=str(tmp_path / "plain"), split="test").open()
    hub(tmp_path / "hub" / "val-00000-of-00001.parquet", 2)
    hub(tmp_path / "hub" / "train-00000-of-00001.parquet", 2)
    assert len(Parquet(path=str(tmp_path / "hub"), split="validation").open()) == 2
    with pytest.raises(DataNotFound, match='no split "test": it has train, validation'):
        Parquet(path=str(tmp_path / "hub"), split="test").open()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "holds no .parquet file"),
        (["train-00000-of-00003.parquet", "train-00002-of-00003.parquet"], "number 00001 of 00003 is missing"),
        (["train-00000-of-00001.parquet", "train-00000-of-00002.parquet"], "several downloads"),
        (["train-00000-of-00001.parquet", "train-00000-of-00001-00ff.parquet"], "holds 2 files of which there should be 1"),
        (["cats/train-00000-of-00001.parquet", "dogs/train-00000-of-00001.parquet"], "several datasets: .*cats, .*dogs"),
    ],
)
def test_wrong_folders(tmp_path: Path, files: list[str], message: str) -> None:
    for file in files:
        hub(tmp_path / file, 1)
    with pytest.raises(BadData, match=message):
        Parquet(path=str(tmp_path)).open()


def test_nothing_there(tmp_path: Path, home: Path) -> None:
    with pytest.raises(DataNotFound, match="no such folder or file"):
        Parquet(path=str(tmp_path / "missing")).open()
    with pytest.raises(DataNotFound, match="birds: not found"):
        Parquet(name="birds").open()
    hub(home / "originals" / "birds" / "train.parquet")
    assert len(Parquet(name="birds").open()) == 10


# Columns


def test_columns_by_their_types(tmp_path: Path) -> None:
    """What other programs write: plain bytes, no notes about the columns."""
    data = [encoded(picture(i)) for i in range(3)]
    for kind in (pyarrow.binary(), pyarrow.large_binary()):
        columns = {"id": (["a"] * 3, pyarrow.string()), "jpg": (data, kind), "class": ([7, 8, 9], pyarrow.uint8())}
        source = Parquet(path=str(write(tmp_path / "a.parquet", columns)), size=8, labels=True).open()
        assert [int(source.read(i)["y"]) for i in range(3)] == [7, 8, 9]
        assert source.classes == {}
        assert source.read(1)["x"].shape == (3, 8, 8)


def test_columns_by_name(tmp_path: Path) -> None:
    columns = {
        "photo": (rows(2), PICTURE),
        "mask": (rows(2, 5), PICTURE),
        "fine": ([1, 2], pyarrow.int64()),
        "coarse": ([0, 1], pyarrow.int64()),
        "width": ([1, 1], pyarrow.int32()),
        "word": (["a", "b"], pyarrow.string()),
    }
    features = {"photo": IMAGE, "mask": IMAGE, "fine": LABEL, "coarse": LABEL, "word": {"dtype": "string", "_type": "Value"}}
    path = str(write(tmp_path / "a.parquet", columns, features))
    source = Parquet(path=path, size=8, image="mask", label="fine", labels=True).open()
    assert source.read(0)["y"] == 1
    assert np.array_equal(source.read(0)["x"], images.decode(encoded(picture(5)), 8, 3, "centre"))
    for options, error, message in (
        ({}, UserError, "several image columns: photo, mask. .*--set image=photo"),
        ({"image": "mask", "labels": True}, UserError, "several label columns: fine, coarse. .*--set label=fine"),
        ({"image": "masks"}, UserError, 'no column "masks". It has: photo .struct'),
        ({"image": "width"}, BadData, '"width" holds int32, expected the bytes of picture files'),
        ({"image": "mask", "label": "word", "labels": True}, BadData, '"word" holds string, expected whole numbers'),
        ({"image": "mask", "label": "fine"}, UserError, "labels is off"),
    ):
        with pytest.raises(error, match=message):
            Parquet(path=path, **options).open()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"text": (["a"], pyarrow.string())}, "no image column. It has: text .string.*--set image="),
        ({"image": (["a.jpg"], pyarrow.string())}, "no image column"),
        ({"image": (rows(1), PICTURE)}, "no label column"),
        ({"image": (rows(1), PICTURE), "label": (["cat"], pyarrow.string())}, "no label column.*label .string"),
    ],
)
def test_columns_that_are_not_there(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    with pytest.raises(BadData, match=message):
        Parquet(path=str(write(tmp_path / "a.parquet", columns)), labels=True).open()


@pytest.mark.parametrize(
    "notes", [b"", b"{", b"[]", b'{"info": {"features": 3}}', b'{"info": {"features": {"image": 3}}}', b"\xff"]
)
def test_odd_notes_are_as_good_as_none(tmp_path: Path, notes: bytes) -> None:
    table = pyarrow.table({"image": pyarrow.array(rows(1), type=PICTURE)}).replace_schema_metadata({"huggingface": notes})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    assert len(Parquet(path=str(tmp_path)).open()) == 1


def test_rows_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = [*rows(5), None, {"bytes": None, "path": "/elsewhere/a.png"}, {"bytes": b""}, {"bytes": b"<html>"}]
    labels = [0, None, -1, 3, -7, 0, 0, 0, 0]
    columns = {"image": (pictures, PICTURE), "label": (labels, pyarrow.int64())}
    path = str(write(tmp_path / "a.parquet", columns, {"image": IMAGE, "label": LABEL}))
    found = reasons(Parquet(path=path, size=8, labels=True).open())
    assert found.pop().startswith("not a picture")
    missing = "no bytes: the picture is a file elsewhere, or missing"
    wrong = ["label 3: expected 0 to 2", "label -7: expected 0 to 2"]
    assert found == ["", "no label", "no label", *wrong, missing, missing, "empty file"]
    monkeypatch.setattr(parquet, "MAX_FILE_BYTES", 10)
    assert reasons(Parquet(path=path, size=8).open())[0].endswith("bytes: too large")


# Files


def test_files_of_different_datasets(tmp_path: Path) -> None:
    hub(tmp_path / "a.parquet")
    write(
        tmp_path / "b.parquet",
        {"image": (rows(1), PICTURE), "label": ([0], pyarrow.int64())},
        {"label": {**LABEL, "names": ["x"]}},
    )
    with pytest.raises(BadData, match=r"b.parquet has other columns or classes than a.parquet"):
        len(Parquet(path=str(tmp_path), labels=True).open())
    write(tmp_path / "b.parquet", {"photo": (rows(1), PICTURE)})
    with pytest.raises(BadData, match="other columns"):
        len(Parquet(path=str(tmp_path)).open())


def test_a_file_that_changes(tmp_path: Path) -> None:
    source = Parquet(path=str(hub(tmp_path / "a.parquet")), size=8).open()
    part = part_of(source, 0, 10)
    before = source.fingerprint
    part.read(0)
    hub(tmp_path / "a.parquet", 11)
    with pytest.raises(BadData, match="changed while it was being read"):
        part.read(9)
    assert Parquet(path=str(tmp_path / "a.parquet")).open().fingerprint != before


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / b"\xff\n.parquet".decode("utf-8", "surrogateescape")
    os.rename(hub(tmp_path / "a.parquet"), file)
    assert reasons(Parquet(path=str(tmp_path), size=8).open()) == [""] * 10


def test_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub(tmp_path / "a.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserError, match=r'pip install "ganskit\[parquet\]"'):
        Parquet(path=str(tmp_path)).open()


@pytest.mark.parametrize("data", [b"", b"PAR1", b"<html>404</html>", b"PAR1" + bytes(100) + b"PAR1"])
def test_what_is_no_parquet(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.parquet").write_bytes(data)
    with pytest.raises(BadData, match=r"a.parquet .* is no parquet file, or is damaged or cut short"):
        Parquet(path=str(tmp_path)).open()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of one good file."""
    return hub(tmp_path_factory.mktemp("whole") / "a.parquet", 6).read_bytes()


def usable(folder: Path, data: bytes) -> bool:
    """Whether a file can be listed and read; with skips perhaps, and without any other error than BadData."""
    (folder / "a.parquet").write_bytes(data)
    try:
        reasons(Parquet(path=str(folder), size=8, labels=True).open())
    except BadData:
        return False
    return True


@settings(max_examples=100)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_cut_file_is_refused(tmp_path_factory: pytest.TempPathFactory, whole: bytes, share: float) -> None:
    assert not usable(tmp_path_factory.mktemp("cut"), whole[: int(share * len(whole))])


@settings(max_examples=100)
@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_damaged_file_does_not_crash(
    tmp_path_factory: pytest.TempPathFactory, whole: bytes, changes: list[tuple[float, int]]
) -> None:
    data = bytearray(whole)
    for share, value in changes:
        data[int(share * len(data))] = value
    usable(tmp_path_factory.mktemp("damaged"), bytes(data))
