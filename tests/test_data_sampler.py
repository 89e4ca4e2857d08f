"""The endless stream of indices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganskit.data import indices

seeds = st.integers(0, 2**40)


@given(st.integers(1, 50), seeds, st.integers(0, 500), st.lists(st.integers(0, 60), max_size=6))
def test_any_split_of_a_window_is_the_window(num_examples: int, seed: int, start: int, counts: list[int]) -> None:
    pieces = [indices(num_examples, seed, start + sum(counts[:i]), count) for i, count in enumerate(counts)]
    together = np.concatenate([*pieces, np.empty(0, dtype=np.int64)])
    assert np.array_equal(together, indices(num_examples, seed, start, sum(counts)))


@given(st.integers(1, 50), seeds, st.integers(0, 10))
def test_every_epoch_is_a_permutation(num_examples: int, seed: int, epoch: int) -> None:
    window = indices(num_examples, seed, epoch * num_examples, num_examples)
    assert window.dtype == np.int64
    assert sorted(window) == list(range(num_examples))


def test_epochs_and_seeds_differ() -> None:
    windows = [indices(100, seed, epoch * 100, 100) for seed in range(3) for epoch in range(3)]
    assert len({tuple(window) for window in windows}) == 9


def test_each_place_is_equally_likely() -> None:
    firsts = np.bincount([indices(5, seed, 0, 1)[0] for seed in range(2000)], minlength=5)
    assert (np.abs(firsts - 400) < 80).all()


def test_the_stream_never_changes() -> None:
    """Runs are resumed years later: these numbers must stay."""
    assert indices(10, 0, 5, 10).tolist() == [0, 7, 4, 5, 9, 7, 4, 5, 1, 9]


def test_one_example_and_more_than_an_epoch() -> None:
    assert indices(1, 0, 7, 4).tolist() == [0, 0, 0, 0]
    assert np.bincount(indices(3, 0, 0, 300)).tolist() == [100, 100, 100]
    assert len(indices(3, 0, 5, 0)) == 0


def test_the_caller_may_write_into_the_window() -> None:
    indices(4, 0, 0, 4)[:] = 9
    assert sorted(indices(4, 0, 0, 4)) == [0, 1, 2, 3]


@pytest.mark.parametrize("arguments", [(0, 0, 0, 1), (3, 0, -1, 1), (3, 0, 0, -1)])
def test_wrong_arguments(arguments: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="expected"):
        indices(*arguments)
