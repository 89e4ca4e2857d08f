"""Contact sheets: many small pictures in one, to be looked at."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ganskit.data.files import write_whole
from ganskit.data.images import from_pixels

if TYPE_CHECKING:
    from ganskit.data.store import Store

GAP = 2


def save(pictures: Sequence[np.ndarray], file: str | Path, columns: int | None = None) -> Path:
    """Write pictures, each uint8 (1 or 3, H, W), as one PNG, row by row, on white; as square as can be unless `columns` says."""
    columns = columns or max(1, round(math.sqrt(len(pictures))))
    width, height = (max(each.shape[axis] for each in pictures) + GAP for axis in (2, 1))
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * width + GAP, rows * height + GAP), "white")
    for number, each in enumerate(pictures):
        row, column = divmod(number, columns)
        sheet.paste(from_pixels(each), (column * width + GAP, row * height + GAP))
    png = io.BytesIO()
    sheet.save(png, "PNG")
    write_whole(Path(file), png.getvalue())
    return Path(file)


def examples(store: Store, num: int = 64) -> list[np.ndarray]:
    """Pictures from all over a store, evenly spaced; of fields `a` and `b` both, in turns. Empty when it has none."""
    shown = [name for name, field in store.fields.items() if field.pixels and len(field.shape) == 3 and field.shape[0] in (1, 3)]
    wanted = min(len(store), num // max(1, len(shown)))
    indices = [number * len(store) // wanted for number in range(wanted)]
    return [store.arrays(index)[name] for index in indices for name in shown]
