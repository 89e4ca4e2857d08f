"""Colours as the light that they reflect: what drawn datasets paint with."""

from __future__ import annotations

Colour = tuple[float, float, float]
"""Linear light, 0 (black) to 1 (white). The picture's values are its square roots: a gamma of 2, exact everywhere."""


def linear(**codes: int) -> dict[str, Colour]:
    """Colours from their usual hexadecimal codes."""
    channels = {name: [(code >> shift & 255) / 255 for shift in (16, 8, 0)] for name, code in codes.items()}
    return {name: (red * red, green * green, blue * blue) for name, (red, green, blue) in channels.items()}


def scaled(colour: Colour, factor: float) -> Colour:
    """The colour, lighter or darker."""
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def blend(first: Colour, second: Colour, share: float) -> Colour:
    """`share` 0: the first colour, 1: the second."""
    red, green, blue = (a + (b - a) * share for a, b in zip(first, second, strict=True))
    return red, green, blue
