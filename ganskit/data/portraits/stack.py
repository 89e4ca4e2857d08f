"""Round bodies: stacks of ellipses, which lie level one above the other.

Seen level and in parallel, each row of the picture meets one ellipse, so where a ray meets the body has a closed form.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy

import numpy as np
from attrs import frozen

from ganskit.data.portraits.space import Array, Patch, Point, View, clipped

Section = tuple[float, float, float, float]
"""At a height: half the width, and how far to the front and to the back it reaches."""

_THIN = 1e-4
"""The smallest square of a half axis."""


@frozen(eq=False)
class Hit:
    """What the samples (H, W) of a patch see of a body. Where they miss it, `cover` is 0 and the rest is anything."""

    cover: Array
    """How much of the sample is covered, 0 to 1."""
    x: Array
    y: Array
    z: Array
    """In head space."""
    depth: Array
    """How near it is to the viewer."""
    exit: Array
    """The same where the ray leaves it again."""
    normal: Array
    """Unit vectors in head space, (3, H, W)."""


class Stack:
    """A body through `sections`, from the lowest up, smoothly: squares of half axes are joined by cubics.

    `x` is where it stands; `lean` is the depth that nodding moves as a whole.
    """

    def __init__(self, sections: Sequence[Section], x: float = 0.0, lean: float = 0.0) -> None:
        self.x, self.lean = x, lean
        knots, widths, fronts, backs = np.array(sections).T
        self._low, self._high = sections[0][0], sections[-1][0]
        self._reach = float(widths.max()), float(fronts.max()), float(backs.min())
        depths = (fronts - backs) / 2
        values = np.array([widths * widths, depths * depths, (fronts + backs) / 2])  # (3, sections)
        self._knots, self._gaps = knots, knots[1:] - knots[:-1]
        rises = values[:, 1:] - values[:, :-1]
        slopes = rises / self._gaps
        slopes = np.concatenate([slopes[:, :1], (slopes[:, 1:] + slopes[:, :-1]) / 2, slopes[:, -1:]], 1)
        first, last = slopes[:, :-1] * self._gaps, slopes[:, 1:] * self._gaps
        cubics = np.array([values[:, :-1], first, 3 * rises - 2 * first - last, first + last - 2 * rises])
        self._cubics = cubics.astype(np.float32)  # (powers of the share of the way up, 3, sections - 1)

    def mirrored(self) -> Stack:
        """The same on the other side of the middle."""
        other = copy(self)
        other.x = -self.x
        return other

    def bounds(self) -> tuple[Point, Point]:
        """Two corners of a block around it."""
        width, front, back = self._reach
        width *= 1.05
        return (self.x - width, self._low, back - 0.05), (self.x + width, self._high, front + 0.05)

    def fronts(self, points: Sequence[tuple[float, float]]) -> list[float]:
        """The depth z of its front at each (x, y)."""
        x, y = np.array(points).T
        width, depth, middle = self._curves(y).astype(np.float64)
        inside = np.maximum(1 - (x - self.x) * (x - self.x) / np.maximum(width, _THIN), 0)
        found: list[float] = (middle + np.sqrt(np.maximum(depth, _THIN) * inside)).tolist()
        return found

    def _curves(self, heights: Array) -> Array:
        """Squares of the half width and of the half depth, and the middle's z, at these heights: (3, N)."""
        index = self._knots[1:-1].searchsorted(heights)
        share = ((heights - self._knots.take(index)) / self._gaps.take(index)).astype(np.float32)
        constant, linear, square, curves = self._cubics.take(index, 2)
        for term in (square, linear, constant):
            curves *= share
            curves += term
        joined: Array = curves
        return joined

    def hit(self, view: View, patch: Patch) -> Hit:
        """Where the patch's rays meet it. For an ellipse with half axes w and d, turned by an angle with sine s and
        cosine c: w z = s c (d^2 - w^2) x + w d sqrt(w^2 c^2 + d^2 s^2 - x^2), up to w^2 c^2 + d^2 s^2 for w.
        """
        sine, cosine = view.pose.turn
        # Tables at heights that are multiples of `step`, wherever the body begins: a beard changes nothing further up.
        step = view.sample / 2
        first, last = math.floor(self._low / step), math.ceil(self._high / step)
        num = last - first + 1
        width, depth, middle = curves = self._curves(np.arange(first, last + 1) * step)
        np.maximum(curves[:2], _THIN, out=curves[:2])
        slopes = np.empty_like(curves)
        slopes[:, 1:-1] = (curves[:, 2:] - curves[:, :-2]) * (0.5 / step)
        slopes[:, 0], slopes[:, -1] = slopes[:, 1], slopes[:, -2]
        reach = width * (cosine * cosine) + depth * (sine * sine)
        steep = slopes[0] * (cosine * cosine) + slopes[1] * (sine * sine)
        tables = np.array(
            [
                reach,
                1 / (np.sqrt(4 * reach + steep * steep) * view.sample),
                middle * sine + self.x * cosine,
                middle * cosine - self.x * sine,
                (depth - width) * (sine * cosine) / reach,
                np.sqrt(width * depth) / reach,
                1 / width,
                1 / depth,
                slopes[0] / width * 0.5,
                slopes[1] / depth * 0.5,
            ]
        )
        lifted = patch.up - np.float32(view.pose.nod * self.lean)
        index = np.rint(lifted * np.float32(1 / step)).astype(np.intp)
        index -= first
        square, sharp, shift, near, shear, bulge, over_w, over_d, slope_w, slope_d = tables.take(index, 1, mode="clip")
        across = patch.across - shift
        square -= across * across
        sharp *= square
        sharp += np.float32(0.5)
        cover = clipped(sharp)
        cover *= (index >= 0) & (index < num)
        bulge *= np.sqrt(np.maximum(square, 0))
        shear *= across
        ahead = shear + bulge  # from the section's middle towards the viewer
        x, z = across * cosine - ahead * sine, across * sine + ahead * cosine
        normal = np.empty((3, *x.shape), np.float32)
        np.multiply(x, over_w, out=normal[0])
        np.multiply(z, over_d, out=normal[2])
        np.multiply(normal[0], x, out=over_w)
        np.multiply(normal[2], z, out=over_d)
        over_w *= slope_w
        over_d *= slope_d
        np.add(over_w, over_d, out=normal[1])
        np.negative(normal[1], out=normal[1])
        # the middle's drift, which makes the front lean
        drift = slopes[2].take(index, mode="clip")
        drift *= normal[2]
        normal[1] -= drift
        unit(normal)
        ahead += near
        shear -= bulge
        shear += near
        z += middle.take(index, mode="clip")
        if self.x:
            x += np.float32(self.x)
        y = patch.up - np.float32(view.pose.nod) * z
        return Hit(cover, x, y, z, ahead, shear, normal)


def unit(vectors: Array) -> None:
    """Scale vectors (3, H, W) to length 1, in place."""
    x, y, z = vectors
    length = x * x
    length += y * y
    length += z * z
    vectors /= np.sqrt(length + np.float32(1e-12))
