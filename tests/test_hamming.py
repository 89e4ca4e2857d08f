"""Near codes are found exactly, whatever the codes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganskit.data import hamming


@st.composite
def many_codes(draw: st.DrawFn) -> np.ndarray:
    """Few centres and small changes of them, so that there are equal, near and far codes; bits that are seldom on, too."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    num, centres = draw(st.integers(0, 60)), draw(st.integers(1, 12))
    bits = rng.random((centres, 128)) < draw(st.sampled_from([0.02, 0.5, 0.9]))
    changed = rng.random((num, 128)) < draw(st.sampled_from([0.0, 0.02, 0.06]))
    return hamming.packed_codes(bits[rng.integers(0, centres, num)] ^ changed)


def apart(codes: np.ndarray, i: int, j: int) -> int:
    """Counted in Python."""
    return sum((int(a) ^ int(b)).bit_count() for a, b in zip(codes[i], codes[j], strict=True))


def one_by_one(codes: np.ndarray, radius: int) -> list[int]:
    """What `leaders` says it does, as it would be done by hand."""
    kept: list[int] = []
    leader = []
    for j in range(len(codes)):
        leader.append(next((i for i in kept if apart(codes, i, j) <= radius), j))
        if leader[j] == j:
            kept.append(j)
    return leader


@given(codes=many_codes(), radius=st.sampled_from([0, 1, 2, 5, 8, 12, 32]))
def test_every_pair_within_the_radius_is_found_once(codes: np.ndarray, radius: int) -> None:
    expected = [(i, j) for j in range(len(codes)) for i in range(j) if apart(codes, i, j) <= radius]
    assert [(int(i), int(j)) for i, j in zip(*hamming.pairs(codes, radius), strict=True)] == expected


@pytest.mark.parametrize("agree", [0, 1, 2, 3, 5])
@given(codes=many_codes(), radius=st.sampled_from([1, 4, 8]))
@settings(max_examples=20)
def test_every_cut_into_bands_finds_the_same(codes: np.ndarray, radius: int, agree: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hamming, "_best", lambda codes, radius: hamming._Bands.cut(radius, agree))
        found = hamming.pairs(codes, radius)
    for one, other in zip(found, hamming.pairs(codes, radius), strict=True):
        assert one.tolist() == other.tolist()


@given(codes=many_codes(), radius=st.sampled_from([0, 1, 3, 8, 16]), room=st.sampled_from([0, 5, 40, 2**23]))
def test_the_first_of_near_codes_is_kept(codes: np.ndarray, radius: int, room: int) -> None:
    """However many pairs fit into memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hamming, "MAX_PAIRS", room)
        leader = hamming.leaders(codes, radius)
    assert leader.tolist() == one_by_one(codes, radius)


def test_no_chain_of_unlike_codes() -> None:
    """Each is near to the one before; every other one is kept."""
    steps = np.tril(np.ones((20, 20), dtype=bool), -1).repeat(6, axis=1)
    codes = hamming.packed_codes(np.pad(steps, ((0, 0), (0, 8))))
    assert hamming.leaders(codes, 8).tolist() == [i - i % 2 for i in range(20)]


def test_many_pictures_that_are_nearly_the_same() -> None:
    """As a set with thousands of blank ones: 200 million pairs within the radius, done in halves."""
    bits = np.zeros((20_000, 128), dtype=bool)
    for place, changed in zip(range(1, 20_000), itertools.cycle(range(128)), strict=False):
        bits[place, [changed, (place // 128) % 128]] = True
    leader = hamming.leaders(hamming.packed_codes(bits), 4)
    assert (leader == 0).all()


def test_groups_are_in_order_and_begin_with_the_kept_one() -> None:
    leader = np.array([0, 1, 0, 3, 1, 0, 6])
    assert [group.tolist() for group in hamming.groups(leader)] == [[0, 2, 5], [1, 4]]
    assert hamming.groups(np.arange(3)) == []


def test_a_code_is_16_bytes() -> None:
    bits = np.eye(128, dtype=bool)
    codes = hamming.packed_codes(bits)
    assert codes.nbytes == 128 * 16
    assert hamming.distance(codes, codes[0]).tolist() == [0] + [2] * 127
    with pytest.raises(ValueError, match=r"\(128, 64\)"):
        hamming.packed_codes(bits[:, :64])
    with pytest.raises(ValueError, match="128"):
        hamming.leaders(codes, 128)
