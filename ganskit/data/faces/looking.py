"""Looking at one photograph after the other: which squares of it are faces."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from attrs import field, frozen
from PIL import Image

from ganskit.data import images, pool
from ganskit.data.boxes import Box
from ganskit.data.dataset import Skip
from ganskit.data.faces.detectors import Detect, Detector
from ganskit.data.files import write_whole
from ganskit.data.pictures import Files
from ganskit.validators import at_least, not_negative

ALSO_SEEN = 0.75
"""Faces down to this share of the least size are looked for, too: to be counted, and because a cascade that is not shown
sizes below the least one misses faces just above it, where too few windows agree."""


@frozen
class Wanted:
    """What is taken for a face, and how it is cut.

    `least`: pixels on a side in the photograph ("keeping the detections that are sufficiently high resolution", Radford
    2016, section 4.2). `margin` is added on each side, as a share of the side; the paper has none.
    """

    detector: Detector
    least: int = field(default=64, validator=at_least(8))
    margin: float = field(default=0.0, validator=not_negative)


@frozen
class Seen:
    """What was found in one photograph; `reason` says why it could not be read."""

    file: str
    faces: tuple[Box, ...] = ()
    num_small: int = 0
    """Detections below the least size."""
    reason: str = ""


def look(file: str, files: Files, wanted: Wanted, detect: Detect) -> Seen:
    """The faces in one photograph, from left to right."""
    try:
        photo = images.read(files.data(file), wanted.detector.channels)
    except Skip as reason:
        return Seen(file, reason=str(reason))
    scale = wanted.detector.scale(max(photo.size), wanted.least)
    small = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    reduced = photo.resize(small, Image.Resampling.BICUBIC) if small != photo.size else photo
    faces, num_small = [], 0
    for *box, score in detect(np.asarray(reduced), max(1, round(ALSO_SEEN * wanted.least * scale))):
        left, top, width, height = (each / scale for each in box)
        if square(left, top, width, height, photo.size)[2] < wanted.least:
            num_small += 1
            continue
        left, top, side = square(left, top, width, height, photo.size, wanted.margin)
        faces.append(Box(file, left, top, side, side, photo.width, photo.height, round(score, 4)))
    return Seen(file, tuple(faces), num_small)


def square(
    left: float, top: float, width: float, height: float, photo: tuple[int, int], margin: float = 0.0
) -> tuple[int, int, int]:
    """(left, top, side) of the square around a box, widened by the margin, in whole pixels.

    What would leave the photograph is shifted inside; a square larger than the photograph becomes as large as it.
    """
    side = min(round(max(width, height) * (1 + 2 * margin)), *photo)
    centre = (left + width / 2, top + height / 2)
    corner = [min(max(0, round(at - side / 2)), whole - side) for at, whole in zip(centre, photo, strict=True)]
    return corner[0], corner[1], side


@frozen
class Task:
    """Some photographs to look at; what is seen goes into `out`."""

    out: Path
    files: Files
    names: Sequence[str]
    wanted: Wanted


def run(task: Task, tick: Callable[[], object] = lambda: None) -> tuple[Seen, ...]:
    """Look at the photographs of a task, and note what was seen; `tick` is called after each. Raises Stopped."""
    wanted = task.wanted
    detect = wanted.detector.open()
    seen = []
    for name in task.names:
        if pool.stopping():
            raise pool.Stopped
        seen.append(look(name, task.files, wanted, detect))
        tick()
    write_whole(task.out, json.dumps([attrs.asdict(each) for each in seen]).encode())  # all ASCII: any name survives
    return tuple(seen)


def noted(task: Task) -> tuple[Seen, ...] | None:
    """What an earlier, interrupted search has seen in these photographs, or None."""
    try:
        seen = tuple(_seen(each) for each in json.loads(task.out.read_bytes()))
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return seen if [each.file for each in seen] == list(task.names) else None


def _seen(table: dict[str, Any]) -> Seen:
    return Seen(**table | {"faces": tuple(Box(**box) for box in table["faces"])})
