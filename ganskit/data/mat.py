"""Arrays of numbers in MATLAB's .mat files of version 5, the ones that `save -v6` and `save -v7` write.

Written out here because SciPy's reader ends the whole process on some damaged files, where a message is due. Source: "MAT-File
Format" (The MathWorks), chapter 1, level 5: a header of 128 bytes, then elements, which are a tag of type and size and
their data; an element may be a zlib stream that holds another.
"""

from __future__ import annotations

import contextlib
import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
from attrs import frozen

from ganskit.data.files import printable
from ganskit.errors import BadData

_MATRIX, _COMPRESSED = 14, 15
_STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_NUMBERS = {
    **{6: "float64", 7: "float32", 8: "int8", 9: "uint8", 10: "int16", 11: "uint16", 12: "int32", 13: "uint32"},
    **{14: "int64", 15: "uint64"},
}
_OTHERS = {1: "cell", 2: "struct", 3: "object", 4: "char", 5: "sparse"}
_COMPLEX = 0x0800
_PIECE = 2**20
_MOST_INFLATED = 1100  # zlib makes at most about 1,030 bytes of one: what promises more is no file to believe
_MAX_SMALL = 4096  # bytes of a name or of dimensions


@frozen
class Variable:
    """One variable of a .mat: its `kind` is a dtype, or a word such as "struct" for what is no array of numbers."""

    name: str
    shape: tuple[int, ...]
    kind: str
    start: int
    """Where in the file its element begins."""

    def __str__(self) -> str:
        return f"{printable(self.name)} {self.shape} {self.kind}"


def variables(file: Path) -> list[Variable]:
    """What a .mat holds; the data are not read. Raises BadData when it is none of version 5, or damaged."""
    found = []
    with _errors_of(file), file.open("rb") as raw:
        order, size = _byte_order(raw), file.stat().st_size
        while (start := raw.tell()) < size:
            element = _Element(raw, order)
            if element.type in (_MATRIX, _COMPRESSED):
                found.append(element.variable(start))
            if element.end > size:
                raise EOFError("it ends too early")
            raw.seek(element.end)
    return found


def load(file: Path, variable: Variable) -> np.ndarray:
    """The array of one of the `variables`, the first dimension varying fastest. Raises BadData when it is damaged."""
    with _errors_of(file), file.open("rb") as raw:
        order = _byte_order(raw)
        raw.seek(variable.start)
        element = _Element(raw, order)
        if element.variable(variable.start) != variable or variable.kind not in _NUMBERS.values():
            raise ValueError(f"there is no array {variable.name}")
        values = element.values(math.prod(variable.shape))
        if not np.can_cast(values.dtype, variable.kind):
            raise ValueError(f"{variable} is stored as {values.dtype}")
        return values.astype(variable.kind, copy=False).reshape(variable.shape, order="F")


class _Element:
    """One variable, from its tag on."""

    def __init__(self, raw: IO[bytes], order: str) -> None:
        self._order, self._raw = order, raw
        self._inflate: zlib._Decompress | None = None
        self._deflated = b""
        self.type, self._size = struct.unpack(order + "II", self._exactly(8))
        self.end = raw.tell() + self._size

    def variable(self, start: int) -> Variable:
        """What its head says: flags and class, dimensions, name."""
        if self.type == _COMPRESSED:
            self._inflate = zlib.decompressobj()
            if struct.unpack(self._order + "II", self._exactly(8))[0] != _MATRIX:
                raise ValueError("a compressed element is no variable")
        flags = self._small("u4")
        number = int(flags[0]) & 0xFF if len(flags) == 2 else 0
        if number not in _NUMBERS and number not in _OTHERS:
            return Variable("?", (), f"of class {number}", start)  # what follows differs from class to class
        kind = _OTHERS[number] if number in _OTHERS else _NUMBERS[number]
        if int(flags[0]) & _COMPLEX:
            kind = f"complex {kind}"
        shape, name = self._small("i4"), self._small("i1")
        if len(shape) < 2:
            raise ValueError("a variable has fewer than two dimensions")
        return Variable(name.tobytes().decode("ascii", "replace"), tuple(shape.tolist()), kind, start)

    def values(self, count: int) -> np.ndarray:
        """The numbers that follow the head, as they are stored, after the checksum has been compared."""
        dtype, size, inline = self._tag()
        if size != count * dtype.itemsize or size > self._size * (_MOST_INFLATED if self._inflate else 1):
            raise ValueError(f"{size:,} bytes of data do not fit")
        values = np.frombuffer(inline[:size], dtype) if inline else np.empty(count, dtype)
        if not inline:
            view = values.view(np.uint8).data
            for place in range(0, size, _PIECE):
                view[place : place + _PIECE] = self._exactly(min(_PIECE, size - place))
        while self._inflate and not self._inflate.eof:
            self._more(_PIECE)
        return values

    def _small(self, expected: str) -> np.ndarray:
        """The next element, a short one of this type."""
        dtype, size, inline = self._tag()
        if size > _MAX_SMALL or size % dtype.itemsize or dtype.str[1:] != expected:
            raise ValueError("the head of a variable is not understood")
        data = inline[:size] if inline else self._exactly(size + -size % 8)[:size]
        return np.frombuffer(data, dtype)

    def _tag(self) -> tuple[np.dtype[np.generic], int, bytes]:
        """Type and size of what comes next, and its bytes if there are four at most: those are in the tag itself."""
        start = self._exactly(8)
        kind, size = struct.unpack(self._order + "II", start)
        inline = b""
        if kind >> 16:
            kind, size, inline = kind & 0xFFFF, kind >> 16, start[4:]
        if kind not in _STORED or (inline and size > 4):
            raise ValueError(f"data of type {kind} are not understood")
        return np.dtype(self._order + _STORED[kind]), size, inline

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            data += self._more(count - len(data))
        return data

    def _more(self, most: int) -> bytes:
        """Some bytes, at least one where there is no zlib stream. Raises EOFError at the end of the file."""
        if not self._inflate:
            data = self._raw.read(most)
            if not data:
                raise EOFError("it ends too early")
            return data
        deflated = self._inflate.unconsumed_tail or self._raw.read(min(_PIECE, self.end - self._raw.tell()))
        data = self._inflate.decompress(deflated, most)
        if not data and not deflated:
            raise EOFError("it ends too early")
        return data


def _byte_order(raw: IO[bytes]) -> str:
    """The sign of the byte order, as NumPy and struct use it, from the header. Raises ValueError for another version."""
    header = raw.read(128)
    order = {b"IM": "<", b"MI": ">"}.get(header[126:128])
    if order is None:
        raise ValueError("it has no header of a .mat file of version 5")
    version = struct.unpack(order + "H", header[124:126])[0]
    if version == 0x0200:
        raise ValueError("it is of MATLAB's version 7.3, which is HDF5; expected version 5")
    if version != 0x0100:
        raise ValueError(f"it is of version {version:#06x}; expected version 5, 0x0100")
    return order


@contextlib.contextmanager
def _errors_of(file: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, ValueError, struct.error, zlib.error) as error:
        raise BadData(f"{file} is no .mat file that can be used: {error}. Download it again.") from error
