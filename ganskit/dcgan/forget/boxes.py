"""Boxes around an object on generated samples: from a file, drawn on pictures, laid over feature maps."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torchvision.utils import draw_bounding_boxes

from ganskit import UserError
from ganskit.pictures import to_bytes

Boxes = dict[int, torch.Tensor]
"""Sample -> boxes (B, 4) float32: left, top, right, bottom in pixels from the top left corner."""
FORMAT = 'Expected {"SAMPLE": [[left, top, right, bottom], ...], ...} in pixels, such as {"3": [[8, 4, 30, 28]]}'


def read(file: str | Path, num: int, height: int, width: int) -> Boxes:
    """The boxes in a JSON file for some of `num` samples of height x width pixels.

    Raises UserError for a file that cannot be read or says something else, samples that do not exist, and boxes that are not
    within the picture.
    """
    try:
        table = json.loads(content(file).decode(), object_pairs_hook=_once)
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{file} cannot be read: {error}. {FORMAT}.") from error
    if not isinstance(table, dict):
        raise UserError(f"{file} is not about boxes. {FORMAT}.")
    boxes: Boxes = {}
    for key, value in table.items():
        if not re.fullmatch("[0-9]{1,18}", key) or int(key) >= num:
            raise UserError(f'{file}: there is no sample "{key[:30]}" among {num:,}, which are numbered from 0 to {num - 1:,}.')
        if int(key) in boxes:
            raise UserError(f"{file} names sample {int(key)} twice: put all its boxes into one list.")
        boxes[int(key)] = torch.tensor([_box(each, file, key, height, width) for each in _listed(value, file, key)]).view(-1, 4)
    if not any(map(len, boxes.values())):
        raise UserError(f"{file} has no boxes: draw some around the object that is to be forgotten.")
    return boxes


def content(file: str | Path) -> bytes:
    """The file's bytes; ~ is the user's home. Raises OSError."""
    return Path(os.path.expanduser(file)).read_bytes()


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f'"{next(name for name in names if names.count(name) > 1)}" is there twice')
    return table


def _listed(value: Any, file: str | Path, key: str) -> list[Any]:  # noqa: ANN401 - whatever JSON can hold
    if not isinstance(value, list):
        raise UserError(f"{file}, sample {key[:30]}: {str(value)[:60]} is no list. {FORMAT}.")
    return value


def _box(value: Any, file: str | Path, key: str, height: int, width: int) -> list[float]:  # noqa: ANN401 - whatever JSON can hold
    is_number = [isinstance(each, (int, float)) and not isinstance(each, bool) for each in _listed(value, file, key)]
    if len(is_number) != 4 or not all(is_number):
        raise UserError(f"{file}, sample {key}: {str(value)[:60]} is no box. {FORMAT}.")
    left, top, right, bottom = value
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        raise UserError(
            f"{file}, sample {key}: the box {value} is not within the picture of {width}x{height} pixels: expected "
            f"0 <= left < right <= {width} and 0 <= top < bottom <= {height}."
        )
    return [float(each) for each in value]


def covered(boxes: torch.Tensor, picture: tuple[int, int], maps: tuple[int, int]) -> torch.Tensor:
    """Which positions of feature maps (h, w) have their middle inside one of the boxes (B, 4); (h, w) bool.

    A box between the middles covers the position that its own middle lies in.
    """
    (height, width), (rows, columns) = picture, maps
    down = (torch.arange(rows) + 0.5) * height / rows
    across = (torch.arange(columns) + 0.5) * width / columns
    left, top, right, bottom = (edge[:, None] for edge in boxes.unbind(1))
    within = ((down >= top) & (down <= bottom))[:, :, None] & ((across >= left) & (across <= right))[:, None]
    for box, each in zip(boxes.tolist(), within, strict=True):
        if not each.any():
            row = math.floor((box[1] + box[3]) / 2 * rows / height)
            column = math.floor((box[0] + box[2]) / 2 * columns / width)
            each[min(row, rows - 1), min(column, columns - 1)] = True
    return within.any(0)


def drawn(x: torch.Tensor, boxes: Mapping[int, torch.Tensor], shown: int) -> torch.Tensor:
    """The first `shown` samples of x (N, C, H, W) that have boxes, with the boxes in red: (S, 3, H, W) in [-1, 1]."""
    pictures = []
    for i in [i for i in sorted(boxes) if len(boxes[i])][:shown]:
        edges = boxes[i].round()
        edges[:, 2:] = torch.maximum(edges[:, 2:] - 1, edges[:, :2])  # the last pixel within
        picture = to_bytes(x[i].expand(3, -1, -1))
        pictures.append(draw_bounding_boxes(picture, edges, colors="red"))
    return torch.stack(pictures).float().div(127.5).sub(1)
