"""Digits that tests draw themselves, in the files of MNIST: each class is a bar at a place of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from data_samples import idx


def digit(label: int, rng: np.random.Generator) -> np.ndarray:
    """(28, 28) uint8."""
    picture = rng.integers(0, 40, (28, 28))
    row, column = divmod(label, 4)
    picture[2 + 9 * row : 8 + 9 * row, 2 + 6 * column : 8 + 6 * column] += 200
    return picture.astype(np.uint8)


def write_digits(folder: Path, num: int = 200, num_classes: int = 10, prefix: str = "train") -> tuple[np.ndarray, np.ndarray]:
    """Both idx files; returns digits (num, 28, 28) and labels (num,)."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    labels = (np.arange(num) % num_classes).astype(np.uint8)
    digits = np.stack([digit(int(label), rng) for label in labels])
    (folder / f"{prefix}-images-idx3-ubyte").write_bytes(idx(digits))
    (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(idx(labels))
    return digits, labels
