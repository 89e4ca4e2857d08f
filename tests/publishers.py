"""A few examples of every dataset, in the format in which its publisher gives it away."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import samples_arrays
import samples_pictures
import samples_tars
from data_samples import encoded, fill, picture, write_cifar, write_lmdb, write_mnist, write_zip
from test_data_parquet import hub

from ganskit.data import Folder
from ganskit.data.boxes import Box, write_table
from ganskit.data.prepare import prepare

Options = dict[str, object]


def folder(where: Path) -> None:
    fill(where, 5)


def archive(where: Path) -> Options:
    where.mkdir()
    return {"path": str(write_zip(where / "data.zip", {f"{i}.png": encoded(picture(i)) for i in range(5)}))}


def lsun(where: Path) -> None:
    write_lmdb(where, [encoded(picture(i)) for i in range(5)])


def celeba(where: Path) -> Options:
    samples_pictures.write_celeba(where)
    return {"attributes": True}


def lfw(where: Path) -> None:
    samples_pictures.write_lfw(where / "lfw", {"Ann_Bee": 3, "Cy": 2})


def imagenet(where: Path) -> None:
    where.mkdir()
    samples_tars.write_imagenet(where)


def small_imagenet(where: Path) -> None:
    samples_arrays.write_imagenet(where, (2,) * 10)


def cifar10(where: Path) -> None:
    write_cifar(where, 4, tuple(f"data_batch_{i}.bin" for i in range(1, 6)))
    for file in where.glob("*.bin"):
        os.truncate(file, 30_730_000)  # in full size, as a fresh process expects it


def cifar100(where: Path) -> None:
    samples_arrays.write_cifar100(where, 4)
    os.truncate(where / "train.bin", 153_700_000)


def svhn(where: Path) -> None:
    samples_arrays.write_svhn(where, 5)


def stl10(where: Path) -> None:
    samples_arrays.write_stl10(where, 4)


def mnist(where: Path) -> None:
    write_mnist(where, 7)


def pairs(where: Path) -> None:
    halves = (samples_pictures.beside(picture(i), picture(i + 50)) for i in range(5))
    samples_pictures.write(where, {f"{i}.png": encoded(each) for i, each in enumerate(halves)})


def facades(where: Path) -> None:
    pairs(where / "train")


def two_domains(where: Path) -> None:
    fill(where / "trainA", 3)
    fill(where / "trainB", 5, first=10)


def parquet(where: Path) -> Options:
    hub(where / "train-00000-of-00001.parquet")
    return {"labels": True}


def webdataset(where: Path) -> Options:
    samples_tars.write_shards(where, samples_tars.sample(0) + samples_tars.sample(1))
    return {"labels": True}


def crops(where: Path) -> Options:
    fill(where, 3)
    write_table([Box(f"{i:04d}.png", 2, 1, 12, 12) for i in range(3)], where / "boxes.csv")
    return {"table": str(where / "boxes.csv")}


def store(where: Path) -> Options:
    return {"path": str(prepare(Folder(path=str(fill(where, 5)), size=8)).path)}


WRITERS: dict[str, Callable[[Path], Options | None]] = {
    "folder": folder,
    "zip": archive,
    "store": store,
    "lsun": lsun,
    "celeba": celeba,
    "lfw": lfw,
    "imagenet": imagenet,
    "imagenet32": small_imagenet,
    "imagenet64": small_imagenet,
    "cifar10": cifar10,
    "cifar100": cifar100,
    "svhn": svhn,
    "stl10": stl10,
    "mnist": mnist,
    "stacked-mnist": mnist,
    "fashion-mnist": mnist,
    "pairs": pairs,
    "facades": facades,
    "two-domains": two_domains,
    "parquet": parquet,
    "webdataset": webdataset,
    "crops": crops,
}
"""What writes the files of a dataset into a new folder, and returns options besides `path`."""


def options(name: str, where: Path) -> Options:
    """Write the files of the dataset `name`; the options with which it reads them."""
    return {"path": str(where)} | (WRITERS[name](where) or {})
