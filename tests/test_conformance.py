"""The conformance kit over everything that ganskit itself registers."""

from __future__ import annotations

import os
from pathlib import Path

from data_samples import encoded, fill, picture, write_cifar, write_lmdb, write_mnist, write_zip

from ganskit import Dataset, use
from ganskit.registry import Entry
from ganskit.testing import Conformance

LEAST = 22
"""So many entries there are at least, so that a registry that lost some is noticed."""


class TestBuiltIn(Conformance):
    distribution = "ganskit"

    def test_none_is_missing(self) -> None:
        assert len(self.entries()) >= LEAST

    def dataset(self, entry: Entry, tmp_path: Path) -> Dataset:
        """Those of publishers, from a few files in their formats."""
        where = tmp_path / "data"
        pictures = {f"{i}.png": encoded(picture(i)) for i in range(5)}
        if entry.name == "folder":
            fill(where, 5)
        elif entry.name == "zip":
            write_zip(where := tmp_path / "data.zip", pictures)
        elif entry.name == "lsun":
            write_lmdb(where, list(pictures.values()))
        elif entry.name == "cifar10":
            write_cifar(where, 4, tuple(f"data_batch_{i}.bin" for i in range(1, 6)))
            for file in where.glob("*.bin"):
                os.truncate(file, 30_730_000)  # in full size, as a fresh process expects it
        elif entry.name == "mnist":
            write_mnist(where, 7)
        else:
            return super().dataset(entry, tmp_path)
        return use(entry.name, "dataset", path=str(where), **entry.tiny)
