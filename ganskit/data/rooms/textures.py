"""What surfaces look like: functions that make a texture, colours over a wall's (along, up, out) metres."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ganskit.data.rooms.mesh import Array, Texture
from ganskit.data.rooms.palette import BRASS, METAL, TRIM, Colour, blend, scaled
from ganskit.data.rooms.space import Place

SKIRTING_HEIGHT = 0.11
PANELLING_HEIGHT = 0.95

_GRAIN = np.array([0.0, 0.9, 0.35, 0.7, 0.15, 1.0, 0.5, 0.25, 0.8, 0.05, 0.6, 0.4, 0.95, 0.2, 0.75, 0.45], np.float32)
"""Sixteen shades in no order, which planks take in turn."""


def _column(colour: Colour) -> Array:
    return np.array(colour, np.float32).reshape(3, 1, 1)


def mix(first: Colour, second: Colour, share: Array) -> Array:
    """`share` (H, W): 0 the first colour, 1 the second -> (3, H, W)."""
    start = _column(first)
    return start + (_column(second) - start) * share


def shade(colour: Colour, tone: Array) -> Array:
    """`tone` (H, W) lightens or darkens the colour -> (3, H, W)."""
    return _column(colour) * tone


def wave(position: Array, period: float) -> Array:
    """A smooth wave from -1 to 1 without a sine: parabolas, alternately up and down."""
    part = position * np.float32(2 / period)
    part -= 2 * np.floor(part * 0.5) + 1
    return 4 * part * (1 - np.abs(part))


def inside(position: Array, low: float, high: float) -> Array:
    """1 within the interval, 0 outside."""
    return ((position > low) & (position < high)).astype(np.float32)


def planks(colour: Colour) -> Texture:
    """Boards that run towards us, each in its own shade, with dark joints."""

    def texture(along: Array, up: Array, out: Array) -> Array:
        row = along * np.float32(1 / 0.21)
        board = np.floor(row)
        length = np.floor(out * np.float32(1 / 1.3) + board * 0.37)
        shades = _GRAIN[(board * 7 + length * 3).astype(np.int32) & 15]
        joint = row - board < 0.07
        return shade(colour, (0.8 + 0.4 * shades) * (1 - 0.45 * joint))

    return texture


def wall_paint(colour: Colour, pattern: str, height: float) -> Texture:
    """A painted, striped or half-panelled wall with a skirting board below and a moulding above."""

    def texture(along: Array, up: Array, out: Array) -> Array:
        if pattern == "stripes":
            paint = shade(colour, 1 - 0.06 * (1 + wave(along, 0.36)))
        else:
            paint = np.broadcast_to(_column(colour), (3, *up.shape)).copy()
        trim = (up < SKIRTING_HEIGHT) | (up > height - 0.06)
        if pattern == "panels":
            trim |= up < PANELLING_HEIGHT
        np.copyto(paint, _column(TRIM), where=trim)
        if pattern == "panels":
            rail = np.abs(up - (PANELLING_HEIGHT - 0.03)) < 0.03
            stile = (np.abs(wave(along, 1.1)) < 0.12) & (up < PANELLING_HEIGHT)
            paint *= 1 - 0.16 * (rail | stile)
        return paint

    return texture


def window_pane(place: Place, eye_height: float, day: bool, variant: int) -> Texture:
    """Sky, a far skyline and a frame with glazing bars."""
    high, low = ((0.25, 0.52, 0.93), (0.72, 0.86, 0.98)) if day else ((0.02, 0.035, 0.11), (0.06, 0.09, 0.22))
    ground = (0.22, 0.33, 0.14) if day else (0.012, 0.018, 0.03)
    frame = scaled(TRIM, 0.62) if day else TRIM

    def texture(along: Array, up: Array, out: Array) -> Array:
        across = (along - place.start) * np.float32(1 / place.width)
        level = (up - place.bottom) * np.float32(1 / (place.top - place.bottom))
        rise = np.clip((up - eye_height + 0.15) * 1.4, 0, 1)
        view = mix(low, high, rise)
        hills = up - eye_height + 0.12 * wave(along + variant, 1.7) + 0.06 * wave(along, 0.7)
        np.copyto(view, _column(ground), where=hills < -0.18)
        np.copyto(view, _column(frame), where=glazing_bars(across, level, variant))
        return view

    return texture


def glazing_bars(across: Array, level: Array, variant: int) -> npt.NDArray[np.bool_]:
    """Where a window has wood, not glass; `across` and `level` go from 0 to 1 over it."""
    upright = across * (1, 2, 2, 3)[variant % 4]
    bar = np.abs(upright - np.floor(upright + 0.5)) < 0.06
    return bar | (np.abs(level - 0.5) > 0.46) | (np.abs(level - (0.5, 0.62, 2.0)[variant % 3]) < 0.022)


def curtain(colour: Colour) -> Texture:
    """Cloth in folds."""

    def texture(along: Array, up: Array, out: Array) -> Array:
        return shade(colour, 0.86 + 0.2 * wave(along, 0.13))

    return texture


def door_leaf(place: Place, colour: Colour) -> Texture:
    """A frame, a leaf with two sunken panels, and a brass knob."""

    def texture(along: Array, up: Array, out: Array) -> Array:
        across = np.abs(along - place.middle)
        edge = place.width / 2
        leaf = np.broadcast_to(_column(colour), (3, *up.shape)).copy()
        panel = (across < edge - 0.2) & (np.abs(np.abs(up - 0.98) - 0.46) < 0.34)
        rim = panel & ~((across < edge - 0.23) & (np.abs(np.abs(up - 0.98) - 0.46) < 0.31))
        leaf *= 1 - 0.10 * panel - 0.25 * rim
        np.copyto(leaf, _column(TRIM), where=(across > edge - 0.07) | (up > place.top - 0.07))
        leaf *= 1 - 0.35 * (np.abs(across - (edge - 0.075)) < 0.012)
        knob = (np.abs(along - place.start - 0.16) < 0.035) & (np.abs(up - 0.98) < 0.035)
        np.copyto(leaf, _column(BRASS), where=knob)
        return leaf

    return texture


def painting(place: Place, frame: Colour, first: Colour, second: Colour, motif: int) -> Texture:
    """A framed picture with a mount: a landscape, a still life of rounds, or colour fields."""
    half_width, half_height = place.width / 2, (place.top - place.bottom) / 2
    middle = (place.bottom + place.top) / 2

    def texture(along: Array, up: Array, out: Array) -> Array:
        x, y = (along - place.middle) * np.float32(1 / half_width), (up - middle) * np.float32(1 / half_height)
        if motif % 3 == 0:
            share = np.clip((0.3 * wave(x + motif, 1.3) - y) * 6, 0, 1)
        elif motif % 3 == 1:
            share = np.clip((0.3 - (x * x + y * y)) * 9, 0, 1)
        else:
            share = np.clip(y * 4 + 2 * inside(x, -0.1, 0.7), 0, 1)
        image = mix(first, second, share)
        rim = np.maximum((np.abs(x) - 1) * half_width, (np.abs(y) - 1) * half_height)
        np.copyto(image, _column((0.88, 0.86, 0.81)), where=rim > -0.10)
        np.copyto(image, _column(frame), where=rim > -0.04)
        return image

    return texture


def cloth(colour: Colour, accent: Colour, pattern: str, throw: tuple[float, float], sheet: float) -> Texture:
    """A blanket: pattern, a throw across the foot between two `out` positions, a turned-down sheet up to `sheet`."""
    other = blend(colour, (0.9, 0.88, 0.83), 0.45)

    def texture(along: Array, up: Array, out: Array) -> Array:
        soft = 1 + 0.05 * wave(along + 0.3 * out, 0.9) + 0.04 * wave(out - 0.4 * along + up, 0.5)
        if pattern == "stripes":
            blanket = mix(colour, other, (wave(out + up, 0.44) > 0.3) * soft)
        elif pattern == "checks":
            lines = (np.abs(wave(along, 0.5)) < 0.3) * np.float32(0.5) + (np.abs(wave(out + up, 0.5)) < 0.3) * np.float32(0.5)
            blanket = mix(colour, other, lines)
        elif pattern == "quilt":
            blanket = shade(colour, 0.78 + 0.3 * np.abs(wave(along + out, 0.6)) * np.abs(wave(along - out, 0.6)) + 0.1)
        else:
            blanket = shade(colour, soft)
        np.copyto(blanket, shade(accent, soft), where=(out > throw[0]) & (out < throw[1]))
        np.copyto(blanket, shade((0.86, 0.85, 0.82), soft), where=out < sheet)
        return blanket

    return texture


def upholstery(colour: Colour, place: Place) -> Texture:
    """A buttoned headboard."""

    def texture(along: Array, up: Array, out: Array) -> Array:
        return shade(colour, 0.72 + 0.4 * np.abs(wave(along - place.middle, 0.5)) * np.abs(wave(up - 0.1, 0.46)))

    return texture


def slats(colour: Colour, place: Place) -> Texture:
    """A wooden headboard of upright boards with a rail along the top."""

    def texture(along: Array, up: Array, out: Array) -> Array:
        gap = (np.abs(wave(along - place.start, 0.5)) < 0.16) & (up < place.top - 0.1)
        return shade(colour, 1 - 0.4 * gap)

    return texture


def drawers(place: Place, colour: Colour, columns: int, rows: int) -> Texture:
    """Fronts separated by dark gaps, each with a handle."""

    def texture(along: Array, up: Array, out: Array) -> Array:
        x = (along - place.start) * np.float32(columns / place.width)
        y = (up - place.bottom - 0.06) * np.float32(rows / (place.top - place.bottom - 0.06))
        x, y = np.abs(x - np.floor(x) - 0.5), np.abs(y - np.floor(y) - 0.5)
        gap = (x > 0.5 - 0.03 * columns) | (y > 0.5 - 0.022 * rows)
        handle = (x < 0.12) & (y < 0.05 * rows) if rows > 1 else (x > 0.36) & (y < 0.08)
        front = shade(colour, 1 - 0.4 * gap)
        np.copyto(front, _column(METAL), where=handle & (out > place.out - 0.01))
        return front

    return texture


def rug_weave(place: Place, colour: Colour) -> Texture:
    """A border and a field."""
    pale = blend(colour, (0.85, 0.8, 0.7), 0.6)

    def texture(along: Array, up: Array, out: Array) -> Array:
        rim = np.minimum(place.width / 2 - np.abs(along - place.middle), place.out - out)
        return mix(colour, pale, inside(rim, 0.09, 0.2) + 0.25 * (rim > 0.3) * (1 + wave(along, 0.3) * wave(out, 0.3)))

    return texture


def lit_shade(colour: Colour, bottom: float, top: float) -> Texture:
    """A lampshade, brightest in the middle, where the bulb is."""

    def texture(along: Array, up: Array, out: Array) -> Array:
        level = (up - bottom) * np.float32(2 / (top - bottom)) - 1
        return shade(colour, 1 - 0.35 * level * level)

    return texture
