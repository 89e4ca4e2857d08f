"""What lies at a path that a user gave."""

from __future__ import annotations

import importlib
import os
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import frozen

from ganskit.data.dataset import Dataset
from ganskit.data.files import printable
from ganskit.data.home import expanded
from ganskit.data.images import SUFFIXES
from ganskit.data.manifest import MANIFEST
from ganskit.data.pictures import is_picture
from ganskit.data.prepared import Prepared
from ganskit.errors import UserError


@frozen
class _Rule:
    """A folder with a name in it that matches `holds` is a `dataset` (module:class of ganskit.data)."""

    holds: str
    dataset: str


_RULES = (
    _Rule(r"cifar-10-batches-bin|data_batch_1\.bin", "cifar:Cifar10"),
    _Rule(r"cifar-100-binary|fine_label_names\.txt", "cifar:Cifar100"),
    _Rule(r"(train|t10k)-images.idx3-ubyte(\.gz)?", "mnist:Mnist"),
    _Rule(r"(train|extra|test)_32x32\.mat", "svhn:Svhn"),
    _Rule(r"stl10_binary|(train|test|unlabeled)_X\.bin", "stl10:Stl10"),
    _Rule(r"(train_data_batch_1|val_data)\.npz", "imagenet_npz:ImageNet32"),
    _Rule(r"ILSVRC2012_img_train\.tar|n\d{8}\.tar", "imagenet:ImageNet"),
    _Rule(r"train[AB]|test[AB]", "domains:TwoDomains"),
)
_PLACES = (
    _Rule(r"img_align_celeba(\.zip|_png)?|img_celeba", "celeba:CelebA"),
    _Rule(r"lfw|lfw[-_]funneled|lfw-deepfunneled", "lfw:Lfw"),
    _Rule(r"facades", "pairs:Facades"),
)
"""Such a name may be the folder's own, too."""
_SHARDS = (_Rule(r".*\.parquet", "parquet:Parquet"), _Rule(r".*\.tar", "webdataset:WebDataset"))
"""Files of general names: a folder of pictures may have one beside them."""
_PICKLED = re.compile(r"cifar-100?-python(\.tar\.gz)?|cifar-10-batches-py")
_IS_PICKLED = (
    "CIFAR's Python version, which is pickled and not read. Get the binary version: ganskit data fetch cifar10 (or cifar100)"
)
_FILES = (
    _Rule(r"data\.mdb|.*_lmdb\.zip", "lsun:Lsun"),
    _Rule(r"cifar-10-binary\.tar\.gz", "cifar:Cifar10"),
    _Rule(r"cifar-100-binary\.tar\.gz", "cifar:Cifar100"),
    _Rule(r"train_32x32\.mat", "svhn:Svhn"),
    _Rule(r"ILSVRC2012_img_train\.tar", "imagenet:ImageNet"),
    _Rule(r"img_align_celeba\.zip", "celeba:CelebA"),
)
_NAMED = ("Folder", "Zip", "Parquet", "WebDataset")


def detect(path: str | Path, size: int | None = None, channels: int | None = None) -> Dataset:
    """The dataset at `path`, with the shape that a recipe needs: one as its publisher packs it, a store, or pictures.

    None stands for the dataset's own size or channels. Raises UserError when there is nothing, or none of these.
    """
    place = expanded(path)
    try:
        return _detected(place, {"size": size, "channels": channels})
    except PermissionError as error:
        raise UserError(f"{printable(str(error.filename))} may not be read by you: {error.strerror}.") from error


def _detected(place: Path, shape: dict[str, int | None]) -> Dataset:
    def made(dataset: str, at: Path = place) -> Dataset:
        module, _, name = dataset.partition(":")
        cls = getattr(importlib.import_module(f"ganskit.data.{module}"), name)
        called = {"name": _name(place)} if name in _NAMED else {}
        found: Dataset = cls(path=str(at), **called, **{key: value for key, value in shape.items() if value is not None})
        return found

    if place.is_file():
        return _of_file(place, made)
    if not place.is_dir():
        raise UserError(f"{place}: there is no such folder or file.")
    names = sorted(os.listdir(place))
    if not names:
        raise UserError(f"{place} is empty: expected pictures, or a dataset as its publisher packs it.")
    if MANIFEST in names and any(name.endswith(".safetensors") for name in names):
        return Prepared.at(place)
    databases = [name for name in names if os.path.isfile(place / name / "data.mdb")]
    if "data.mdb" in names or databases:
        return made("lsun:Lsun", place if "data.mdb" in names else place / _one_of(place, databases))
    if (place / "Img").is_dir() and "Anno" in names:
        return made("celeba:CelebA")
    if any(_PICKLED.fullmatch(name) for name in (place.name, *names)):
        raise UserError(f"{place} is {_IS_PICKLED}")
    found = _first(_PLACES, [place.name]) or _first(_RULES + _PLACES, names)
    if found is None and not any(is_picture(name) for name in names):
        inner = [name for name in names if (place / name).is_dir() and not name.startswith(".")]
        if inner == ["data"]:  # where the Hub keeps parquet files
            names = os.listdir(place / "data")
        found = _first(_SHARDS, names) if inner in ([], ["data"]) else None
    if found is None and any((place / name / "train_data_batch_1.npz").is_file() for name in names):
        found = "imagenet_npz:ImageNet32"
    if found == "imagenet_npz:ImageNet32" and "64" in place.name:
        found = "imagenet_npz:ImageNet64"
    if found == "mnist:Mnist" and "fashion" in place.name.lower():  # their files have the same names
        found = "mnist:FashionMnist"
    return made(found or "folder:Folder")


def _of_file(file: Path, made: Callable[..., Dataset]) -> Dataset:
    from ganskit.data.lsun import is_packed

    if _PICKLED.fullmatch(file.name):
        raise UserError(f"{file} is {_IS_PICKLED}")
    found = _first(_FILES + _SHARDS, [file.name])
    if found or is_packed(file):
        return made(found or "lsun:Lsun")
    if file.suffix.lower() == ".zip" or zipfile.is_zipfile(file):
        return made("archive:Zip")
    if any(suffix in (".tar", ".tgz") for suffix in file.suffixes):
        raise UserError(f"{file} is a compressed tar archive: extract it with tar -xf {file.name}, and give the folder.")
    if file.suffix.lower() in SUFFIXES:
        raise UserError(f"{file} is one picture: give the folder that holds all of them.")
    raise UserError(f"{file} is a file: expected a folder of pictures, a .zip, or a dataset as its publisher packs it.")


def _first(rules: Sequence[_Rule], names: Sequence[str]) -> str | None:
    return next((rule.dataset for rule in rules if any(re.fullmatch(rule.holds, name) for name in names)), None)


def _one_of(place: Path, databases: list[str]) -> str:
    """The only database, or the only one to train on."""
    train = [name for name in databases if name.endswith("_train_lmdb")]
    for choice in (databases, train):
        if len(choice) == 1:
            return choice[0]
    raise UserError(f"{place} holds several databases: {', '.join(map(printable, databases))}. Give the path of one.")


def _name(place: Path) -> str:
    """What to call the store: the folder's or the archive's own name."""
    return printable(place.absolute().stem if place.is_file() else place.absolute().name)
