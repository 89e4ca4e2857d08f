"""Which examples a classifier is trained on: so many of each class, drawn as the DCGAN authors drew them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

import numpy as np

from ganskit.errors import UserError


class Draws:
    """One stream of draws: `random.Random(42)` in the authors' code, which goes on from draw to draw (lib/rng.py).

    Their code ran under Python 2, whose `sample` took other numbers from the same stream than Python 3's; this is the former, so
    the draws are the authors'. Raises UserError when a class has too few examples.
    """

    def __init__(self, labels: np.ndarray, names: Sequence[str], per_class: int, seed: int) -> None:
        self._of_class = [np.flatnonzero(labels == value) for value in range(len(names))]
        self._per_class, self._random = per_class, Random(seed)
        few = [f"{name} ({len(rows):,})" for name, rows in zip(names, self._of_class, strict=True) if len(rows) < per_class]
        if few:
            more = f" and {len(few) - 5} more" if len(few) > 5 else ""
            raise UserError(
                f"{per_class:,} examples of each class are asked for, and there are fewer of {', '.join(few[:5])}{more}. "
                f"Set per_class to {max(1, min(map(len, self._of_class))):,} at most, or leave it out to train on all labels."
            )

    def next(self) -> np.ndarray:
        """Places (num_classes * per_class,) among the labels, class by class."""
        drawn = [rows[sample(self._random, len(rows), self._per_class)] for rows in self._of_class]
        return np.concatenate(drawn)


def sample(random: Random, num: int, count: int) -> list[int]:
    """`count` different numbers below `num`, as Python 2.7's `random.sample(range(num), count)` drew them."""
    table = 21 + (4 ** math.ceil(math.log(count * 3, 4)) if count > 5 else 0)
    if num <= table:  # then it took numbers out of a list, each time replaced by the last one
        pool, out = list(range(num)), []
        for taken in range(count):
            place = int(random.random() * (num - taken))
            out.append(pool[place])
            pool[place] = pool[num - taken - 1]
        return out
    seen: dict[int, None] = {}
    while len(seen) < count:
        seen.setdefault(int(random.random() * num))
    return list(seen)
