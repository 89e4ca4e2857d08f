"""Repeating patterns and mixtures of colours: what textures are made of."""

from __future__ import annotations

import numpy as np

from ganskit.data.colours import Colour
from ganskit.data.rooms.space import Array, Mask


def paint(colour: Colour) -> Array:
    """The colour as (3, 1, 1), to be combined with (H, W)."""
    return np.array(colour, np.float32).reshape(3, 1, 1)


def plain(colour: Colour, like: Array) -> Array:
    """The colour all over, (3, H, W), where `like` is (H, W)."""
    return np.broadcast_to(paint(colour), (3, *like.shape)).copy()


def mix(first: Colour, second: Colour, share: Array) -> Array:
    """`share` (H, W), 0: the first colour, 1: the second -> (3, H, W)."""
    start = paint(first)
    mixed: Array = start + (paint(second) - start) * share
    return mixed


def shade(colour: Colour, tone: Array) -> Array:
    """The colour, lighter or darker by `tone` (H, W) -> (3, H, W)."""
    shaded: Array = paint(colour) * tone
    return shaded


def toned(where: Mask, factor: float) -> Array:
    """`factor` where the mask is true, 1 elsewhere."""
    return np.where(where, np.float32(factor), np.float32(1))


def wave(position: Array, period: float) -> Array:
    """A smooth wave from -1 to 1: parabolas, down and up in turn, because sines differ between systems."""
    part: Array = position * np.float32(2 / period)
    part -= 2 * np.floor(part * 0.5) + 1
    part *= 4 * (1 - np.abs(part))
    return part


def lines(position: Array, spacing: float, thickness: float) -> Mask:
    """Lines at every multiple of `spacing`."""
    steps = position * np.float32(1 / spacing)
    near: Mask = np.abs(steps - np.floor(steps + 0.5)) < np.float32(thickness / spacing / 2)
    return near


def within(position: Array, low: float, high: float) -> Mask:
    """Where the position is in the interval."""
    both: Mask = (position > low) & (position < high)
    return both
