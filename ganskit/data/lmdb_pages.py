"""How far into its file the records of an LMDB reach, found without LMDB, which a missing page would kill."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

from attrs import define

# Of a 64-bit computer's file (mdb.c of LMDB 0.9: MDB_meta, MDB_db, MDB_page, MDB_node).
_ROOT, _TRANSACTION = 128, 144  # where one of the first two pages has the root of the records' tree, and its own number
_TREE_ROOT = 40  # where a tree's description has it
_NO_PAGE = 2**64 - 1
_PAGE_HEADER = struct.Struct("<10xHH")  # kind of page, end of the table of nodes
_NODE_HEADER = struct.Struct("<HHHH")  # the value's bytes in two words, flags, the key's bytes
_BRANCH, _LEAF = 0x01, 0x02
_ON_PAGES_OF_ITS_OWN, _A_TREE = 0x01, 0x02


def pages_needed(file: Path, page_bytes: int, most: int) -> int:
    """How many of the first pages hold every record that the last transaction left; other pages may be missing.

    `most` is how many there can be. Reads the inner pages and leaves, no value. Raises ValueError for a page that is
    missing itself, or makes no sense.
    """
    with file.open("rb") as stream:
        tree = _Tree(stream.fileno(), page_bytes, most)
        starts = [tree.page(number) for number in (0, 1)]
        latest = max(starts, key=lambda page: _number(page, _TRANSACTION))
        return 1 + max(tree.pages(_number(latest, _ROOT)), default=1)


@define
class _Tree:
    handle: int
    page_bytes: int
    most: int
    """Pages that may still be looked at: a damaged tree may lead round for ever."""

    def page(self, number: int) -> bytes:
        data = os.pread(self.handle, self.page_bytes, number * self.page_bytes) if number < 2**40 else b""
        if len(data) < self.page_bytes:
            raise ValueError(f"page {number:,} is missing")
        return data

    def pages(self, root: int) -> Iterator[int]:
        """The last page of everything in the tree."""
        waiting = [] if root == _NO_PAGE else [root]
        while waiting:
            number = waiting.pop()
            self.most -= 1
            page = self.page(number)
            kind, table_end = _PAGE_HEADER.unpack_from(page)
            if self.most < 0 or not kind & (_BRANCH | _LEAF):
                raise ValueError(f"page {number:,} is damaged")
            yield number
            try:
                nodes = struct.unpack_from(f"<{max(table_end - 16, 0) // 2}H", page, 16)
                for at in nodes:
                    low, high, flags, key_bytes = _NODE_HEADER.unpack_from(page, at)
                    value_at, value_bytes = at + 8 + key_bytes, low | high << 16
                    if kind & _BRANCH:
                        waiting.append(value_bytes | flags << 32)
                    elif flags & _ON_PAGES_OF_ITS_OWN:
                        yield _number(page, value_at) + (16 + value_bytes - 1) // self.page_bytes
                    elif flags & _A_TREE:
                        waiting.append(_number(page, value_at + _TREE_ROOT))
            except struct.error as error:
                raise ValueError(f"page {number:,} is damaged") from error


def _number(page: bytes, at: int) -> int:
    number: int = struct.unpack_from("<Q", page, at)[0]
    return number
