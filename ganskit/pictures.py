"""Samples as picture files."""

from __future__ import annotations

import io
import math
from pathlib import Path

import torch
from PIL import Image

from ganskit.data.files import write_whole
from ganskit.errors import UserError


def is_pictures(x: torch.Tensor) -> bool:
    """Whether x (N, C, H, W) can be shown: grey or colour."""
    return x.ndim == 4 and x.shape[1] in (1, 3)


def to_bytes(x: torch.Tensor) -> torch.Tensor:
    """x in [-1, 1] as uint8, rounded; the inverse of how pictures are dealt."""
    return x.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)


def save_grid(x: torch.Tensor, file: str | Path, columns: int | None = None) -> Path:
    """Write x (N, C, H, W) in [-1, 1] as one PNG, row by row, as square as can be."""
    from torchvision.utils import make_grid  # 1 s to import, and only grids need it

    if not len(x) or not is_pictures(x):
        raise UserError(f"A grid shows pictures (N, 1 or 3, H, W), at least one, and not {tuple(x.shape)}.")
    file = Path(file)
    columns = columns or max(1, round(math.sqrt(len(x))))
    grid = make_grid(to_bytes(x.cpu()), nrow=columns, padding=2, pad_value=255)
    file.parent.mkdir(parents=True, exist_ok=True)
    png = io.BytesIO()
    Image.fromarray(grid.permute(1, 2, 0).numpy()).save(png, "PNG")
    write_whole(file, png.getvalue())
    return file
