"""The part of a file that has come so far."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from attrs import frozen

from ganskit.data.files import write_whole


@frozen
class Part:
    """What has come so far, and beside it a note of what it is a part of: url, size, and the server's mark of its version."""

    file: Path

    @classmethod
    def of(cls, file: Path) -> Part:
        """The part of `file`, beside it."""
        return cls(file.with_name(f"{file.name}.part"))

    @property
    def _note(self) -> Path:
        return self.file.with_name(self.file.name + ".json")

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return self.file.stat().st_size if self.file.is_file() else 0

    def begin(self, url: str, size: int | None, version: str) -> None:
        """Throw away what there is, and note what comes now."""
        self.file.unlink(missing_ok=True)
        write_whole(self._note, json.dumps({"url": url, "size": size, "version": version}).encode())

    def note(self) -> dict[str, Any]:
        """The note; {} when there is no part that it belongs to."""
        try:
            note: dict[str, Any] = json.loads(self._note.read_bytes())
            return note if self.size and {"url", "size", "version"} <= note.keys() else {}
        except (OSError, ValueError, AttributeError):
            return {}

    def forget(self) -> None:
        """Remove it and its note."""
        self.file.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)
