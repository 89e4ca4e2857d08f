"""What lies at a path that a user gave."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from ganskit.data import cifar, mnist
from ganskit.data.dataset import Dataset
from ganskit.data.files import printable
from ganskit.data.images import SUFFIXES
from ganskit.data.manifest import MANIFEST
from ganskit.data.prepared import Prepared
from ganskit.errors import UserError


def detect(path: str | Path, size: int, channels: int) -> Dataset:
    """The dataset at `path`, with the shape that a recipe needs: LSUN, CIFAR-10, MNIST, a .zip, or a picture folder.

    Raises UserError when there is nothing, or none of these.
    """
    place = Path(path).expanduser()
    if place.is_file():
        return _file(place, size, channels)
    if not place.is_dir():
        raise UserError(f"{place}: there is no such folder or file.")
    names = sorted(os.listdir(place))
    databases = [name for name in names if (place / name / "data.mdb").is_file()]
    if "data.mdb" in names:
        return _lsun(place, size, channels)
    if databases:
        return _lsun(place / _one_of(place, databases), size, channels)
    if cifar.FOLDER in names or cifar.BATCHES["train"][0] in names:
        return cifar.Cifar10(path=str(place), size=size, channels=channels)
    if any(name.startswith("train-images") and "idx3-ubyte" in name for name in names):
        return mnist.Mnist(path=str(place), size=size, channels=channels)
    if MANIFEST in names and any(name.endswith(".safetensors") for name in names):
        return Prepared.at(place)
    if not names:
        raise UserError(f"{place} is empty: expected pictures, or a dataset as its publisher packs it.")
    from ganskit.data.folder import Folder

    return Folder(path=str(place), name=_name(place), size=size, channels=channels)


def _file(file: Path, size: int, channels: int) -> Dataset:
    if file.name == "data.mdb":
        return _lsun(file.parent, size, channels)
    if file.suffix.lower() == ".zip" or zipfile.is_zipfile(file):
        from ganskit.data.archive import Zip

        return Zip(path=str(file), name=_name(file), size=size, channels=channels)
    if any(suffix in (".tar", ".tgz") for suffix in file.suffixes):
        raise UserError(f"{file} is a tar archive: extract it with tar -xf {file.name}, and give the folder.")
    if file.suffix.lower() in SUFFIXES:
        raise UserError(f"{file} is one picture: give the folder that holds all of them.")
    raise UserError(f"{file} is a file: expected a folder of pictures, a .zip, or a dataset's folder.")


def _lsun(folder: Path, size: int, channels: int) -> Dataset:
    from ganskit.data.lsun import Lsun

    return Lsun(path=str(folder), size=size, channels=channels)


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
