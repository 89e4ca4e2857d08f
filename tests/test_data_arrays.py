"""The datasets that are published as raw arrays, on tiny files in each publisher's format."""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve
from data_samples import idx, write_cifar, write_mnist
from hypothesis import given, settings
from hypothesis import strategies as st
from samples_arrays import check, names, same, write_cifar100, write_imagenet, write_npz, write_stl10, write_svhn, write_tar

from ganskit.data import Cifar10, Dataset, Mnist, Skip, Source, cifar
from ganskit.data.arrays import Arrays
from ganskit.data.cifar import Cifar100
from ganskit.data.dataset import part_of
from ganskit.data.imagenet_npz import ImageNet32, ImageNet64
from ganskit.data.mnist import CLOTHES, FashionMnist
from ganskit.data.prepare import prepare
from ganskit.data.stl10 import Stl10
from ganskit.data.svhn import Svhn
from ganskit.errors import BadData, DataNotFound, UserError


@pytest.fixture(autouse=True, scope="module")
def small() -> Iterator[None]:
    """The published counts, where they are checked, made small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cifar, "ROWS_PER_FILE", 4)
        patch.setattr(cifar, "ROWS_100", {"train": 6, "test": 3})
        yield


# What all have in common


def test_a_store_holds_what_the_source_reads(tmp_path: Path) -> None:
    """Rows of several files, and one that has to be left out."""
    data, labels = write_imagenet(tmp_path, (3, 1, 4, 2, 1, 1, 1, 1, 1, 1))
    labels[3] = 1001
    write_npz(tmp_path / "train_data_batch_2.npz", {"data": data[3:4], "labels": labels[3:4]})
    store = prepare(ImageNet32(path=str(tmp_path), size=8), workers=1, progress=False)
    kept = [i for i in range(16) if i != 3]
    stored = store.gather(np.arange(15))
    assert np.array_equal(stored["x"].numpy().reshape(15, -1), data[kept])
    assert np.array_equal(stored["y"].numpy(), labels[kept] - 1)
    assert store.manifest.skipped == (("train_data_batch_2.npz row 0", "label 1001: expected 1 to 1000"),)


@pytest.mark.parametrize("dataset", [Mnist, FashionMnist, Cifar10, Cifar100, Svhn, Stl10, ImageNet32, ImageNet64])
def test_options_and_missing_files(dataset: type[Arrays], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path))
    for place in (None, str(tmp_path)):
        with pytest.raises(DataNotFound) as error:
            dataset(path=place).open()
        assert str(tmp_path / "originals" / dataset.entry) in str(error.value)
        assert "--data PATH" in str(error.value)
    for wrong in ({"split": "trian"}, {"size": 0}, {"channels": 2}):
        with pytest.raises(UserError, match=f"{dataset.__name__}: {next(iter(wrong))} is"):
            dataset(**wrong)


# CIFAR-10


def test_cifar10(tmp_path: Path) -> None:
    rows = write_cifar(tmp_path / cifar.FOLDER, 4, cifar.BATCHES["train"])
    dataset = Cifar10(path=str(tmp_path))
    examples = check(dataset)
    assert np.array_equal([each["x"].reshape(-1) for each in examples], rows[:, 1:])
    assert [each["y"] for each in examples] == rows[:, 0].tolist()
    source = dataset.open()
    assert source.classes == {"y": cifar.NAMES}
    assert source.transform == "none"
    assert source.name(7) == "data_batch_2.bin row 3"
    assert len(pickle.dumps(source.part(0, 20))) < 3000
    resized = Cifar10(path=str(tmp_path), size=16, channels=1)
    check(resized)
    assert "16 x 16" in resized.open().transform


def test_an_example_is_ones_own(tmp_path: Path) -> None:
    """Who changes it does not change the dataset."""
    write_cifar(tmp_path / cifar.FOLDER, 4, cifar.BATCHES["test"])
    write_mnist(tmp_path, 3)
    for dataset in (Cifar10(str(tmp_path), "test"), Mnist(str(tmp_path))):
        source = dataset.open()
        before = source.read(0)["x"].copy()
        source.read(0)["x"][:] = 0
        assert np.array_equal(source.read(0)["x"], before)


def test_cifar10_damaged(tmp_path: Path) -> None:
    folder = tmp_path / cifar.FOLDER
    write_cifar(folder, 4, cifar.BATCHES["test"])
    with pytest.raises(DataNotFound, match=r"cifar-10-binary.tar.gz"):
        Cifar10(path=str(tmp_path)).open()
    file, dataset = folder / "test_batch.bin", Cifar10(path=str(folder), split="test")
    data = bytearray(file.read_bytes())
    data[3073] = 77
    file.write_bytes(data)
    with pytest.raises(Skip, match="label 77: expected 0 to 9"):
        dataset.open().read(1)
    source = dataset.open()
    os.truncate(file, 100)
    with pytest.raises(BadData, match=r"test_batch.bin became shorter"):
        source.read(1)
    with pytest.raises(BadData, match=r"test_batch.bin has 100 bytes, expected 12,292"):
        dataset.open()
    with pytest.raises(DataNotFound, match="no tar archive"):
        Cifar10(path=str(file)).open()


def test_a_batch_that_is_a_copy_is_refused(tmp_path: Path) -> None:
    write_cifar(tmp_path / "c", 4, cifar.BATCHES["train"])
    (tmp_path / "c" / "data_batch_4.bin").write_bytes((tmp_path / "c" / "data_batch_2.bin").read_bytes())
    with pytest.raises(BadData, match=r"data_batch_4.bin begins with the same picture as data_batch_2.bin"):
        Cifar10(path=str(tmp_path / "c")).open()


# CIFAR-100


@pytest.mark.parametrize("below", ["", cifar.FOLDER_100])
def test_cifar100(tmp_path: Path, below: str) -> None:
    rows = write_cifar100(tmp_path / cifar.FOLDER_100, 6)
    dataset = Cifar100(path=str(tmp_path / below))
    examples = check(dataset)
    assert np.array_equal([each["x"].reshape(-1) for each in examples], rows[:, 2:])
    assert [(each["coarse"], each["y"]) for each in examples] == [tuple(row) for row in rows[:, :2].tolist()]
    assert dataset.open().classes == {"y": cifar.FINE, "coarse": cifar.COARSE}
    assert len(cifar.FINE) == len(set(cifar.FINE)) == 100
    assert len(cifar.COARSE) == len(set(cifar.COARSE)) == 20


def test_cifar100_damaged(tmp_path: Path) -> None:
    write_cifar100(tmp_path, 2, "test")
    with pytest.raises(BadData, match=r"test.bin has 6,148 bytes, expected 9,222"):
        Cifar100(path=str(tmp_path), split="test").open()
    write_cifar100(tmp_path, 3, "test")
    (tmp_path / "coarse_label_names.txt").write_text("fish\ntrees\n")
    with pytest.raises(BadData, match=r"coarse_label_names.txt names 2 classes, expected 20"):
        Cifar100(path=str(tmp_path), split="test").open()


@pytest.mark.parametrize("mode", ["w:gz", "w"])
def test_a_downloaded_cifar_archive_gives_what_its_folder_gives(tmp_path: Path, mode: str) -> None:
    folder = tmp_path / cifar.FOLDER_100
    write_cifar100(folder, 6)
    write_cifar100(folder, 3, "test")
    file = write_tar(tmp_path / "cifar-100-binary.tar.gz", folder, mode)
    for split in ("train", "test"):
        packed, extracted = Cifar100(str(file), split), Cifar100(str(folder), split)
        assert all(same(one, other) for one, other in zip(check(packed), check(extracted), strict=True))
        assert packed.open().classes == extracted.open().classes
        assert names(packed.open()) == names(extracted.open())
    with pytest.raises(BadData, match=r"has no data_batch_1.bin of 12,292 bytes"):
        Cifar10(path=str(file)).open()


# MNIST and Fashion-MNIST


@pytest.mark.parametrize("compress", [True, False])
def test_mnist(tmp_path: Path, compress: bool) -> None:
    digits, labels = write_mnist(tmp_path, 6, compress=compress)
    for plain, padded in zip(check(Mnist(str(tmp_path), size=28)), check(Mnist(str(tmp_path))), strict=True):
        assert np.array_equal(np.pad(plain["x"], ((0, 0), (2, 2), (2, 2))), padded["x"])
    examples = check(Mnist(str(tmp_path), size=28))
    assert np.array_equal([each["x"][0] for each in examples], digits)
    assert [each["y"] for each in examples] == labels.tolist()
    large = Mnist(path=str(tmp_path), size=64, channels=3)
    check(large)
    assert large.open().transform == "padded with zeros to 32 x 32, then resized to 64 x 64, antialiased bicubic"


def test_fashion_mnist(tmp_path: Path) -> None:
    write_mnist(tmp_path, 5)
    digits, clothes = Mnist(str(tmp_path)), FashionMnist(str(tmp_path))
    assert all(same(one, other) for one, other in zip(check(digits), check(clothes), strict=True))
    assert clothes.provides()["y"].classes == CLOTHES
    assert prepare(clothes, progress=False).path.name.startswith("fashionmnist-")


def test_mnist_damaged(tmp_path: Path) -> None:
    images_file, labels_file = (tmp_path / f"t10k-{name}-ubyte" for name in ("images-idx3", "labels-idx1"))
    dataset = Mnist(path=str(tmp_path), split="test")
    with pytest.raises(DataNotFound, match=r"train-images-idx3-ubyte\.gz"):
        dataset.open()
    write_mnist(tmp_path, 5, "t10k", compress=False)
    good = images_file.read_bytes()
    for damaged, message in (
        (good + b"\0", "does not hold"),
        (b"\0\0\x08\x01" + good[4:], "no idx file"),
        (idx(np.zeros((5, 20, 28), dtype=np.uint8)), r"holds \(5, 20, 28\)"),
        (good[:4] + b"\xff\xff\xff\xff" + good[8:], "holds"),
        (idx(np.zeros((4, 28, 28), dtype=np.uint8)), "do not belong together"),
    ):
        images_file.write_bytes(damaged)
        with pytest.raises(BadData, match=message):
            dataset.open()
    images_file.write_bytes(good)
    labels_file.write_bytes(idx(np.full(5, 12, dtype=np.uint8)))
    with pytest.raises(Skip, match="label 12: expected 0 to 9"):
        dataset.open().read(0)


# Damage


def _archive(folder: Path) -> None:
    write_cifar100(folder / cifar.FOLDER_100, 6)
    write_tar(folder / "cifar.tar.gz", folder / cifar.FOLDER_100)


FORMATS: list[tuple[Callable[[Path], object], str, Dataset]] = [
    (lambda folder: write_mnist(folder, 2), "*.gz", Mnist()),
    (lambda folder: write_mnist(folder, 2, compress=False), "*ubyte", Mnist()),
    (lambda folder: write_cifar100(folder, 6), "*.bin", Cifar100()),
    (_archive, "*.gz", Cifar100("cifar.tar.gz")),
    (lambda folder: write_svhn(folder, 2), "*.mat", Svhn()),
    (lambda folder: write_svhn(folder, 2, compress=False), "*.mat", Svhn()),
    (lambda folder: write_stl10(folder, 1), "*.bin", Stl10()),
    (lambda folder: write_imagenet(folder, (2,) * 10), "*.npz", ImageNet32(size=8)),
    (lambda folder: write_imagenet(folder, (2,) * 10, compress=True), "*.npz", ImageNet32(size=8)),
]


@settings(max_examples=100)
@given(st.data())
def test_a_file_cut_or_changed_anywhere_is_named_or_does_no_harm(data: st.DataObject) -> None:
    """Refused with its name; or read, as a changed pixel is, and a cut in what is not needed."""
    write, pattern, dataset = data.draw(st.sampled_from(FORMATS))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder)
        damaged = evolve(dataset, path=str(folder / (dataset.path or "")))
        before = everything(damaged)
        file = data.draw(st.sampled_from(sorted(folder.glob(pattern))))
        content = bytearray(file.read_bytes())
        place = data.draw(st.integers(0, 400) | st.integers(0, 10**6)) % len(content)
        change = data.draw(st.just(0) | st.integers(1, 255))
        if change:
            content[place] ^= change
        else:
            del content[place:]
        file.write_bytes(content)
        after = everything(damaged)
    if isinstance(after, str):
        assert file.name in after
    else:
        assert len(after) == len(before)
        assert change or all(map(same, before, after))


def everything(dataset: Dataset) -> list[dict[str, np.ndarray]] | str:
    """All examples; the message when they cannot be read."""
    try:
        source = dataset.open()
        return [read(source, i) for i in range(len(source))]
    except (BadData, DataNotFound) as error:
        return str(error)


def read(source: Source, index: int) -> dict[str, np.ndarray]:
    """One example, empty if it is skipped."""
    try:
        return part_of(source, index, index + 1).read(0)
    except Skip:
        return {}
