"""The pictures at a place that may be a folder or a .zip file."""

from __future__ import annotations

from pathlib import Path

from ganskit.data.archive import pictures_inside
from ganskit.data.catalog import not_found
from ganskit.data.files import printable
from ganskit.data.folder import pictures_below
from ganskit.data.home import expanded, originals
from ganskit.data.pictures import Files, Found
from ganskit.errors import DataNotFound

_TARS = (".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")


def place_of(path: str | None, name: str) -> Path:
    """Where a dataset is looked for: at `path`, or as `name` among the originals. Raises DataNotFound when it is not there."""
    place = expanded(path) if path is not None else originals(name)
    if place.exists():
        return place
    raise not_found(name, place) if path is None else DataNotFound(f"{printable(str(place))}: there is no such folder or file.")


def contents(place: Path) -> tuple[Files, list[Found], int]:
    """The pictures in a folder or a .zip file, and the number of other files there. Raises DataNotFound or BadData."""
    if place.is_dir():
        return pictures_below(place)
    shown = printable(str(place))
    if place.name.lower().endswith(_TARS):
        raise DataNotFound(f"{shown} is a tar archive: extract it with tar -xf {printable(place.name)}, and give the folder.")
    if not place.is_file():  # a pipe would make us wait for ever
        raise DataNotFound(f"{shown} is neither a folder nor a file.")
    return pictures_inside(place)
