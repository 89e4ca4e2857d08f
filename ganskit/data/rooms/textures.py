"""What surfaces look like: each function makes a texture, colours over a wall's (along, up, out) in metres."""

from __future__ import annotations

import numpy as np

from ganskit.data.colours import Colour, blend, scaled
from ganskit.data.rooms.mesh import Texture
from ganskit.data.rooms.palette import LINEN, METALS, PAPER, TRIM
from ganskit.data.rooms.patterns import lines, mix, paint, plain, shade, toned, wave, within
from ganskit.data.rooms.space import Array, Mask, Place, Span

BOARD_WIDTH, BOARD_LENGTH = 0.21, 1.3
SKIRTING_HEIGHT, MOULDING_HEIGHT = 0.11, 0.06
PANELLING_HEIGHT = 0.95
DOOR_FRAME = 0.07
HANDLE_HEIGHT = 0.98

_GRAIN = np.array([0.0, 0.9, 0.35, 0.7, 0.15, 1.0, 0.5, 0.25, 0.8, 0.05, 0.6, 0.4, 0.95, 0.2, 0.75, 0.45], np.float32)
"""Sixteen shades in no order, which boards take in turn."""


def planks(colour: Colour) -> Texture:
    """Boards that run towards us, each in its own shade, with dark joints."""

    def texture(along: Array, up: Array, out: Array) -> Array:
        row = along * np.float32(1 / BOARD_WIDTH)
        board = np.floor(row)
        piece = np.floor(out * np.float32(1 / BOARD_LENGTH) + board * 0.37)
        grain = _GRAIN[(board * 7 + piece * 3).astype(np.int32) & 15]
        return shade(colour, (0.8 + 0.4 * grain) * toned(row - board < 0.07, 0.55))

    return texture


def wall_paint(colour: Colour, pattern: str, height: float) -> Texture:
    """A plain or striped wall, or one with white panels below, between a skirting board and a moulding."""

    def texture(along: Array, up: Array, out: Array) -> Array:
        striped = pattern == "stripes"
        wall = shade(colour, 0.94 - 0.06 * wave(along, 0.36)) if striped else plain(colour, up)
        panelled = PANELLING_HEIGHT if pattern == "panels" else SKIRTING_HEIGHT
        np.copyto(wall, paint(TRIM), where=(up < panelled) | (up > height - MOULDING_HEIGHT))
        if pattern == "panels":
            rail = within(up, PANELLING_HEIGHT - 0.06, PANELLING_HEIGHT)
            wall *= toned(rail | (lines(along, 0.55, 0.035) & (up < PANELLING_HEIGHT)), 0.84)
        return wall

    return texture


def window_pane(place: Place, glazing: str, eye_height: float, day: bool, motif: int) -> Texture:
    """Sky above hills, behind a frame with glazing bars."""
    low, high = ((0.72, 0.86, 0.98), (0.25, 0.52, 0.93)) if day else ((0.06, 0.09, 0.22), (0.02, 0.035, 0.11))
    hills = (0.22, 0.33, 0.14) if day else (0.012, 0.018, 0.03)
    frame = scaled(TRIM, 0.62) if day else TRIM

    def texture(along: Array, up: Array, out: Array) -> Array:
        rise = up - np.float32(eye_height)
        view = mix(low, high, np.clip((rise + 0.15) * 1.4, 0, 1))
        ridge = 0.12 * wave(along + motif % 17, 1.7) + 0.06 * wave(along, 0.7)
        np.copyto(view, paint(hills), where=rise + ridge < -0.18)
        np.copyto(view, paint(frame), where=window_frame(place, glazing, along, up))
        return view

    return texture


def window_frame(place: Place, glazing: str, along: Array, up: Array) -> Mask:
    """Where a window has wood instead of glass."""
    columns, rows = {"casement": (2, 1), "sash": (1, 2), "cross": (2, 2), "grid": (3, 2)}[glazing]
    bars = lines(along - place.start, place.width / columns, 0.07)
    return bars | lines(up - place.bottom, (place.top - place.bottom) / rows, 0.07)


def curtain(colour: Colour) -> Texture:
    """Cloth in folds."""

    def texture(along: Array, up: Array, out: Array) -> Array:
        return shade(colour, 0.86 + 0.2 * wave(along, 0.13))

    return texture


def door_leaf(place: Place, colour: Colour) -> Texture:
    """A frame, a leaf with two sunken panels, and a brass knob."""
    edge = place.width / 2 - DOOR_FRAME

    def texture(along: Array, up: Array, out: Array) -> Array:
        across, from_panel = np.abs(along - place.middle), np.abs(np.abs(up - HANDLE_HEIGHT) - 0.46)
        panel = (across < edge - 0.13) & (from_panel < 0.34)
        sunken = (across < edge - 0.16) & (from_panel < 0.31)
        leaf = shade(colour, toned(panel, 0.65) * toned(sunken, 1.38) * toned(across > edge - 0.015, 0.65))
        np.copyto(leaf, paint(TRIM), where=(across > edge) | (up > place.top - DOOR_FRAME))
        knob = (np.abs(along - place.start - 0.16) < 0.035) & (np.abs(up - HANDLE_HEIGHT) < 0.035)
        np.copyto(leaf, paint(METALS["brass"]), where=knob)
        return leaf

    return texture


def painting(place: Place, frame: Colour, first: Colour, second: Colour, motif: int) -> Texture:
    """A framed picture with a mount: hills, a round thing, or blocks of colour."""
    half_width, half_height = place.width / 2, (place.top - place.bottom) / 2
    centre = (place.bottom + place.top) / 2

    def texture(along: Array, up: Array, out: Array) -> Array:
        x, y = (along - place.middle) * np.float32(1 / half_width), (up - centre) * np.float32(1 / half_height)
        if motif % 3 == 0:
            share = (0.3 * wave(x + motif % 17, 1.3) - y) * 6
        elif motif % 3 == 1:
            share = (0.3 - (x * x + y * y)) * 9
        else:
            share = y * 4 + toned(within(x, -0.1, 0.7), 3)
        image = mix(first, second, np.clip(share, 0, 1))
        rim = np.maximum((np.abs(x) - 1) * half_width, (np.abs(y) - 1) * half_height)
        np.copyto(image, paint(PAPER), where=rim > -0.10)
        np.copyto(image, paint(frame), where=rim > -0.04)
        return image

    return texture


def blanket(colour: Colour, accent: Colour, pattern: str, throw: Span, sheet: float) -> Texture:
    """Patterned cloth with a throw between two `out` positions and the sheet turned down up to a third."""
    other = blend(colour, PAPER, 0.45)

    def texture(along: Array, up: Array, out: Array) -> Array:
        down = out + up  # keeps patterns running over the edge of the mattress
        soft = 1 + 0.05 * wave(along + 0.3 * out, 0.9) + 0.04 * wave(down - 0.4 * along, 0.5)
        if pattern == "stripes":
            cloth = mix(colour, other, toned(wave(down, 0.44) < 0.3, 0))
        elif pattern == "checks":
            grid = toned(lines(along, 0.25, 0.03), 0.5) * toned(lines(down, 0.25, 0.03), 0.5)
            cloth = mix(colour, other, 1 - grid)
        elif pattern == "quilt":
            cloth = shade(colour, 0.84 + 0.34 * np.abs(wave(along + out, 0.6)) * np.abs(wave(along - down, 0.6)))
        else:
            cloth = plain(colour, up)
        np.copyto(cloth, paint(accent), where=within(out, *throw))
        np.copyto(cloth, paint(LINEN), where=out < sheet)
        cloth *= soft
        return cloth

    return texture


def buttons(colour: Colour, place: Place) -> Texture:
    """A padded headboard."""

    def texture(along: Array, up: Array, out: Array) -> Array:
        return shade(colour, 0.72 + 0.4 * np.abs(wave(along - place.middle, 0.5)) * np.abs(wave(up - 0.1, 0.46)))

    return texture


def slats(colour: Colour, place: Place) -> Texture:
    """A wooden headboard of upright boards with a rail along the top."""

    def texture(along: Array, up: Array, out: Array) -> Array:
        return shade(colour, toned(lines(along - place.start, 0.25, 0.025) & (up < place.top - 0.1), 0.6))

    return texture


def fronts(place: Place, colour: Colour, columns: int, rows: int) -> Texture:
    """Drawers or, in a single row, doors: gaps between them, and handles on the side towards the room."""
    plinth = place.bottom + 0.06
    wide, high = place.width / columns, (place.top - plinth) / rows

    def texture(along: Array, up: Array, out: Array) -> Array:
        x, y = along - place.start, up - plinth
        front = shade(colour, toned(lines(x, wide, 0.03) | lines(y, high, 0.02), 0.6))
        if rows == 1:
            handle = lines(x - 0.12, wide, 0.04) & (np.abs(y - high / 2) < 0.15)
        else:
            handle = lines(x - wide / 2, wide, 0.12) & lines(y - high / 2, high, 0.03)
        np.copyto(front, paint(METALS["iron"]), where=handle & (out > place.out - 0.01))
        return front

    return texture


def rug_weave(place: Place, colour: Colour) -> Texture:
    """A pale line inside the border, a soft pattern in the field."""
    pale = blend(colour, PAPER, 0.6)

    def texture(along: Array, up: Array, out: Array) -> Array:
        rim = np.minimum(place.width / 2 - np.abs(along - place.middle), place.out - out)
        field = toned(rim < 0.3, 0) * (0.25 + 0.25 * wave(along, 0.3) * wave(out, 0.3))
        return mix(colour, pale, np.where(within(rim, 0.09, 0.2), np.float32(1), field))

    return texture


def lampshade(colour: Colour, bottom: float, top: float) -> Texture:
    """Cloth, brightest half-way up, where the bulb is."""

    def texture(along: Array, up: Array, out: Array) -> Array:
        level = (up - bottom) * np.float32(2 / (top - bottom)) - 1
        return shade(colour, 1 - 0.35 * level * level)

    return texture
