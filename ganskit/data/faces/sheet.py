"""Photographs with their boxes drawn, to see by eye whether these are right."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from ganskit.data import images, sheet
from ganskit.data.dataset import Skip
from ganskit.data.faces.looking import Seen
from ganskit.data.pictures import Files

TILE = 160
WITH_FACES, WITHOUT = 48, 16
GREEN = (0, 255, 0)


def draw(seen: Sequence[Seen], files: Files, file: Path) -> None:
    """A sheet of up to 48 photographs with faces, evenly spaced among these, then up to 16 in which none was found."""
    readable = [each for each in seen if not each.reason]
    shown = _some([each for each in readable if each.faces], WITH_FACES) + _some(
        [each for each in readable if not each.faces], WITHOUT
    )
    tiles = []
    for each in shown:
        with contextlib.suppress(Skip):  # gone in the meantime
            tiles.append(images.pixels(_tile(images.read(files.data(each.file), 3), each)))
    sheet.save(tiles, file, columns=8)


def _some(seen: Sequence[Seen], most: int) -> list[Seen]:
    num = min(most, len(seen))
    return [seen[index * len(seen) // num] for index in range(num)]


def _tile(photo: Image.Image, seen: Seen) -> Image.Image:
    """The whole photograph, its longer side 160 pixels, with its boxes."""
    scale = TILE / max(photo.size)
    width, height = (max(1, round(side * scale)) for side in photo.size)
    tile = photo.resize((width, height), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(tile)
    for box in seen.faces:
        right, bottom = box.left + box.width, box.top + box.height
        pen.rectangle([round(at * scale) for at in (box.left, box.top, right - 1, bottom - 1)], outline=GREEN, width=2)
    return tile
