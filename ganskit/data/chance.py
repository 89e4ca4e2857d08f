"""Random choices that are the same on every machine and with every numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")

_WORDS = 160
"""More than any picture uses, drawn at once because a call costs more than the numbers."""


class Chance:
    """An endless-enough row of uniform numbers, named by (seed, index).

    The words come from SeedSequence itself, whose output numpy promises to keep; its distributions may change.
    """

    def __init__(self, seed: int, index: int) -> None:
        words = np.random.SeedSequence([seed, index]).generate_state(_WORDS, np.uint32)
        self._fractions = iter((words / 2.0**32).tolist())

    def between(self, low: float, high: float) -> float:
        """Uniform in [low, high)."""
        fraction: float = next(self._fractions)
        return low + (high - low) * fraction

    def below(self, count: int) -> int:
        """One of 0 to count - 1."""
        return int(self.between(0, count))

    def happens(self, probability: float) -> bool:
        """True with this probability."""
        return self.between(0, 1) < probability

    def pick(self, choices: Sequence[T]) -> T:
        """One of them; name a choice twice to make it twice as likely."""
        return choices[self.below(len(choices))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """All of them in random order."""
        keyed = [(self.between(0, 1), number) for number in range(len(items))]
        return [items[number] for _, number in sorted(keyed)]
