"""An LMDB, opened to be read: by what it says about itself, before LMDB maps it into memory and believes it."""

from __future__ import annotations

import os
import struct
import weakref
from pathlib import Path
from typing import Any

from ganskit.data.damage import unreadable, words_of
from ganskit.data.files import printable
from ganskit.data.lmdb_pages import pages_needed
from ganskit.errors import BadData

_MAGIC = 0xBEEFC0DE
_AGAIN = "Unpack the download again."
_COPY = "Copy it there with LMDB's mdb_dump, and here with mdb_load."

# Of a 64-bit computer's file: 16 bytes of page header, magic number, version, address, size of the map, and the first
# word of the free list's record, which is the size of a page (lmdb.h and mdb.c of LMDB 0.9: MDB_page, MDB_meta, MDB_db).
_HEADER = struct.Struct("<16xIIQQI")

_environments: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()


def environment(file: str) -> Any:  # noqa: ANN401 - lmdb has no types
    """The database in `file`, shared, because LMDB opens a path only once in a process.

    It takes no lock and writes nothing, so that it works beside a writer and on a disk that cannot be written; pages may
    have any size. Raises BadData for what is no LMDB, or one of another kind of computer.
    """
    import lmdb

    opened = _environments.get(file)
    if opened is None:
        _check_header(Path(file))
        try:
            opened = lmdb.open(file, subdir=False, readonly=True, lock=False, create=False)
        except lmdb.Error as error:
            raise BadData(f"{printable(file)} is not an LMDB that can be read: {words_of(error)}. {_AGAIN}") from error
        _environments[file] = opened
    return opened


def num_records(file: Path) -> int:
    """How many there are. Raises BadData when there are none, and when the file is cut short."""
    opened = environment(str(file))
    pages, statistics = opened.info()["last_pgno"] + 1, opened.stat()
    size, expected = os.path.getsize(file), pages * statistics["psize"]
    # Reading what is missing would kill the process, as the file is mapped into memory. But some pages at the end
    # may never have been written: LMDB leaves out those that were freed before they were used.
    if size < expected:
        _check_records(file, statistics["psize"], pages)
    count: int = statistics["entries"]
    if not count:
        raise BadData(f"{printable(str(file))} is an LMDB without a single record.")
    return count


def _check_records(file: Path, page_bytes: int, pages: int) -> None:
    size = os.path.getsize(file)
    try:
        needed = pages_needed(file, page_bytes, pages) * page_bytes
        missing = f"its records reach to byte {needed:,}" if size < needed else ""
    except ValueError as error:
        missing = str(error)
    except OSError as error:
        raise unreadable(str(file), error) from error
    if missing:
        expected = f"{pages * page_bytes:,}"
        raise BadData(f"{printable(str(file))} is cut short: {size:,} bytes, expected {expected}, and {missing}. {_AGAIN}")


def _check_header(file: Path) -> None:
    try:
        with file.open("rb") as stream:
            start = stream.read(_HEADER.size)
    except OSError as error:
        raise BadData(f"{printable(str(file))} cannot be read: {error.strerror}.") from error
    if len(start) < _HEADER.size:
        raise BadData(f"{printable(str(file))} has only {len(start)} bytes and is not an LMDB. {_AGAIN}")
    magic, version, _, _, page_bytes = _HEADER.unpack(start)
    if magic != _MAGIC:
        if _MAGIC in struct.unpack_from(">II", start, 12):
            raise BadData(f"{printable(str(file))} was made on a computer that stores numbers the other way round. {_COPY}")
        if struct.unpack_from("<I", start, 12)[0] == _MAGIC:
            raise BadData(f"{printable(str(file))} was made on a 32-bit computer. {_COPY}")
        raise BadData(f"{printable(str(file))} is not an LMDB. {_AGAIN}")
    if version != 1:
        raise BadData(f"{printable(str(file))} is an LMDB of version {version}: this computer's LMDB reads version 1. {_COPY}")
    if page_bytes not in [2**power for power in range(8, 17)]:
        raise BadData(f"{printable(str(file))} is a damaged LMDB: pages of {page_bytes:,} bytes. {_AGAIN}")
