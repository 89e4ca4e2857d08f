"""A trained detector, as evaluators use it, and how well it finds things."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from attrs import frozen
from torch import nn
from torchvision.ops import box_iou, nms

from ganskit.data.rooms.boxes import KINDS
from ganskit.errors import UserError, nearest
from ganskit.evaluate.rooms.game import placed, seen

AT_ONCE = 256
"""Pictures are always seen so many at a time, so that results repeat to the last bit."""
SAME = 0.5
"""Boxes of one kind whose intersection over union is above this are of one object."""
MOST = 3
"""Of each kind a room has as many at most."""


@frozen
class Found:
    """One object: its kind, how sure the detector is (0 to 1), and its box in fractions of the side."""

    kind: str
    score: float
    left: float
    top: float
    right: float
    bottom: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        return self.left, self.top, self.right, self.bottom


def check_kinds(wanted: Sequence[str], known: Sequence[str] = KINDS) -> None:
    """Raise UserError for a kind that a detector of the known ones does not find."""
    for kind in wanted:
        if kind not in known:
            raise UserError(f'The room detector knows no "{kind}". {nearest(kind, known)}')


@frozen(eq=False)
class Detector:
    """A network trained by ganskit: the `kinds` that it knows, and how well it finds each.

    `quality` is by kind, on fresh rooms: {"window": {"precision": 0.9, "recall": 0.9, "presence": 0.95, "num": 480, "in_blurs":
    0.01}}, where presence is the share of pictures of which it says rightly whether there is one, and in_blurs the share of them
    in which it finds one though they are blurred beyond recognition. `protocol` says, in values for JSON, how it was made.
    """

    net: nn.Module
    kinds: tuple[str, ...]
    shape: tuple[int, ...]
    quality: Mapping[str, Mapping[str, float]]
    protocol: Mapping[str, Any]
    device: torch.device

    @torch.no_grad()
    def __call__(self, x: torch.Tensor, threshold: float = 0.5, kinds: Sequence[str] | None = None) -> list[list[Found]]:
        """What is found in each picture of x (N, C, H, W) in [-1, 1], the surest first; of these `kinds` only, if any are named.

        Raises UserError for pictures of another shape, and for a kind that it does not know.
        """
        if x.shape[1:] != self.shape or not len(x):
            raise UserError(f"The room detector sees pictures (N, {', '.join(map(str, self.shape))}), and not {tuple(x.shape)}.")
        check_kinds(kinds or (), self.kinds)
        columns = [self.kinds.index(kind) for kind in (kinds or self.kinds)]
        found = []
        for part in torch.split(x, AT_ONCE):
            maps = self.net(seen(part.to(self.device, torch.float32))).cpu()[:, columns]
            scores, boxes = maps[:, :, 0].sigmoid().flatten(2), placed(maps[:, :, 1:]).flatten(3).clamp(0, 1)
            for score, box in zip(scores, boxes.transpose(2, 3), strict=True):
                each = (self._of_kind(self.kinds[k], s, b, threshold) for k, s, b in zip(columns, score, box, strict=True))
                found.append(sorted((f for kind in each for f in kind), key=lambda f: -f.score))
        return found

    def _of_kind(self, kind: str, scores: torch.Tensor, boxes: torch.Tensor, threshold: float) -> list[Found]:
        """Scores (P,) and boxes (P, 4) of one kind in one picture -> what they amount to."""
        sure = (scores >= threshold) & (boxes[:, 2:] > boxes[:, :2]).all(1)
        scores, boxes = scores[sure], boxes[sure]
        return [Found(kind, float(scores[i]), *boxes[i].tolist()) for i in nms(boxes, scores, SAME).tolist()[:MOST]]


def measured(
    found: Iterable[Sequence[Found]], true: Iterable[Mapping[str, torch.Tensor]], kinds: Iterable[str]
) -> dict[str, dict[str, float]]:
    """Precision and recall by kind of what was found in pictures in which `true` boxes (B, 4) by kind are.

    A box counts as found once, if a box of its kind overlaps it by half; the surest has the first choice.
    """
    counts = {kind: {"found": 0, "true": 0, "right": 0, "told": 0} for kind in kinds}
    num = 0
    for ours, theirs in zip(found, true, strict=True):
        num += 1
        for kind, count in counts.items():
            boxes = torch.tensor([f.box for f in ours if f.kind == kind]).view(-1, 4)
            count["found"] += len(boxes)
            count["true"] += len(theirs[kind])
            count["right"] += _matches(boxes, theirs[kind])
            count["told"] += (len(boxes) > 0) == (len(theirs[kind]) > 0)
    return {
        kind: {
            "precision": count["right"] / max(1, count["found"]),
            "recall": count["right"] / max(1, count["true"]),
            "presence": count["told"] / max(1, num),
            "num": count["true"],
        }
        for kind, count in counts.items()
    }


def _matches(found: torch.Tensor, true: torch.Tensor) -> int:
    """How many of the true boxes (T, 4) are found (F, 4), the surest first."""
    overlap = box_iou(found, true)
    matched = 0
    for row in overlap if len(true) else ():
        best = int(row.argmax())
        if row[best] >= SAME:
            matched += 1
            overlap[:, best] = 0
    return matched
