"""Saying what one waits for, when it takes long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

LONG_S = 3.0
SLOW_S = 1.0


class Patience:
    """Names what takes longer than three seconds while it still goes on, and what took longer than one afterwards.

    One thread watches over many short waits, because to start one for each would cost more than most of them.
    """

    def __init__(self) -> None:
        self._waiting: tuple[str, float] | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Patience:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    @contextmanager
    def waiting_for(self, what: str) -> Iterator[None]:
        """The time spent in this context is spent on `what`."""
        started = time.monotonic()
        self._waiting = (what, started)
        try:
            yield
        finally:
            self._waiting = None
        took_s = time.monotonic() - started
        if took_s > SLOW_S:
            click.echo(f"Warning: {what} took {took_s:.1f} s to load: it makes every command slow.", err=True)

    def _watch(self) -> None:
        named = None
        while not self._over.wait(0.5):
            waiting = self._waiting
            if waiting and waiting is not named and time.monotonic() - waiting[1] > LONG_S:
                named = waiting
                click.echo(
                    f"Still loading {waiting[0]}. Ctrl-C stops; GANSKIT_PLUGINS=a,b loads only the plugins a and b.", err=True
                )
