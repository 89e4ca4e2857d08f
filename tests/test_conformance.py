"""The conformance kit over everything that ganskit itself registers."""

from __future__ import annotations

from pathlib import Path

from ganskit import Dataset, use
from ganskit.registry import Entry
from ganskit.testing import Conformance

from publishers import WRITERS, options

LEAST = 69
"""So many entries there are at least, so that a registry that lost some is noticed."""


class TestBuiltIn(Conformance):
    distribution = "ganskit"

    def test_none_is_missing(self) -> None:
        assert len(self.entries()) >= LEAST

    def dataset(self, entry: Entry, tmp_path: Path) -> Dataset:
        """Those of publishers, from a few files in their formats."""
        if entry.name not in WRITERS:
            return super().dataset(entry, tmp_path)
        return use(entry.name, "dataset", **options(entry.name, tmp_path / "data"), **entry.tiny)
