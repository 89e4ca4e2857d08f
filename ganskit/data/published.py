"""Whether a file is the one that its publisher published."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ganskit.data.known import Remote
from ganskit.errors import BadData

_CHUNK = 2**20


def facts_of(file: Path, remote: Remote, progress: bool = False) -> dict[str, Any]:
    """The file's bytes and SHA-256, its MD5 where only that is published, and `checked_by` what it was found to be the
    published one: "sha256", "md5", "length", or "nothing" when the publisher says none of them.

    Raises BadData when it is another file.
    """
    digests = {"sha256": hashlib.sha256()}
    if remote.md5 and not remote.sha256:
        digests["md5"] = hashlib.md5(usedforsecurity=False)
    size = file.stat().st_size
    with file.open("rb") as stream, bar(f"checking {file.name}", size, progress) as shown:
        while data := stream.read(_CHUNK):
            for digest in digests.values():
                digest.update(data)
            shown.update(len(data))
    facts = {"bytes": size, **{name: digest.hexdigest() for name, digest in digests.items()}}
    published = {"sha256": ("SHA-256", remote.sha256), "md5": ("MD5", remote.md5), "bytes": ("length", remote.size_bytes)}
    for key, (words, expected) in published.items():
        if expected:
            if facts[key] != expected:
                raise BadData(f"{file} is not the published file: its {words} is {facts[key]}, expected {expected}.")
            return facts | {"checked_by": "length" if key == "bytes" else key}
    return facts | {"checked_by": "nothing"}


def bar(name: str, total: int | None, progress: bool) -> tqdm[Any]:
    """A progress bar over bytes, on terminals only."""
    return tqdm(
        desc=name, total=total, unit="B", unit_scale=True, leave=False, dynamic_ncols=True, disable=None if progress else True
    )
