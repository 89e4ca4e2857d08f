"""Stacked MNIST: three random digits as the channels of a picture, for counting the modes that a generator misses."""

from __future__ import annotations

import hashlib
from typing import ClassVar

import numpy as np
from attrs import field, frozen

from ganskit.data.arrays import PIXELS, ArraySource, Batch, Columns
from ganskit.data.mnist import NAMES, PREFIX, SIDE, Mnist, read_idx
from ganskit.errors import BadData
from ganskit.validators import at_least, one_of

DRAWING = "1"
"""Changes whenever the same (seed, index) gives other digits, so that prepared stores are made anew."""


@frozen
class StackedMnist(Mnist):
    """Metz 2017, section 3.3.1: a thousand modes, three random digits as red, green and blue.

    Made from the idx files of MNIST, or of another dataset in its format, by `path`; without it `mnist` among the originals in
    ganskit's data folder. `num` is Lin 2018's (num_training_sample in their config.py), who stack digits of both splits.
    Picture i is a pure function of (seed, i), whatever `num` is. `size` is as in MNIST, and 28 the papers'.
    """

    channels: int = field(default=3, validator=one_of(3))
    num: int = field(default=128_000, validator=at_least(1))
    seed: int = field(default=0, validator=at_least(0))

    entry: ClassVar[str] = "mnist"

    @property
    def digits(self) -> Mnist:
        """What is stacked: MNIST in the same size, from the same files."""
        return Mnist(path=self.path, split=self.split, size=self.size)

    def labels(self) -> dict[str, tuple[str, ...]]:
        """`y`: the mode, 100 * red + 10 * green + blue."""
        return {"y": tuple(f"{mode:03}" for mode in range(len(NAMES) ** 3))}

    def picture(self, pixels: np.ndarray) -> np.ndarray:
        """With a border of zeros, if it gets one."""
        return np.concatenate([Mnist.picture(self, channel) for channel in pixels])

    def open(self) -> ArraySource:
        """Read both idx files. Raises DataNotFound or BadData."""
        folder, prefix = self.place(), PREFIX[self.split]
        digits = read_idx(self._find(folder, f"{prefix}-images", 3), (SIDE, SIDE))
        labels = read_idx(self._find(folder, f"{prefix}-labels", 1), ())
        if not len(digits) or len(digits) != len(labels) or labels.max() >= len(NAMES):
            raise BadData(
                f"{folder} has {len(digits):,} pictures and {len(labels):,} labels up to {labels.max(initial=0)}: expected as "
                "many of both, from 0 to 9. Get both files from the same place."
            )
        named = f"{prefix} stack {DRAWING} seed {self.seed}"
        digest = hashlib.sha256(digits.tobytes() + labels.tobytes() + named.encode()).hexdigest()
        stacks = Stacks(digits, labels, self.seed, 0, self.num)
        return ArraySource(self, [Batch(named, [stacks])], (3, SIDE, SIDE), digest)


@frozen(eq=False)
class Stacks:
    """Stacks `start` to `stop` of these digits (N, 28, 28), as a table."""

    digits: np.ndarray
    labels: np.ndarray
    seed: int
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    def row(self, index: int) -> dict[str, np.ndarray]:
        """Three digits (3, 28, 28) and the mode."""
        which = chosen(self.seed, self.start + index, len(self.digits))
        red, green, blue = (int(each) for each in self.labels[which])
        return {PIXELS: self.digits[which], "y": np.array(100 * red + 10 * green + blue)}

    def part(self, start: int, stop: int) -> Columns:
        """These rows alone, with no more digits than they need."""
        rows = [self.row(index) for index in range(start, stop)]
        return Columns({name: np.stack([row[name] for row in rows]) for name in (PIXELS, "y")})


def chosen(seed: int, index: int, num_digits: int) -> np.ndarray:
    """Which three digits picture `index` is made of, int64 (3,)."""
    # words of SeedSequence, whose output numpy promises to keep; its distributions may change
    words = np.random.SeedSequence([seed, index]).generate_state(3, np.uint32).astype(np.int64)
    which: np.ndarray = (words * num_digits) >> 32
    return which
