"""Tiny files in the formats that publishers use, for the tests of the data layer."""

from __future__ import annotations

import gzip
import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from attrs import frozen
from PIL import Image

from ganskit.data import Dataset, Field, Skip, Source
from ganskit.data.cifar import NAMES


def noise(seed: int, *shape: int) -> np.ndarray:
    """uint8 of this shape, the same for the same seed."""
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def picture(seed: int = 0, width: int = 24, height: int = 16, mode: str = "RGB") -> Image.Image:
    """A smooth picture, so that lossy formats keep it nearly as it is."""
    image = Image.fromarray(noise(seed, 3, 3, 3)).resize((width, height), Image.Resampling.BILINEAR)
    return image.convert(mode)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The bytes of a picture's file."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def fill(folder: Path, count: int, first: int = 0) -> Path:
    """`count` PNG pictures in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(first, first + count):
        (folder / f"{index:04d}.png").write_bytes(encoded(picture(index)))
    return folder


def write_lmdb(folder: Path, values: list[bytes]) -> Path:
    """An LMDB as LSUN's: each value under the SHA-1 of something, as 40 hexadecimal digits."""
    import lmdb

    folder.mkdir(parents=True)
    environment = lmdb.open(str(folder), map_size=2**24)
    with environment.begin(write=True) as transaction:
        for index, value in enumerate(values):
            transaction.put(hashlib.sha1(b"%d" % index).hexdigest().encode(), value)
    environment.close()
    return folder


def lsun_order(values: list[bytes]) -> list[bytes]:
    """The values in the order of their keys."""
    return [value for _, value in sorted((hashlib.sha1(b"%d" % i).hexdigest(), v) for i, v in enumerate(values))]


def write_cifar(folder: Path, rows_per_file: int, files: tuple[str, ...]) -> np.ndarray:
    """Batches of CIFAR-10's binary version; returns the rows."""
    folder.mkdir(parents=True)
    rows = noise(1, rows_per_file * len(files), 3073)
    rows[:, 0] %= 10
    for file, part in zip(files, np.split(rows, len(files)), strict=True):
        part.tofile(folder / file)
    (folder / "batches.meta.txt").write_text("\n".join(NAMES) + "\n\n")
    return rows


def idx(array: np.ndarray) -> bytes:
    """An idx file."""
    return np.array([0x800 + array.ndim, *array.shape], dtype=">u4").tobytes() + array.tobytes()


def write_mnist(folder: Path, count: int, prefix: str = "train", *, compress: bool = True) -> tuple[np.ndarray, ...]:
    """Both idx files; returns digits and labels."""
    folder.mkdir(parents=True, exist_ok=True)
    digits, labels = noise(2, count, 28, 28), noise(3, count) % 10
    for name, array in ((f"{prefix}-images-idx3-ubyte", digits), (f"{prefix}-labels-idx1-ubyte", labels)):
        if compress:
            (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
        else:
            (folder / name).write_bytes(idx(array))
    return digits, labels


def write_zip(file: Path, members: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    """A .zip with these members."""
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file


@frozen
class Numbers(Dataset):
    """`count` small examples that need no file; `skip` names those that cannot be used, `fail` the one that raises."""

    count: int = 10
    skip: tuple[int, ...] = ()
    fail: int = -1

    def provides(self) -> dict[str, Field]:
        return {"x": Field((2, 3), pixels=True), "y": Field((), "int64", classes=("even", "odd"))}

    def open(self) -> Source:
        return NumberSource(self)


@frozen
class NumberSource(Source):
    dataset: Numbers
    fingerprint: str = "numbers"

    def __len__(self) -> int:
        return self.dataset.count

    def name(self, index: int) -> str:
        return f"number {index}"

    def read(self, index: int) -> dict[str, np.ndarray]:
        if index in self.dataset.skip:
            raise Skip("left out")
        if index == self.dataset.fail:
            raise KeyError("oops")
        return {"x": noise(index, 2, 3), "y": np.array(index, dtype=np.int64)}
