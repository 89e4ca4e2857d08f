"""Archives in .zip format that are damaged where zipfile does not expect it."""

from __future__ import annotations


def _list_of(data: bytes) -> tuple[int, int]:
    """Where the list of contents begins and ends."""
    end = data.rindex(b"PK\5\6")
    return int.from_bytes(data[end + 16 : end + 20], "little"), end


def bad_utf8(data: bytes) -> bytes:
    """The first member's name is said to be UTF-8, and is not: UnicodeDecodeError."""
    start, _ = _list_of(data)
    return data[: start + 8] + b"\x00\x08" + data[start + 10 : start + 46] + b"\xff\xfe" + data[start + 48 :]


def negative_start(data: bytes) -> bytes:
    """The list is said to begin later than it does, so that the first member begins before the file: OSError."""
    start, end = _list_of(data)
    return data[: end + 16] + (start + 1000).to_bytes(4, "little") + data[end + 20 :]


def without_names(data: bytes, most: int = 10) -> bytes:
    """The first `most` members have no name in the list: IndexError, from ZipInfo.is_dir."""
    start, end = _list_of(data)
    rows, at, count = b"", start, 0
    while at < end:
        name_bytes = int.from_bytes(data[at + 28 : at + 30], "little")
        kept = name_bytes if count >= most else 0
        rows += data[at : at + 28] + kept.to_bytes(2, "little") + data[at + 30 : at + 46] + data[at + 46 : at + 46 + kept]
        at, count = at + 46 + name_bytes, count + 1
    return data[:start] + rows + data[end : end + 12] + len(rows).to_bytes(4, "little") + data[end + 16 :]
