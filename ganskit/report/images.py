"""Pictures and plots as parts of a page: checked, and inside it, so that no request leaves it.

Plots are shown as images, too, and not as elements of the page: in an image a browser runs no script and loads nothing, whoever
wrote the SVG. It cannot take the page's colours then, so in dark mode the page's style turns its lightness round: what was
readable on white is readable on black, whatever colours the evaluator chose.
"""

from __future__ import annotations

import base64
import io
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from attrs import frozen
from PIL import Image, UnidentifiedImageError

from ganskit.errors import GanskitError, one_line

LARGEST = 2400
"""Pixels: a picture with a longer side is made smaller, so that the page stays one that a phone can show."""
MOST_PIXELS = 100_000_000
MOST_TILES = 1024
MOST_BYTES = 30_000_000
GAP = 2


class Unreadable(GanskitError):
    """A picture or plot that cannot be shown; the text says why."""


@frozen
class Inline:
    """An image within the page: its data URI, and its size in pixels (0: an SVG's own)."""

    uri: str
    width: int = 0
    height: int = 0


def read_picture(file: Path) -> Image.Image:
    """All pixels of a PNG. Raises Unreadable."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the next lines refuse sooner
            opened = Image.open(io.BytesIO(file.read_bytes()), formats=("PNG",))
        if opened.width * opened.height > MOST_PIXELS:
            raise Unreadable(f"{opened.width:,} x {opened.height:,} pixels are too many to show")
        opened.load()
    except UnidentifiedImageError:
        raise Unreadable("this is no PNG") from None
    except Image.DecompressionBombError:
        raise Unreadable("it has too many pixels to show") from None
    except FileNotFoundError:
        raise Unreadable("there is no such file") from None
    except (OSError, SyntaxError, ValueError, EOFError, zlib.error) as error:  # Pillow's, for damaged ones
        raise Unreadable(f"the PNG is damaged: {one_line(error)}") from error
    return opened


def embedded(image: Image.Image) -> Inline:
    """A picture as a PNG within the page."""
    if max(image.size) > LARGEST:
        image = image.copy()
        image.thumbnail((LARGEST, LARGEST))
    png = io.BytesIO()
    image.save(png, "PNG", optimize=True)
    return Inline(_uri("image/png", png.getvalue()), *image.size)


def read_plot(file: Path) -> Inline:
    """An SVG file as an image within the page. Raises Unreadable."""
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise Unreadable("there is no such file") from None
    except OSError as error:
        raise Unreadable(f"it cannot be read: {error.strerror}") from error
    if len(data) > MOST_BYTES:
        raise Unreadable(f"{len(data) / 1e6:,.0f} MB are too many to show")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # as in UTF-16, in which a document type would not be seen here, but by whoever shows it
        raise Unreadable("an SVG in another encoding than UTF-8 is not shown")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise Unreadable("an SVG with a document type is not shown: its entities may grow without end")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise Unreadable(f"the SVG is damaged: {one_line(error)}") from error
    if root.tag != "{http://www.w3.org/2000/svg}svg":
        raise Unreadable('this is no SVG: expected <svg xmlns="http://www.w3.org/2000/svg">')
    return embedded_plot(text)


def embedded_plot(svg: str) -> Inline:
    """An SVG text as an image within the page."""
    return Inline(_uri("image/svg+xml", svg.encode()))


def tiles(grid: Image.Image) -> list[list[Image.Image]]:
    """The pictures of a grid, in rows, as `save_grid` wrote them: two white pixels before and after each; else []."""
    pixels = np.asarray(grid.convert("RGB"))
    white = (pixels == 255).all(axis=2)
    down, across = _step(white.all(axis=1)), _step(white.all(axis=0))
    if not down or not across or (grid.height // down) * (grid.width // across) > MOST_TILES:
        return []
    rows = [
        [grid.crop((x + GAP, y + GAP, x + across, y + down)) for x in range(0, grid.width - GAP, across)]
        for y in range(0, grid.height - GAP, down)
    ]
    while len(rows[-1]) > 1 and np.asarray(rows[-1][-1].convert("L")).min() == 255:  # a place that was left empty
        rows[-1].pop()
    return rows


def _step(white: np.ndarray) -> int:
    """The distance of the grid's lines, where `white` says which rows of pixels are white; 0 if there are no such lines."""
    whole = len(white) - GAP
    if white.all():
        return 0
    fits = (n for n in range(GAP + 2, whole + 1) if whole % n == 0 and all(white[line::n].all() for line in range(GAP)))
    return next(fits, 0)


def shown(picture: Image.Image) -> Image.Image:
    """A grid without its white lines, or another picture as it is."""
    rows = tiles(picture)
    return sheet(rows) if rows else picture


def sheet(rows: Sequence[Sequence[Image.Image]]) -> Image.Image:
    """Pictures of one size in rows, with gaps that the page shows through, and none at the edges."""
    width, height = rows[0][0].width + GAP, rows[0][0].height + GAP
    whole = Image.new("RGBA", (len(rows[0]) * width - GAP, len(rows) * height - GAP))
    for y, row in enumerate(rows):
        for x, tile in enumerate(row):
            whole.paste(tile.convert("RGBA"), (x * width, y * height))
    return whole


def _uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
