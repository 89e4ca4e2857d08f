"""What `--data PATH` takes a path for."""

from __future__ import annotations

from pathlib import Path

import pytest
from data_samples import encoded, fill, picture, write_lmdb, write_zip

from ganskit.data import Prepared
from ganskit.data.detect import detect
from ganskit.data.prepare import prepare
from ganskit.errors import UserError


def touch(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"x")
    return file


@pytest.mark.parametrize(
    ("files", "given", "expected"),
    [
        ("cifar-10-batches-bin/data_batch_1.bin", "", "Cifar10"),
        ("data_batch_1.bin", "", "Cifar10"),
        ("cifar-10-binary.tar.gz", "cifar-10-binary.tar.gz", "Cifar10"),
        ("cifar-100-binary/train.bin", "", "Cifar100"),
        ("train.bin fine_label_names.txt", "", "Cifar100"),
        ("train-images-idx3-ubyte.gz", "", "Mnist"),
        ("Fashion/train-images-idx3-ubyte.gz", "Fashion", "FashionMnist"),
        ("train_32x32.mat test_32x32.mat", "", "Svhn"),
        ("train_32x32.mat", "train_32x32.mat", "Svhn"),
        ("stl10_binary/train_X.bin", "", "Stl10"),
        ("train_data_batch_1.npz", "", "ImageNet32"),
        ("ILSVRC2012_img_train.tar", "", "ImageNet"),
        ("ILSVRC2012_img_train.tar", "ILSVRC2012_img_train.tar", "ImageNet"),
        ("n01440764.tar n01443537.tar", "", "ImageNet"),
        ("img_align_celeba.zip list_attr_celeba.txt", "", "CelebA"),
        ("Img/img_align_celeba.zip Anno/list_attr_celeba.txt", "", "CelebA"),
        ("img_align_celeba/000001.jpg", "img_align_celeba", "CelebA"),
        ("lfw/A_B/A_B_0001.jpg", "", "Lfw"),
        ("lfw/A_B/A_B_0001.jpg", "lfw", "Lfw"),
        ("trainA/1.jpg trainB/1.jpg", "", "TwoDomains"),
        ("train-00000-of-00001.parquet", "", "Parquet"),
        ("data/train-00000-of-00001.parquet README.md", "", "Parquet"),
        ("imagenet-train-000000.tar", "", "WebDataset"),
        ("imagenet-train-000000.tar", "imagenet-train-000000.tar", "WebDataset"),
        ("bedroom_train_lmdb.zip", "bedroom_train_lmdb.zip", "Lsun"),
        ("bedroom_train_lmdb/data.mdb", "", "Lsun"),
        ("bedroom_train_lmdb/data.mdb bedroom_val_lmdb/data.mdb", "", "Lsun"),
        ("bedroom_train_lmdb/data.mdb", "bedroom_train_lmdb", "Lsun"),
        ("bedroom_train_lmdb/data.mdb", "bedroom_train_lmdb/data.mdb", "Lsun"),
        ("cats/1.jpg manifest.json", "", "Folder"),
        ("lfw-like notes.txt", "", "Folder"),
    ],
)
def test_published_layouts(tmp_path: Path, files: str, given: str, expected: str) -> None:
    for name in files.split():
        touch(tmp_path / "place" / name)
    found = detect(tmp_path / "place" / given, 16, 1)
    assert type(found).__name__ == expected
    assert (found.size, found.channels) == (16, 1)
    assert Path(found.path).is_relative_to(tmp_path / "place")


def test_what_holds_pictures_is_called_after_its_place(tmp_path: Path) -> None:
    fill(tmp_path / "pets", 1)
    write_zip(tmp_path / "birds.zip", {"a.png": encoded(picture())})
    touch(tmp_path / "fish.parquet")
    for place, name in (("pets", "pets"), ("birds.zip", "birds"), ("fish.parquet", "fish")):
        assert detect(tmp_path / place, 32, 3).name == name


def test_a_zipped_database_under_any_name(tmp_path: Path) -> None:
    folder = write_lmdb(tmp_path / "lmdb", [b"v"])
    write_zip(tmp_path / "downloaded", {"cat/data.mdb": (folder / "data.mdb").read_bytes()})
    assert type(detect(tmp_path / "downloaded", 32, 3)).__name__ == "Lsun"


def test_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path / "home"))
    store = prepare(detect(fill(tmp_path / "pets", 3), 16, 3))
    assert detect(store.path, 64, 3) == Prepared.at(store.path)


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    fill(tmp_path / "pictures", 1)
    touch(tmp_path / "notes.txt")
    touch(tmp_path / "pictures.tar.gz")
    for category in ("bedroom", "kitchen"):
        touch(tmp_path / "lsun" / f"{category}_train_lmdb" / "data.mdb")
    touch(tmp_path / "store" / "manifest.json")
    touch(tmp_path / "store" / "shard-00000.safetensors")
    for place, message in (
        ("missing", "no such folder or file"),
        ("empty", "is empty"),
        ("pictures/0000.png", "is one picture"),
        ("pictures.tar.gz", r"tar -xf pictures\.tar\.gz"),
        ("notes.txt", "expected a folder"),
        ("lsun", "bedroom_train_lmdb, kitchen_train_lmdb"),
        ("store", r"manifest\.json is damaged"),
    ):
        with pytest.raises(UserError, match=message):
            detect(tmp_path / place, 64, 3)


def test_one_stray_file_does_not_hide_a_folder_of_pictures(tmp_path: Path) -> None:
    fill(tmp_path / "flat", 3)
    fill(tmp_path / "classes" / "cat", 3)
    for folder in ("flat", "classes"):
        touch(tmp_path / folder / "backup.tar")
        touch(tmp_path / folder / "notes.parquet")
        assert type(detect(tmp_path / folder)).__name__ == "Folder"


def test_pickled_versions_are_refused_with_advice(tmp_path: Path) -> None:
    touch(tmp_path / "cifar-10-python.tar.gz")
    touch(tmp_path / "cifar-10-batches-py" / "data_batch_1")
    for place in ("cifar-10-python.tar.gz", "cifar-10-batches-py", "."):
        with pytest.raises(UserError, match=r"is pickled and not read.*binary version"):
            detect(tmp_path / place)


def test_without_a_size_the_dataset_has_its_own(tmp_path: Path) -> None:
    touch(tmp_path / "train-images-idx3-ubyte.gz")
    found = detect(tmp_path)
    assert (found.size, found.channels) == (32, 1)
