"""Tiny tar archives in the formats of ImageNet and WebDataset."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable
from pathlib import Path

from data_samples import encoded, picture

IDS = ("n01440764", "n01443537", "n02084071")


def tar(members: Iterable[tuple[str, bytes]], kind: int = tarfile.GNU_FORMAT) -> bytes:
    """An archive with these files, in this order; a name may be there twice."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=kind, encoding="utf-8", errors="surrogateescape") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def photographs(wordnet_id: str, count: int = 3) -> list[tuple[str, bytes]]:
    """Names and files of one class of ImageNet, such as n01440764_26.JPEG."""
    seed = int(wordnet_id[1:]) % 1000
    return [(f"{wordnet_id}_{7 * i + 5}.JPEG", encoded(picture(seed + i), "JPEG")) for i in range(count)]


def write_imagenet(folder: Path, count: int = 3) -> Path:
    """ILSVRC2012_img_train.tar: a tar with one tar for each class."""
    file = folder / "ILSVRC2012_img_train.tar"
    file.write_bytes(tar((f"{each}.tar", tar(photographs(each, count))) for each in IDS))
    return file


def sample(index: int, label: int | None = 0, **more: bytes) -> list[tuple[str, bytes]]:
    """The files of one sample as webdataset's TarWriter writes them, by sorted suffix."""
    files = {"jpg": encoded(picture(index), "JPEG"), **more}
    if label is not None:
        files["cls"] = str(label).encode()
    return [(f"{index:06d}.{suffix}", data) for suffix, data in sorted(files.items())]


def write_shards(folder: Path, *shards: Iterable[tuple[str, bytes]], name: str = "imagenet-train") -> Path:
    """imagenet-train-000000.tar and so on, in pax format like webdataset's."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, members in enumerate(shards):
        (folder / f"{name}-{number:06d}.tar").write_bytes(tar(members, tarfile.PAX_FORMAT))
    return folder
