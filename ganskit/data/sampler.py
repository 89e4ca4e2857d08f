"""Which examples come next: one endless stream of indices, a pure function of the seed and the position."""

from __future__ import annotations

from functools import lru_cache

import numpy as np


def indices(num_examples: int, seed: int, start: int, count: int) -> np.ndarray:
    """Positions `start` to `start + count` of the stream, as int64 (count,).

    The stream is epoch after epoch, each a permutation of all examples; a window may cross any number of them.
    """
    if num_examples < 1 or start < 0 or count < 0:
        raise ValueError(f"num_examples {num_examples}, start {start}, count {count}: expected 1, 0 and 0 or more")
    taken: np.ndarray = np.empty(count, dtype=np.int64)
    filled = 0
    while filled < count:
        epoch, position = divmod(start + filled, num_examples)
        piece = _permutation(num_examples, seed, epoch)[position : position + count - filled]
        taken[filled : filled + len(piece)] = piece
        filled += len(piece)
    return taken


@lru_cache(maxsize=4)  # the current and the next epoch, of training and of an evaluation
def _permutation(num_examples: int, seed: int, epoch: int) -> np.ndarray:
    # Sorted raw bits, because numpy promises to keep the bits of PCG64 over its releases and not Generator's shuffles.
    keys = np.random.PCG64(np.random.SeedSequence([seed, epoch])).random_raw(num_examples)
    order: np.ndarray = np.argsort(keys, kind="stable")
    order.setflags(write=False)
    return order
