"""The skin of a head: a surface to be painted on in head space, then lit."""

from __future__ import annotations

import numpy as np
from attrs import define

from ganskit.data.colours import Colour
from ganskit.data.portraits.painting import Light, paint
from ganskit.data.portraits.space import Array, Frame, Patch, Point, View
from ganskit.data.portraits.stack import Hit, unit

WRAP = (0.36, 0.24, 0.20)
"""Red light creeps furthest under the skin."""


@define(eq=False)
class Skin:
    """Samples (H, W) of a surface. Painting changes the arrays in place; `part` gives a rectangle of them."""

    view: View
    frame: Frame
    x: Array
    y: Array
    z: Array
    normal: Array
    colour: Array
    """The share of light that is reflected, (3, H, W)."""
    tone: Array
    """How much of the light arrives, (H, W)."""
    gloss: Array
    """Light added on top, (H, W)."""

    @classmethod
    def bare(cls, hit: Hit, patch: Patch, view: View, colour: Colour) -> Skin:
        """Skin all of one colour."""
        colours = np.empty_like(hit.normal)
        colours[:] = paint(colour)
        tone, gloss = np.ones_like(hit.x), np.zeros_like(hit.x)
        return cls(view, patch.frame, hit.x, hit.y, hit.z, hit.normal, colours, tone, gloss)

    @property
    def soft(self) -> float:
        """The width of an edge that is as sharp as the samples allow."""
        return max(1.1 * self.view.sample, 0.004)

    def part(self, low: Point, high: Point) -> Skin | None:
        """The samples that may show a block of head space; None when there are none."""
        block = self.view.frame(low, high)
        frame = block and block.overlap(self.frame)
        if frame is None:
            return None
        here = ..., *frame.inside(self.frame)
        arrays = (array[here] for array in (self.x, self.y, self.z, self.normal, self.colour, self.tone, self.gloss))
        return Skin(self.view, frame, *arrays)

    def paint(self, colour: Colour, cover: Array) -> None:
        """A colour, where and as much as `cover` says."""
        change = paint(colour) - self.colour
        change *= cover
        self.colour += change

    def stain(self, colour: Colour, cover: Array) -> None:
        """A colour that the skin shines through."""
        change = paint((colour[0] - 1, colour[1] - 1, colour[2] - 1)) * cover
        change += 1
        self.colour *= change

    def shade(self, cover: Array, strength: float) -> None:
        """Less light."""
        change = cover * np.float32(-strength)
        change += 1
        self.tone *= change

    def bump(self, x: Array, y: Array, width: float, height: float, rise: float) -> None:
        """A smooth bump (a hollow, if `rise` is negative): bends the normals, by the slope of `blob(x, y)`."""
        u, v = x * np.float32(1 / width), y * np.float32(1 / height)
        steep = np.maximum(1 - u * u - v * v, 0)
        u *= steep
        v *= steep
        u *= np.float32(4 * rise / width)
        v *= np.float32(4 * rise / height)
        self.normal[0] += u
        self.normal[1] += v

    def lit(self, light: Light, shine: float) -> Array:
        """The light that comes from it, (3, H, W)."""
        unit(self.normal)
        seen = light.on(self.normal, WRAP)
        seen *= self.colour
        gloss = light.shine(self.normal, self.view.pose.turn)
        gloss *= np.float32(shine)
        gloss += self.gloss
        seen += gloss
        seen *= self.tone
        return seen
