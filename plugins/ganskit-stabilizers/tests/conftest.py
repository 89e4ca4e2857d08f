"""Stores of this session go to a folder of its own; one thread, so that the figures are the same everywhere."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

os.environ["OMP_NUM_THREADS"] = "1"  # torch reads it when it is imported


@pytest.fixture(scope="session", autouse=True)
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A data folder of this session, and no plugins limited."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANSKIT_DATA", str(tmp_path_factory.mktemp("data")))
        patch.delenv("GANSKIT_PLUGINS", raising=False)
        yield
