"""Measuring commands beside other tests."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Sequence


def processor_s(*commands: Sequence[str]) -> list[float]:
    """Seconds of the processor that each command takes, the least of seven: what else runs counts for little.

    The commands take turns, so that a busy minute slows them all.
    """
    return [min(times) for times in zip(*([_once(command) for command in commands] for _ in range(7)), strict=True)]


def _once(command: Sequence[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
