"""What surrounds the making of a store: its lock, the disk's refusals, Ctrl-C."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock

from ganskit.data.room import ELSEWHERE, in_words
from ganskit.errors import RunFailed


@contextlib.contextmanager
def disk_errors(folder: Path, still_needed: Callable[[], int] = lambda: 0) -> Iterator[None]:
    """Turn what the disk refuses into an error that says what to do, and what is missing of the bytes `still_needed`."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            missing = still_needed() - shutil.disk_usage(folder).free
            lacks = f" {in_words(missing)} are missing." if missing > 0 else ""
            raise RunFailed(f"The disk is full: {folder} cannot be finished.{lacks} {ELSEWHERE}") from error
        raise RunFailed(f"{folder} cannot be written: {error}. Set GANSKIT_DATA to a folder that may be written to.") from error


@contextlib.contextmanager
def interrupts_ignored() -> Iterator[None]:
    """Ctrl-C reaches every process; a worker started in here ignores it from its first moment and dies in silence."""
    if threading.current_thread() is not threading.main_thread():  # the only one that may set signals
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def locked(folder: Path, progress: bool) -> Iterator[None]:
    """One preparation of a store at a time; the lock ends with the process that holds it."""
    with disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(f"{folder}.lock")
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            if progress:
                print(f"Another process is preparing {folder.name}: waiting for it.", file=sys.stderr, flush=True)
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


def num_cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
