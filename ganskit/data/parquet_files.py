"""Which parquet files belong to a split of a dataset, and which of their columns hold pictures and labels."""

from __future__ import annotations

import importlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from ganskit.data.files import printable
from ganskit.data.listed import Original
from ganskit.errors import BadData, DataNotFound, UserError

_NUMBERED = re.compile(r"(?P<split>.+)-(?P<number>\d{5})-of-(?P<total>\d{5})(-[0-9a-f]+)?\.parquet")
_SPLITS = {  # as the Hub knows them, docs/hub/datasets-file-names-and-splits
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
_KNOWN = {word: split for split, words in _SPLITS.items() for word in words}
_BUFFER_BYTES = 2**20


def files_of(place: Path, split: str) -> tuple[list[Path], int]:
    """The files of a split in a folder, by sorted name, and the number of others; all, when none says of which split it is.

    Raises DataNotFound or BadData: no such split, a file of the numbered ones is missing, or several datasets in the folder.
    """
    if not place.is_dir():
        return [place], 0
    shown = printable(str(place))
    found = sorted(
        file for file in place.rglob("*.parquet") if not any(part.startswith(".") for part in file.relative_to(place).parts)
    )
    if not found:
        raise BadData(f"{shown} holds no .parquet file: expected files such as data/train-00000-of-00005.parquet.")
    wanted = _KNOWN.get(split, split)
    splits = {file: split_of(file.relative_to(place)) for file in found}
    known = sorted({each for each in splits.values() if each})
    chosen = [file for file in found if splits[file] == wanted] if known else found
    if not chosen or (not known and wanted != "train"):
        there = f"has {', '.join(known)}" if known else "says of no file to which split it belongs"
        raise DataNotFound(f'{shown} holds no split "{split}": it {printable(there)}.')
    folders = sorted({str(file.parent) for file in chosen})
    if len(folders) > 1:
        raise BadData(f"{shown} holds several datasets: give the path of one of {', '.join(map(printable, folders))}.")
    _check_complete(chosen)
    return chosen, len(found) - len(chosen)


def split_of(file: Path) -> str:
    """The split that a file's path names, in the Hub's way; "" when it names none.

    >>> split_of(Path("data/train-00000-of-00005-0123456789abcdef.parquet")), split_of(Path("default/val/0000.parquet"))
    ('train', 'validation')
    """
    numbered = _NUMBERED.fullmatch(file.name)
    if numbered:
        return _KNOWN.get(numbered["split"], numbered["split"])
    for part in (file.stem, *reversed(file.parts[:-1])):
        for word in re.split("[^a-z]+", part.lower()):
            if word in _KNOWN:
                return _KNOWN[word]
    return ""


def _check_complete(files: list[Path]) -> None:
    numbered = [each for file in files if (each := _NUMBERED.fullmatch(file.name))]
    totals = {int(each["total"]) for each in numbered}
    if not numbered:
        return
    folder = printable(str(files[0].parent))
    if len(totals) > 1 or len(numbered) < len(files):
        raise BadData(f"{folder} mixes files of several downloads, such as {files[0].name} and {files[-1].name}: keep one.")
    numbers = [int(each["number"]) for each in numbered]
    total = totals.pop()
    missing = sorted(set(range(total)) - set(numbers))
    if missing:
        raise BadData(
            f"{folder}: number {missing[0]:05d} of {total:05d} is missing, and {len(missing) - 1} more. Download it again."
        )
    if len(numbers) > total:
        raise BadData(
            f"{folder} holds {len(numbers)} files of which there should be {total}: some are there twice. Keep one of each."
        )


@frozen
class Columns:
    """What to read from a file; `inside` when the picture is a struct of `bytes` and a path. No `label`: none is wanted."""

    image: str
    inside: bool
    label: str | None = None
    classes: tuple[str, ...] = ()

    @property
    def needed(self) -> list[str]:
        """As parquet names them."""
        return [f"{self.image}.bytes" if self.inside else self.image, *([self.label] if self.label is not None else [])]


def opened(original: Original) -> Any:  # noqa: ANN401 - pyarrow has no types
    """A `pyarrow.parquet.ParquetFile`. Raises BadData, or UserError without pyarrow."""
    try:
        pyarrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise UserError('Reading parquet files takes pyarrow: pip install "ganskit[parquet]"') from error
    original.open().close()  # it is there, and unchanged
    try:
        stream = pyarrow.OSFile(os.fsencode(original.file))
        # With a buffer it reads a column piece by piece, and else at once: gigabytes, if somebody made one row group.
        return parquet.ParquetFile(stream, buffer_size=_BUFFER_BYTES, pre_buffer=False)
    except Exception as error:
        raise damaged(original, error) from error


def damaged(original: Original, error: Exception) -> BadData:
    """What to raise when pyarrow cannot read a file."""
    words = printable(" ".join(str(error).split()).rstrip(".") or type(error).__name__)
    size = f"{original.num_bytes:,} bytes"
    return BadData(f"{original.title} ({size}) is no parquet file, or is damaged or cut short: {words}. Download it again.")


def columns_of(original: Original, image: str | None, label: str | None, labels: bool) -> Columns:
    """The columns of a file that hold pictures and, with `labels`, labels; `image` and `label` name them, None finds them.

    Raises BadData when there is none or it is of another type, UserError when there are several.
    """
    schema = opened(original).schema_arrow
    features = _features(schema)
    types = {each.name: each.type for each in schema}
    where = original.title
    if len(types) < len(schema):
        raise BadData(f"{where} has two columns of one name.")
    pictures = [name for name in types if _feature(features, name) == "Image"] or [n for n, t in types.items() if _is_picture(t)]
    chosen = _choose(where, "image", image, pictures, types)
    if not _is_picture(types[chosen]):
        raise BadData(f'{where}: column "{chosen}" holds {types[chosen]}, expected the bytes of picture files.')
    inside = str(types[chosen]).startswith("struct")
    if not labels:
        return Columns(chosen, inside)
    numbers = [name for name in types if _feature(features, name) == "ClassLabel"]
    numbers = numbers or [name for name, kind in types.items() if _is_whole(kind)]
    named = _choose(where, "label", label, numbers, types)
    if not _is_whole(types[named]):
        raise BadData(f'{where}: column "{named}" holds {types[named]}, expected whole numbers. Name another: --set label=...')
    feature = features.get(named)
    names = feature.get("names") if isinstance(feature, dict) else None
    return Columns(chosen, inside, named, tuple(map(str, names)) if isinstance(names, list) else ())


def _choose(where: str, option: str, wanted: str | None, found: list[str], types: Mapping[str, Any]) -> str:
    columns = printable(", ".join(f"{name} ({str(kind)[:40]})" for name, kind in types.items()))
    if wanted is not None:
        if wanted not in types:
            raise UserError(f'{where} has no column "{printable(wanted)}". It has: {columns}.')
        return wanted
    if not found:
        raise BadData(f"{where} has no {option} column. It has: {columns}. Name one: --set {option}=...")
    if len(found) > 1:
        raise UserError(
            f"{where} has several {option} columns: {printable(', '.join(found))}. Name one: --set {option}={found[0]}"
        )
    return found[0]


def _features(schema: Any) -> dict[str, Any]:  # noqa: ANN401 - pyarrow has no types
    """What `datasets` notes about the columns; nothing, when another program wrote the file."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return {}
    return features if isinstance(features, dict) else {}


def _feature(features: dict[str, Any], name: str) -> str:
    feature = features.get(name)
    return str(feature.get("_type", "")) if isinstance(feature, dict) else ""


def _is_picture(kind: Any) -> bool:  # noqa: ANN401 - pyarrow has no types
    inner = {each.name: str(each.type) for each in kind} if str(kind).startswith("struct") else {"bytes": str(kind)}
    return inner.get("bytes") in ("binary", "large_binary")


def _is_whole(kind: Any) -> bool:  # noqa: ANN401 - pyarrow has no types
    return str(kind) in {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
