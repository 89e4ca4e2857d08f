"""SVHN, STL-10 and the downsampled ImageNet, on tiny files in each publisher's format."""

from __future__ import annotations

import errno
import gc
import os
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from data_samples import write_zip
from hypothesis import given
from hypothesis import strategies as st
from samples_arrays import check, names, npy, write_imagenet, write_npz, write_stl10, write_svhn

from ganskit.data import Skip, mat, stl10, svhn
from ganskit.data.imagenet_npz import ImageNet32, ImageNet64
from ganskit.data.stl10 import Stl10
from ganskit.data.svhn import Svhn
from ganskit.errors import BadData, DataNotFound, RunFailed


@pytest.fixture(autouse=True, scope="module")
def small() -> Iterator[None]:
    """The published counts, where they are needed, made small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stl10, "NUM_UNLABELLED", 3)
        patch.setattr(svhn, "NUM_VALIDATION", 5)
        yield


# SVHN


@pytest.mark.parametrize("compress", [True, False])
def test_svhn(tmp_path: Path, compress: bool) -> None:
    pixels, labels = write_svhn(tmp_path, 12, compress=compress)
    examples = check(Svhn(path=str(tmp_path)))
    assert np.array_equal([each["x"] for each in examples], pixels)
    assert [each["y"] for each in examples] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2]
    assert labels[9] == 10
    write_svhn(tmp_path, 3, "extra")
    assert names(Svhn(str(tmp_path / "extra_32x32.mat"), "extra").open()) == [f"extra_32x32.mat row {i}" for i in range(3)]
    check(Svhn(str(tmp_path), "extra", size=16, channels=1))


def test_the_papers_validation_set_is_that_of_the_authors_code(tmp_path: Path) -> None:
    pixels, _ = write_svhn(tmp_path, 12)
    rest, validation = check(Svhn(str(tmp_path), "train-without-validation")), check(Svhn(str(tmp_path), "validation"))
    order = np.arange(12)
    np.random.RandomState(42).shuffle(order)
    assert np.array_equal([each["x"] for each in validation + rest], pixels[order])
    assert names(Svhn(str(tmp_path), "validation").open()) == [f"train_32x32.mat row {i}" for i in order[:5]]


def test_the_authors_order_of_svhn() -> None:
    """As sklearn.utils.shuffle(random_state=RandomState(42)) of the authors' code puts the 73,257 digits."""
    order = np.arange(73_257)
    np.random.RandomState(svhn.AUTHORS_SEED).shuffle(order)
    assert order[:5].tolist() == [18393, 25194, 45083, 1413, 69044]


def test_svhn_too_small_to_split(tmp_path: Path) -> None:
    write_svhn(tmp_path, 5)
    for split in ("validation", "train-without-validation"):
        with pytest.raises(BadData, match="has 5 digits, too few to set 5"):
            Svhn(str(tmp_path), split).open()


def test_another_mat(tmp_path: Path) -> None:
    file = tmp_path / "train_32x32.mat"
    x, y = np.zeros((32, 32, 3, 4), np.uint8), np.ones((4, 1), np.uint8)
    for variables, found in (
        ({"digitStruct": {"bbox": 1}}, r"digitStruct \(1, 1\) struct"),
        ({"X": x}, r"X \(32, 32, 3, 4\) uint8"),
        ({}, "no variables"),
        ({"X": x.transpose(3, 2, 0, 1), "y": y}, r"X \(4, 3, 32, 32\) uint8, y \(4, 1\) uint8"),
        ({"X": x.astype(float), "y": y}, r"X \(32, 32, 3, 4\) float64, y \(4, 1\) uint8"),
        ({"X": x * 1j, "y": y}, r"X \(32, 32, 3, 4\) complex float64, y \(4, 1\) uint8"),
        ({"X": x, "y": y[:3]}, r"X \(32, 32, 3, 4\) uint8, y \(3, 1\) uint8"),
        ({"X": x, "y": np.full((4, 1), "7", object)}, r"X \(32, 32, 3, 4\) uint8, y \(4, 1\) cell"),
    ):
        scipy.io.savemat(file, variables)
        with pytest.raises(BadData, match=rf"train_32x32.mat holds {found}: expected X \(32, 32, 3, N\) uint8"):
            Svhn(path=str(tmp_path)).open()
    version = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM"
    for content, message in (
        (version.ljust(512, b"\0") + b"\x89HDF\r\n\x1a\n" + bytes(500), "MATLAB's version 7.3, which is HDF5"),
        (b"<html>404", "no header"),
    ):
        file.write_bytes(content)
        with pytest.raises(BadData, match=rf"train_32x32.mat is no .mat file that can be used: .*{message}"):
            Svhn(path=str(tmp_path)).open()
    with pytest.raises(BadData, match=r'train_32x32.mat is not test_32x32.mat, which the split "test" needs'):
        Svhn(path=str(file), split="test").open()
    scipy.io.savemat(file, {"X": x, "y": y * 0})
    with pytest.raises(Skip, match="label 0: expected 1 to 10"):
        Svhn(path=str(tmp_path)).open().read(0)


KINDS = ("uint8", "int8", "uint16", "int16", "int32", "uint32", "int64", "uint64", "float32", "float64")


@given(st.sampled_from(KINDS), st.lists(st.integers(0, 5), min_size=2, max_size=4), st.text("aZ_9", max_size=20), st.booleans())
def test_mat_files_are_read_as_scipy_reads_them(
    tmp_path_factory: pytest.TempPathFactory, kind: str, shape: list[int], rest: str, compress: bool
) -> None:
    """SciPy writes them, too."""
    file = tmp_path_factory.getbasetemp() / "any.mat"
    array = (np.random.default_rng(0).random(shape) * 100).astype(kind)
    variables = {"a" + rest: array, "s": {"f": 1.0}, "c": np.array(["q", 1], object)}
    scipy.io.savemat(file, variables, do_compression=compress)
    found = {each.name: each for each in mat.variables(file)}
    assert sorted(found) == sorted(variables)
    assert (found["s"].kind, found["c"].kind) == ("struct", "cell")
    loaded = mat.load(file, found["a" + rest])
    assert loaded.dtype == kind
    assert np.array_equal(loaded, scipy.io.loadmat(file)["a" + rest])
    with pytest.raises(BadData, match="there is no array s"):
        mat.load(file, found["s"])


# STL-10


def test_stl10(tmp_path: Path) -> None:
    pixels, labels = write_stl10(tmp_path / stl10.FOLDER, 4)
    dataset = Stl10(path=str(tmp_path))
    examples = check(dataset)
    assert np.array_equal([each["x"] for each in examples], pixels)
    assert [each["y"] + 1 for each in examples] == labels.tolist()
    assert dataset.open().classes == {"y": stl10.NAMES}
    assert len(pickle.dumps(dataset.open().part(0, 4))) < 3000
    check(Stl10(path=str(tmp_path / stl10.FOLDER), size=32, channels=1))
    write_stl10(tmp_path, 3, "unlabeled")
    unlabelled = Stl10(path=str(tmp_path / stl10.FOLDER), split="unlabeled")
    with pytest.raises(DataNotFound, match=r"unlabeled_X.bin"):
        unlabelled.open()
    assert [list(each) for each in check(Stl10(str(write_unlabelled(tmp_path)), "unlabeled"))] == [["x"]] * 3


def write_unlabelled(folder: Path) -> Path:
    write_stl10(folder / "u", 3, "unlabeled")
    return folder / "u"


def test_stl10_damaged(tmp_path: Path) -> None:
    write_stl10(tmp_path, 4)
    for name, size, message in (
        ("train_X.bin", 3 * 27648, "has 3 pictures and train_y.bin 4 labels"),
        ("train_X.bin", 100, "has 100 bytes, expected a multiple of 27,648"),
        ("train_X.bin", 0, "has 0 bytes"),
    ):
        os.truncate(tmp_path / name, size)
        with pytest.raises(BadData, match=message):
            Stl10(path=str(tmp_path)).open()
    os.truncate(write_unlabelled(tmp_path) / "unlabeled_X.bin", 2 * 27648)
    with pytest.raises(BadData, match="has 55,296 bytes, expected 82,944"):
        Stl10(str(tmp_path / "u"), "unlabeled").open()
    with pytest.raises(DataNotFound, match=r"tar -xzf stl10_binary.tar.gz"):
        Stl10(str(tmp_path / "train_X.bin")).open()


# Downsampled ImageNet


@pytest.mark.parametrize("compress", [True, False])
def test_imagenet(tmp_path: Path, compress: bool) -> None:
    data, labels = write_imagenet(tmp_path, (3, 1, 4, 2, 5, 1, 1, 1, 1, 2), compress=compress)
    dataset = ImageNet32(path=str(tmp_path), size=8)
    examples = check(dataset)
    assert np.array_equal([each["x"].reshape(-1) for each in examples], data)
    assert [each["y"] + 1 for each in examples] == labels.tolist()
    assert names(dataset.open())[2:5] == [f"train_data_batch_{n}.npz row {i}" for n, i in ((1, 2), (2, 0), (3, 0))]
    check(ImageNet32(path=str(tmp_path), size=16, channels=1))
    check(ImageNet64(path=str(tmp_path)))
    (tmp_path / "train_data_batch_4.npz").rename(tmp_path / "val_data.npz")
    validation = ImageNet32(path=str(tmp_path), split="val")
    assert len(check(validation)) == 2
    assert validation.open().classes["y"][:2] == ("1", "2")
    lines = [f"n{number:08} {number} name_{number}" for number in range(1, 1001)]
    (tmp_path / "map_clsloc.txt").write_text("\n".join(lines[::-1]) + "\n")
    assert validation.open().classes["y"][:2] == ("name_1", "name_2")
    (tmp_path / "map_clsloc.txt").write_text("\n".join(lines[1:]))
    with pytest.raises(BadData, match=r"map_clsloc.txt does not name the classes 1 to 1000"):
        validation.open()


def test_opening_reads_no_pictures(tmp_path: Path) -> None:
    """A damaged one in the middle of a batch comes to light where it is read."""
    pixels = npy(np.zeros((4000, 192), np.uint8))
    write_zip(tmp_path / "val_data.npz", {"data.npy": pixels, "labels.npy": npy(np.ones(4000, int))}, zipfile.ZIP_STORED)
    content = bytearray((tmp_path / "val_data.npz").read_bytes())
    content[500_000] ^= 1
    (tmp_path / "val_data.npz").write_bytes(content)
    source = ImageNet32(str(tmp_path), "val", size=8).open()
    assert len(source) == 4000
    source.part(0, 1000)
    with pytest.raises(BadData, match=r"val_data.npz is damaged: Bad CRC-32.*Download it again"):
        source.part(1000, 4000)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="open files cannot be counted here")
def test_files_are_closed(tmp_path: Path) -> None:
    """At the end, when it has to begin anew, and after damage."""
    for number in range(1, 11):
        write_npz(
            tmp_path / f"train_data_batch_{number}.npz",
            {"data": np.full((40, 192), number, np.uint8), "labels": np.ones(40, int)},
        )
    gc.collect()
    before = num_open()
    source = ImageNet32(str(tmp_path), size=8).open()
    for _ in range(2):
        for start in range(0, 400, 20):
            source.part(start, start + 20)
            assert num_open() <= before + 1
        assert num_open() == before
    for start in (20, 0, 10, 0):
        source.part(start, start + 5)
        assert num_open() == before + 1
    content = bytearray((tmp_path / "train_data_batch_1.npz").read_bytes())
    content[300] ^= 1
    (tmp_path / "train_data_batch_1.npz").write_bytes(content)
    with pytest.raises(BadData, match=r"train_data_batch_1.npz is damaged"):
        [source.part(start, start + 10) for start in (0, 10, 20, 30)]
    assert num_open() == before


def test_a_batch_that_cannot_be_read_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_npz(tmp_path / "val_data.npz", {"data": np.zeros((4, 192), np.uint8), "labels": np.ones(4, int)})
    source = ImageNet32(str(tmp_path), "val", size=8).open()

    def refused(*_) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr("io.open", refused)
        with pytest.raises(RunFailed, match=r"val_data\.npz cannot be read now: Too many open files"):
            source.part(0, 4)
    source.part(0, 4)


def num_open() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_other_npz(tmp_path: Path) -> None:
    file, dataset = tmp_path / "val_data.npz", ImageNet32(path=str(tmp_path), split="val", size=8)
    data, labels = np.zeros((4, 192), np.uint8), np.ones(4, int)
    for arrays, message in (
        ({"data": data}, "has no readable labels: .*labels.npy"),
        ({"labels": labels}, "is no .npz with data and labels: .*data.npy"),
        ({"data": data[:, :100], "labels": labels}, r"has data \(4, 100\) uint8: expected \(N, 3 \* S \* S\) uint8"),
        ({"data": data.astype(float), "labels": labels}, r"has data \(4, 192\) float64"),
        ({"data": data[:0], "labels": labels}, r"has data \(0, 192\)"),
        ({"data": np.asfortranarray(data), "labels": labels}, "is no .npz .* column by column"),
        ({"data": data, "labels": labels[:3]}, r"has labels \(3,\) int64: expected \(4,\) whole numbers"),
        ({"data": data, "labels": labels * 0.5}, r"has labels \(4,\) float64"),
    ):
        write_npz(file, arrays)
        with pytest.raises(BadData, match=rf"val_data.npz {message}"):
            dataset.open()
    np.savez(file, data=data, labels=np.array([None] * 4))
    with pytest.raises(BadData, match=r"has labels \(4,\) object"):
        dataset.open()
    for header in ("{'descr': '|u1', 'fortran_order': False, 'shape': (6", "{[]: 1}", "-" * 9000 + "1"):
        start = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
        write_zip(file, {"data.npy": start + bytes(1152), "labels.npy": npy(labels)})
        with pytest.raises(BadData, match="the header of an array is not understood"):
            dataset.open()
    (tmp_path / "val_data").write_bytes(pickle.dumps({"data": [], "labels": []}))
    file.unlink()
    with pytest.raises(
        BadData, match=r"val_data is a batch in Python's pickle format.*get the version in npz format, val_data.npz"
    ):
        dataset.open()
    write_npz(file, {"data": data, "labels": labels * 0})
    with pytest.raises(Skip, match="label 0: expected 1 to 1000"):
        dataset.open().read(0)


def test_batches_that_do_not_belong_together(tmp_path: Path) -> None:
    write_imagenet(tmp_path, (2,) * 10)
    dataset, file = ImageNet32(path=str(tmp_path), size=8), tmp_path / "train_data_batch_7.npz"
    good = file.read_bytes()
    file.unlink()
    with pytest.raises(BadData, match=r"lacks train_data_batch_7.npz: the split has 10 files"):
        dataset.open()
    (tmp_path / "part2.zip").write_bytes(b"")
    with pytest.raises(DataNotFound, match=r"has part2.zip, still packed: extract it there"):
        dataset.open()
    write_imagenet(tmp_path / "train", (2,) * 10)
    assert len(dataset.open()) == 20
    write_imagenet(tmp_path / "again", (2,) * 10)
    with pytest.raises(BadData, match=r"train_data_batch_7.npz is in .*again and in .*train: give the one"):
        dataset.open()
    file.write_bytes((tmp_path / "train_data_batch_3.npz").read_bytes())
    with pytest.raises(BadData, match=r"train_data_batch_7.npz holds the pictures of train_data_batch_3.npz"):
        dataset.open()
    write_npz(file, {"data": np.zeros((1, 768), np.uint8), "labels": np.ones(1, int)})
    with pytest.raises(
        BadData, match=r"train_data_batch_7.npz has pictures of \(3, 16, 16\), train_data_batch_1.npz of \(3, 8, 8\)"
    ):
        dataset.open()
    file.write_bytes(good)
    with pytest.raises(DataNotFound, match="extract the downloaded"):
        ImageNet32(path=str(file)).open()
