"""The text files of CelebA, as its authors publish them and as the .csv files that circulate."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import frozen

from ganskit.data.files import printable
from ganskit.data.pictures import is_picture
from ganskit.errors import BadData, DataNotFound

_HEADER = (
    "5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes Bald Bangs Big_Lips Big_Nose Black_Hair Blond_Hair Blurry "
    "Brown_Hair Bushy_Eyebrows Chubby Double_Chin Eyeglasses Goatee Gray_Hair Heavy_Makeup High_Cheekbones Male "
    "Mouth_Slightly_Open Mustache Narrow_Eyes No_Beard Oval_Face Pale_Skin Pointy_Nose Receding_Hairline Rosy_Cheeks Sideburns "
    "Smiling Straight_Hair Wavy_Hair Wearing_Earrings Wearing_Hat Wearing_Lipstick Wearing_Necklace Wearing_Necktie Young"
)
ATTRIBUTES = tuple(_HEADER.split())
SPLITS = ("train", "valid", "test")
_YES_OR_NO = {"-1": 0, "0": 0, "1": 1}
_PARTS = {str(value): value for value in range(len(SPLITS))}
_PAGE = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"


@frozen(eq=False)
class Listing:
    """A list, read: a row of small numbers for each picture, by its name without the suffix."""

    file: Path
    rows: dict[str, bytes]


def attributes_in(file: Path) -> Listing:
    """list_attr_celeba: 40 values for each picture, 1 where the attribute is present and else 0. Raises BadData.

    The authors' file begins with the number of rows, then the attributes' names, and says -1 for no.
    """
    return _read(file, ATTRIBUTES, _YES_OR_NO, headed=True)


def partition_in(file: Path) -> Listing:
    """list_eval_partition: one value for each picture, the index of its part in `SPLITS`. Raises BadData."""
    return _read(file, ("partition",), _PARTS, headed=False)


def find(name: str, folders: Sequence[Path], option: str) -> Path:
    """The list `name`, as .txt or .csv, in the first of `folders` that has it. Raises DataNotFound."""
    for folder in folders:
        for file in (folder / f"{name}.txt", folder / f"{name}.csv"):
            if file.is_file():
                return file
    raise DataNotFound(
        f"{name}.txt (or .csv): not found, and the option `{option}` takes it.\n"
        f"  Looked in:  {', '.join(map(str, folders))}\n"
        f"  Get:        {name}.txt, which is among the downloads at {_PAGE}\n"
        f"  Put it in:  {folders[-1]}"
    )


def _read(file: Path, columns: tuple[str, ...], values: dict[str, int], *, headed: bool) -> Listing:
    try:
        text = file.read_bytes().decode("utf-8-sig", "surrogateescape")
    except OSError as error:
        raise BadData(f"{file} cannot be read: {error.strerror}.") from error
    lines = _lines(text)
    number, first = next(lines, (1, []))
    promised = None
    if len(first) == 1 and re.fullmatch("[0-9]{1,9}", first[0]):
        promised = int(first[0])
        number, first = next(lines, (2, []))
    if headed or (first and not is_picture(first[0])):
        _check_header(f"{file}, line {number}", first, columns)
    elif first:
        lines = itertools.chain([(number, first)], lines)
    rows: dict[str, bytes] = {}
    for number, (name, *words) in lines:
        stem = posixpath.splitext(posixpath.basename(name))[0]
        if len(words) != len(columns) or stem in rows or not values.keys() >= set(words):
            raise BadData(f"{file}, line {number}: {_mistake(printable(name), words, columns, values)}")
        rows[stem] = bytes(map(values.__getitem__, words))
    if promised is not None and promised != len(rows):
        raise BadData(f"{file}: its first line promises {promised:,} rows and there are {len(rows):,}. Download it again.")
    if not rows:
        raise BadData(f"{file} ({len(text):,} characters) has no row. Download it again.")
    return Listing(file, rows)


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """The number and the words of every line that is not blank; commas and spaces separate alike."""
    for number, line in enumerate(text.split("\n"), 1):
        words = line.replace(",", " ").split()
        if words:
            yield number, words


def _check_header(where: str, header: list[str], columns: tuple[str, ...]) -> None:
    """A header holds the names of the columns, and in a .csv that of the pictures' column before them."""
    found = header[1:] if len(header) == len(columns) + 1 else header
    for column, (given, expected) in enumerate(zip(found, columns, strict=False), 1):
        if given != expected:
            raise BadData(f'{where}: column {column} is "{printable(given[:40])}", expected "{expected}".')
    if len(found) != len(columns):
        raise BadData(f"{where}: expected the names of {len(columns)} columns, found {len(found)}.")


def _mistake(name: str, words: list[str], columns: tuple[str, ...], values: dict[str, int]) -> str:
    """What is wrong with a row, in words."""
    if len(words) != len(columns):
        return f"{len(words)} values for {name}, expected {len(columns)}. If it is the last line, the file is cut short."
    for column, word in zip(columns, words, strict=True):
        if word not in values:
            return f'{column} of {name} is "{printable(word[:40])}", expected {", ".join(values)}.'
    return f"a second row for {name}. Take one of them away."
