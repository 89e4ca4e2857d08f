"""CelebA: 202,599 aligned faces of celebrities, forty attributes of each, and a partition, as its authors pack them."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from attrs import field, frozen

from ganskit.data.catalog import not_found
from ganskit.data.celeba_lists import ATTRIBUTES, SPLITS, Listing, attributes_in, find, partition_in
from ganskit.data.dataset import Field
from ganskit.data.files import printable, sha256
from ganskit.data.pictures import Pictures, PictureSource, sorted_names
from ganskit.data.places import contents, place_of
from ganskit.errors import BadData
from ganskit.validators import one_of

PICTURES = ("img_align_celeba.zip", "img_align_celeba", "img_align_celeba_png", "img_celeba")
"""What the authors call them. The archive comes first: one that is cut short is noticed, half a folder is not."""


@frozen
class CelebA(Pictures):
    """CelebA (Liu et al. 2015, "Deep Learning Face Attributes in the Wild").

    `path` is the folder that holds img_align_celeba.zip or the folder extracted from it, or one of these two itself;
    without it `celeba` among the originals in ganskit's data folder. `split` "train", "valid" or "test" takes that part
    of list_eval_partition.txt; `attributes` adds the forty of list_attr_celeba.txt. The lists lie beside the pictures,
    or in the folders Anno and Eval of the authors' download, and may be .csv files. A picture without a row, and a row
    without a picture, are skipped with the reason.
    """

    split: str = field(default="all", validator=one_of("all", *SPLITS))
    attributes: bool = False

    def provides(self) -> dict[str, Field]:
        """`x` (C, size, size) uint8, and with `attributes` `attributes` (40,) uint8, 1 where one is present."""
        forty = Field((len(ATTRIBUTES),), classes=ATTRIBUTES)
        return {"x": self.pixels} | ({"attributes": forty} if self.attributes else {})

    def open(self) -> PictureSource:
        """List the pictures and read the lists that are asked for. Raises DataNotFound or BadData."""
        root = place_of(self.path, "celeba")
        place = _pictures_at(root)
        files, found, num_ignored = contents(place)
        if not found:
            raise not_found("celeba", root)
        names, fingerprint = sorted_names(str(place), found, num_ignored)
        pictures = _by_stem(names, place)
        folders = _beside(root, place)
        partition = partition_in(find("list_eval_partition", folders, "split")) if self.split != "all" else None
        attributes = attributes_in(find("list_attr_celeba", folders, "attributes")) if self.attributes else None
        lists = [each for each in (partition, attributes) if each is not None]
        for each in lists:
            fingerprint = hashlib.sha256(f"{fingerprint} {sha256(each.file)}".encode()).hexdigest()

        stems = pictures.keys() | {stem for each in lists for stem in each.rows}
        if partition is not None:
            part = bytes([SPLITS.index(self.split)])
            stems = {stem for stem in stems if partition.rows.get(stem, part) == part}
        chosen = {stem: pictures.get(stem, f"{stem}.jpg") for stem in sorted(stems)}
        reasons = {name: _why_not(stem, pictures, lists) for stem, name in chosen.items()}
        unusable = {name: reason for name, reason in reasons.items() if reason}
        targets = {"attributes": _matrix(attributes, list(chosen))} if attributes is not None else {}
        return PictureSource(files, list(chosen.values()), self, fingerprint, num_ignored, {}, targets, unusable)


def _pictures_at(root: Path) -> Path:
    """The folder or archive of the pictures, in `root` or in its folder Img, or else `root` itself."""
    if root.is_dir():
        for place in (folder / name for folder in (root, root / "Img") for name in PICTURES):
            if place.exists():
                return place
    return root


def _beside(root: Path, place: Path) -> list[Path]:
    """The folders in which the lists may lie; that in which they should comes last."""
    home = place.absolute().parent
    bases = [home, home.parent] if home.name == "Img" else [home]
    folders = [base / below for base in bases for below in ("Anno", "Eval", "")]
    return [folder for folder in dict.fromkeys((place, root, *folders)) if folder.is_dir()]


def _by_stem(names: Sequence[str], place: Path) -> dict[str, str]:
    """The pictures by the name that the lists know them by; "000001" may be a .png here and a .jpg there."""
    pictures: dict[str, str] = {}
    for name in names:
        other = pictures.setdefault(posixpath.splitext(posixpath.basename(name))[0], name)
        if other != name:
            both = f"{printable(other)} and {printable(name)}"
            raise BadData(
                f"{printable(str(place))} has two pictures of one name: {both}. Take one away, or give the path of one folder."
            )
    return pictures


def _why_not(stem: str, pictures: Mapping[str, str], lists: Sequence[Listing]) -> str:
    """The reason why a picture cannot be used; "" when it can."""
    if stem not in pictures:
        return f"named in {next(each.file.name for each in lists if stem in each.rows)}, and not among the pictures"
    return next((f"has no row in {each.file.name}" for each in lists if stem not in each.rows), "")


def _matrix(listing: Listing, stems: Sequence[str]) -> np.ndarray:
    """Their rows as uint8 (N, 40); zeros for a picture that has none."""
    nothing = bytes(len(ATTRIBUTES))
    rows = b"".join(listing.rows.get(stem, nothing) for stem in stems)
    return np.frombuffer(rows, dtype=np.uint8).reshape(len(stems), len(ATTRIBUTES))
