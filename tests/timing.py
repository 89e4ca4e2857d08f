"""Measuring a command beside other tests."""

from __future__ import annotations

import resource
import subprocess


def processor_s(*command: str) -> float:
    """Seconds of the processor that a command takes, the least of seven: what else runs counts for little."""
    times = []
    for _ in range(7):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)
