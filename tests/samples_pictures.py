"""CelebA, LFW, pairs and domains as their publishers lay them out, in tiny, and what to check of any of them."""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from data_samples import encoded, noise, picture
from PIL import Image

from ganskit.data import Dataset, Skip, Source
from ganskit.data.dataset import part_of

ATTRIBUTES = [
    *("5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald", "Bangs", "Big_Lips", "Big_Nose"),
    *("Black_Hair", "Blond_Hair", "Blurry", "Brown_Hair", "Bushy_Eyebrows", "Chubby", "Double_Chin", "Eyeglasses"),
    *("Goatee", "Gray_Hair", "Heavy_Makeup", "High_Cheekbones", "Male", "Mouth_Slightly_Open", "Mustache", "Narrow_Eyes"),
    *("No_Beard", "Oval_Face", "Pale_Skin", "Pointy_Nose", "Receding_Hairline", "Rosy_Cheeks", "Sideburns", "Smiling"),
    *("Straight_Hair", "Wavy_Hair", "Wearing_Earrings", "Wearing_Hat", "Wearing_Lipstick", "Wearing_Necklace"),
    *("Wearing_Necktie", "Young"),
]

HOSTILE_NAMES = (b"two\nlines", "\N{GRINNING FACE}\u202e".encode(), b"n" * 251, b"not utf-8 \xff\xfe", b"tab\tand 'quote\"")
"""Names that file systems allow, without their suffix of four bytes."""


def face(seed: int) -> bytes:
    """A JPEG with the proportions of an aligned CelebA picture, 178 x 218 pixels, at a sixth."""
    return encoded(picture(seed, 30, 36), "JPEG")


def celeba_names(numbers: Iterable[int]) -> list[str]:
    return [f"{number:06d}.jpg" for number in numbers]


def attribute_values(count: int) -> np.ndarray:
    """0 or 1, (count, 40)."""
    return noise(7, count, len(ATTRIBUTES)) % 2


def write_celeba(folder: Path, count: int = 9, lists: str = "txt") -> np.ndarray:
    """The folder img_align_celeba and both lists: two thirds train, then valid and test. Returns the attributes."""
    pictures = folder / "img_align_celeba"
    pictures.mkdir(parents=True)
    names, values = celeba_names(range(1, count + 1)), attribute_values(count)
    for number, name in enumerate(names):
        (pictures / name).write_bytes(face(number))
    write_attributes(folder / f"list_attr_celeba.{lists}", names, values)
    write_partition(
        folder / f"list_eval_partition.{lists}", names, [0 if i < 2 * count // 3 else 1 + i % 2 for i in range(count)]
    )
    return values


def write_attributes(file: Path, names: Iterable[str], values: np.ndarray) -> None:
    """list_attr_celeba.txt, or the .csv.

    The authors' file: the count, the names with a space behind, rows of -1 and 1 in columns of two but for the first,
    lines that end as on Windows. So written, all 202,599 rows make its 26,721,026 bytes.
    """
    named = list(zip(names, values.tolist(), strict=True))
    if file.suffix == ".csv":
        rows = [",".join([name, *map(str, row)]) for name, row in named]
        file.write_text("\n".join([",".join(["image_id", *ATTRIBUTES]), *rows, ""]))
        return
    rows = [" ".join([name, str(2 * row[0] - 1), *(f"{2 * each - 1:2d}" for each in row[1:])]) for name, row in named]
    file.write_text("\n".join([str(len(rows)), " ".join(ATTRIBUTES) + " ", *rows, ""]), newline="\r\n")


def write_partition(file: Path, names: Iterable[str], parts: Iterable[int]) -> None:
    """list_eval_partition.txt, 14 bytes for each of the 202,599 pictures, or the .csv."""
    named = zip(names, parts, strict=True)
    if file.suffix == ".csv":
        file.write_text("\n".join(["image_id,partition", *(f"{name},{part}" for name, part in named), ""]))
    else:
        file.write_text("".join(f"{name} {part}\n" for name, part in named), newline="\r\n")


def write_lfw(folder: Path, people: Mapping[str, int]) -> Path:
    """One folder for each person, who has so many pictures."""
    for seed, (person, count) in enumerate(people.items()):
        (folder / person).mkdir(parents=True)
        for number in range(1, count + 1):
            (folder / person / f"{person}_{number:04d}.jpg").write_bytes(encoded(picture(31 * seed + number, 25, 25), "JPEG"))
    return folder


def beside(left: Image.Image, right: Image.Image) -> Image.Image:
    """One picture of two."""
    both = Image.new(left.mode, (left.width + right.width, left.height))
    both.paste(left, (0, 0))
    both.paste(right, (left.width, 0))
    return both


def write(folder: Path, members: Mapping[str, bytes]) -> Path:
    """Files below a folder."""
    for name, data in members.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def zipped(folder: Path) -> Path:
    """The folder as a .zip beside it."""
    return Path(shutil.make_archive(str(folder), "zip", folder.parent, folder.name))


def hostile(folder: Path, suffix: bytes = b".png") -> list[str]:
    """Small pictures under every hostile name; returns the names as Python sees them."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [os.fsdecode(name + suffix) for name in HOSTILE_NAMES]
    for seed, name in enumerate(names):
        Path(folder, name).write_bytes(encoded(picture(seed)))
    return names


def reasons(source: Source) -> dict[str, str]:
    """Name and reason of every example that is skipped."""
    skipped = {}
    for index in range(len(source)):
        try:
            source.read(index)
        except Skip as reason:
            skipped[source.name(index)] = str(reason)
    return skipped


def names(source: Source) -> list[str]:
    return [source.name(index) for index in range(len(source))]


def check(dataset: Dataset) -> Source:
    """Usable examples are as provided; parts, pickled and read backwards, say the same of each. Returns the source."""
    source, provided = dataset.open(), dataset.provides()
    bad = reasons(source)
    for start, stop in ((0, len(source) // 2), (len(source) // 2, len(source))):
        part = pickle.loads(pickle.dumps(part_of(source, start, stop)))
        assert len(part) == stop - start
        for index in reversed(range(len(part))):
            name = source.name(start + index)
            assert part.name(index) == name
            if name in bad:
                continue
            example, whole = part.read(index), source.read(start + index)
            assert {key: (value.shape, str(value.dtype)) for key, value in example.items()} == {
                key: (each.shape, each.dtype) for key, each in provided.items()
            }
            assert all(np.array_equal(example[key], whole[key]) for key in whole)
        assert reasons(part).items() <= bad.items()
    return source
