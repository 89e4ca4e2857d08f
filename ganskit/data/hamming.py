"""Near-duplicates among binary codes: everything within a Hamming radius, exactly, by sorting.

Manku, Jain & Das Sarma 2007, "Detecting near-duplicates for web crawling", section 3: cut the bits into radius + m bands. Two
codes within the radius differ in at most `radius` bands and so agree on m whole ones. Sort by every choice of m bands: what is
within the radius is then side by side at least once, and what merely looks alike is told apart by counting the bits.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
from attrs import frozen
from tqdm import tqdm

BITS = 128
WORDS = 2

Codes = np.ndarray
"""uint64 (N, 2): 128 bits to a code, 16 bytes."""
Pairs = tuple[np.ndarray, np.ndarray]
"""Two arrays of the same length, with places i and j, i < j."""

MAX_PAIRS = 2**23
"""More near pairs than this are not held at once: the codes are then taken in halves, see `_lead`."""
_SAMPLE = 2**16
_TRIES = 3
_MAX_AGREE = 6
_SORT, _LOOK = 25, 1
"""What it costs to sort a code and to look at a pair, relative to each other: about 350 and 14 ns."""
_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], dtype=np.uint64)
"""Odd numbers, with which two words become one. Where it falls together, one more pair is looked at, and nothing is lost."""


def packed_codes(bits: np.ndarray) -> Codes:
    """bits (N, 128) bool -> codes uint64 (N, 2)."""
    if bits.ndim != 2 or bits.shape[1] != BITS:
        raise ValueError(f"bits of shape {bits.shape}: expected (N, {BITS})")
    words: Codes = np.packbits(bits.astype(bool), axis=1).view(np.uint64)
    return words


def distance(a: Codes, b: Codes) -> np.ndarray:
    """Bits in which codes differ, (N, 2) and (N, 2) -> (N,); one of them may be a single code (2,)."""
    different: np.ndarray = np.bitwise_count(a[..., 0] ^ b[..., 0]) + np.bitwise_count(a[..., 1] ^ b[..., 1])
    return different  # uint8, and a sum over the last axis would take ten times as long


def leaders(codes: Codes, radius: int, progress: bool = False) -> np.ndarray:
    """Of every code, the place of the one that stands for it, int64 (N,): its own if it is kept.

    In order, a code is kept unless it is within `radius` of one that was kept; then the first such one stands for it.
    So nothing is left out because of something that is itself left out, and no two that are kept are within the radius.
    """
    if not 0 <= radius < BITS:
        raise ValueError(f"radius {radius}: expected 0 to {BITS - 1}")
    first, same = _distinct(codes)
    leader = np.arange(len(first))
    if radius:
        _lead(codes[first], radius, np.arange(len(first)), leader, progress)
    stands: np.ndarray = first[leader[same]]
    return stands


def groups(leader: np.ndarray) -> list[np.ndarray]:
    """Places that belong together, [kept, left out, left out, ...], in order; only where something is left out."""
    out = np.flatnonzero(leader != np.arange(len(leader)))
    out = out[np.argsort(leader[out], kind="stable")]
    parts = np.split(out, np.flatnonzero(np.diff(leader[out])) + 1) if len(out) else []
    return [np.concatenate([leader[part[:1]], part]) for part in parts]


def pairs(codes: Codes, radius: int) -> Pairs:
    """All pairs within `radius`, in the order of the later one, then of the earlier."""
    found = list(_near(codes, radius, 0, False))
    return _in_order(found)


def _distinct(codes: Codes) -> tuple[np.ndarray, np.ndarray]:
    """The first place of each different code, rising; and which of those each code is equal to."""
    order = np.lexsort((codes[:, 1], codes[:, 0]))  # stable: the first of equal codes comes first
    new = np.ones(len(codes), dtype=bool)
    new[1:] = (codes[order[1:]] != codes[order[:-1]]).any(axis=1)
    first = order[new]
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    same = np.empty(len(codes), dtype=np.int64)
    same[order] = rank[np.cumsum(new) - 1]
    return np.sort(first), same


def _lead(codes: Codes, radius: int, places: np.ndarray, leader: np.ndarray, progress: bool) -> None:
    """Fill in `leader` for the codes at `places`, which rise and of which none is near to one kept before.

    Many pictures that are nearly the same have more pairs than memory has room. Then the first half is done, whatever
    is near to what it keeps goes, which is most, and the rest is done: the same result, in little memory.
    """
    found, num = [], 0
    for each in _near(codes[places], radius, 0, progress):
        found.append(each)
        num += len(each[0])
        if num > MAX_PAIRS:
            half = len(places) // 2
            early, late = places[:half], places[half:]
            _lead(codes, radius, early, leader, progress)
            kept = early[leader[early] == early]
            follow = np.full(len(codes), len(codes))
            both = np.concatenate([kept, late])
            for i, j in _near(codes[both], radius, len(kept), progress):
                np.minimum.at(follow, both[j], both[i])
            near = late[follow[late] < len(codes)]
            leader[near] = follow[near]
            _lead(codes, radius, late[follow[late] == len(codes)], leader, progress)
            return
    earlier, later = _in_order(found)
    stands = places.tolist()
    leads = [True] * len(places)
    for start in range(0, len(later), 2**18):  # in pieces, because Python's numbers are large
        for i, j in zip(earlier[start : start + 2**18].tolist(), later[start : start + 2**18].tolist(), strict=True):
            if leads[i] and leads[j]:
                leads[j], stands[j] = False, stands[i]
    leader[places] = stands


def _in_order(found: list[Pairs]) -> Pairs:
    if not found:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    i, j = (np.concatenate(each) for each in zip(*found, strict=True))
    order = np.lexsort((i, j))
    return i[order], j[order]


@frozen(eq=False)
class _Bands:
    """The bits cut into bands, as masks uint64 (num, 2), of which two near codes agree on at least `agree`."""

    masks: np.ndarray
    agree: int

    @classmethod
    def cut(cls, radius: int, agree: int) -> _Bands:
        """radius + agree bands, as equally wide as can be."""
        owner = np.arange(BITS) * (radius + agree) // BITS
        return cls(packed_codes(owner[None] == np.arange(radius + agree)[:, None]), agree)

    def choices(self) -> Iterator[tuple[int, ...]]:
        """Every choice of `agree` bands."""
        return itertools.combinations(range(len(self.masks)), self.agree)

    def key(self, codes: Codes, choice: tuple[int, ...]) -> np.ndarray:
        """One number (N,) for the bits of the chosen bands: equal bits have equal numbers."""
        mask = np.bitwise_or.reduce(self.masks[list(choice)])
        mixed: np.ndarray = (codes[:, 0] & mask[0]) * _MIX[0] + (codes[:, 1] & mask[1]) * _MIX[1]
        return mixed

    def found_first(self, difference: np.ndarray, choice: tuple[int, ...]) -> np.ndarray:
        """Whether this is the first choice of bands in which codes with this `difference` (N, 2) agree."""
        agreed: np.ndarray = ~(difference & np.bitwise_or.reduce(self.masks[list(choice)])).any(axis=1)
        for band in set(range(max(choice, default=0))) - set(choice):
            agreed &= (difference & self.masks[band]).any(axis=1)
        return agreed


def _near(codes: Codes, radius: int, num_known: int, progress: bool) -> Iterator[Pairs]:
    """All pairs within the radius, each once, in pieces; with `num_known` those of one of the first so many and a later one."""
    bands = _best(codes, radius)
    choices = list(bands.choices())
    for choice in tqdm(
        choices, desc=f"Comparing {len(codes):,} codes", unit=" sorts", leave=False, disable=None if progress else True
    ):
        order, left, start, stop = _runs(bands.key(codes, choice), num_known)
        first, second = codes[order, 0], codes[order, 1]
        while len(left):
            near = np.bitwise_count(first[left] ^ first[start]) + np.bitwise_count(second[left] ^ second[start]) <= radius
            if near.any():
                i, j = order[left[near]], order[start[near]]
                new = bands.found_first(codes[i] ^ codes[j], choice)
                i, j = i[new], j[new]
                yield np.minimum(i, j), np.maximum(i, j)
            more = start + 1 < stop
            left, start, stop = left[more], start[more] + 1, stop[more]


def _runs(key: np.ndarray, num_known: int = 0) -> tuple[np.ndarray, ...]:
    """The order of the keys, and in it for every place `left` the range `start` to `stop` of those to compare it with."""
    order = np.argsort(key, kind="stable")  # stable: within a run the known ones come first
    ordered = key[order]
    begin = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(key) else np.empty(0, dtype=np.int64)
    length = np.diff(np.append(begin, len(key)))
    stop = np.repeat(begin + length, length)
    left = np.arange(len(key))
    start = left + 1
    if num_known:
        known = order < num_known
        start = np.repeat(begin + np.add.reduceat(known, begin, dtype=np.int64), length)
        left, start, stop = left[known], start[known], stop[known]
    some = start < stop
    return order, left[some], start[some], stop[some]


def _best(codes: Codes, radius: int) -> _Bands:
    """The cut that costs least: more bands to agree on mean more sorts, and fewer pairs to look at.

    How often codes agree by chance is seen on a sample, because the bits of real codes are neither even nor independent.
    """
    step = max(1, len(codes) // _SAMPLE)
    sample = codes[::step]
    best, least = _Bands.cut(radius, 0), math.inf  # to agree on no band: everything is looked at
    for agree in range(min(_MAX_AGREE, BITS - radius) + 1):
        bands, num = _Bands.cut(radius, agree), math.comb(radius + agree, agree)
        sorting = _SORT * len(codes) * num
        if sorting >= least:
            break
        tried = itertools.islice(bands.choices(), 0, None, max(1, num // _TRIES))
        looks = [float((stop - start).sum()) for _, _, start, stop in (_runs(bands.key(sample, each)) for each in tried)]
        cost = sorting + _LOOK * num * step**2 * sum(looks) / len(looks)
        if cost < least:
            best, least = bands, cost
    return best
