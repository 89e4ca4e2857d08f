"""Preparing, killed at random moments and started again: the store is the one of an undisturbed preparation."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import lmdb
import pytest

from ganskit.data import Store

KILLS = 5


def prepare(home: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "ganskit", "data", "prepare", *words, "--workers", "2"]
    environment = os.environ | {"GANSKIT_DATA": str(home)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def the_store(home: Path) -> Store:
    (manifest,) = (home / "stores").glob("*/manifest.json")
    return Store.open(manifest.parent)


def killed(home: Path, *words: str, seed: int) -> list[int]:
    """Kill it five times, each a random time after a further shard was finished; how many there were each time."""
    chance, finished = random.Random(seed), [0]
    for _ in range(KILLS):
        with prepare(home, *words) as process:
            while len(list(home.glob("stores/*/shard-*.safetensors"))) <= finished[-1] and process.poll() is None:
                time.sleep(0.005)
            time.sleep(chance.uniform(0, 0.3))
            assert process.poll() is None, "it was over before it could be killed"
            process.send_signal(signal.SIGKILL)
        assert not list(home.glob("stores/*/manifest.json"))
        finished.append(len(list(home.glob("stores/*/shard-*.safetensors"))))
    return finished[1:]


def same_store_after_kills(tmp_path: Path, *words: str, seed: int) -> Store:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert prepare(whole, *words).wait() == 0
    finished = killed(parts, *words, seed=seed)
    assert finished == sorted(finished)
    kept = {file: file.stat().st_mtime_ns for file in parts.glob("stores/*/shard-*.safetensors")}
    assert prepare(parts, *words).wait() == 0
    expected, found = the_store(whole), the_store(parts)
    found.verify()
    assert [shard.sha256 for shard in found.manifest.shards] == [shard.sha256 for shard in expected.manifest.shards]
    assert found.manifest == expected.manifest
    assert {file: file.stat().st_mtime_ns for file in kept} == kept, "a finished shard was made again"
    return found


@pytest.mark.slow
def test_kills_leave_no_trace(tmp_path: Path) -> None:
    assert len(same_store_after_kills(tmp_path, "portraits", "--set", "num_images=3000", seed=0)) == 3000


@pytest.mark.real
@pytest.mark.slow
def test_kills_on_bedrooms(real: Callable[[str], Path], tmp_path: Path) -> None:
    """The 5,000 photographs of bedrooms in one database, as LSUN packs them."""

    def records() -> Iterator[tuple[bytes, bytes]]:
        for split in ("train", "val"):
            folder = str(real(f"bedroom_{split}_lmdb"))
            with lmdb.open(folder, readonly=True, lock=False) as opened, opened.begin() as transaction:
                yield from transaction.cursor()

    database = tmp_path / "bedroom_train_lmdb"
    with lmdb.open(str(database), map_size=1 << 32) as opened, opened.begin(write=True) as transaction:
        for key, value in records():
            transaction.put(key, value)
    assert len(same_store_after_kills(tmp_path, str(database), "--size", "64", seed=1)) == 5000
