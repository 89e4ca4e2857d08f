"""Brushes: soft shapes, streaks, light, and laying colours over one another."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from ganskit.data.colours import Colour
from ganskit.data.portraits.space import Array, Patch, clipped

_BUMPS, _STEPS = 256, 16


def _streaks() -> Array:
    """Smooth noise from -1 to 1 that repeats after `_BUMPS`, from raw bits, which numpy promises to keep."""
    words = np.random.PCG64(np.random.SeedSequence([1511, 6434])).random_raw(_BUMPS)
    bumps = (words >> np.uint64(40)).astype(np.float32) / np.float32(2**23) - 1
    share = np.arange(_STEPS, dtype=np.float32) / _STEPS
    share = share * share * (3 - 2 * share)
    streaks: Array = bumps[:, None] + (np.roll(bumps, -1) - bumps)[:, None] * share
    return streaks.reshape(-1)


_STREAKS = _streaks()


def noise(position: Array) -> Array:
    """Smooth noise from -1 to 1 along a line, with a bump at about every unit."""
    index = (position * np.float32(_STEPS)).astype(np.int32)
    index &= _BUMPS * _STEPS - 1
    taken: Array = _STREAKS.take(index)
    return taken


def clouds(x: Array, y: Array) -> Array:
    """Smooth noise from about -1 to 1 over a plane, with a lump at about every unit: four crossing streaks."""
    lumps = noise(x + 0.31 * y + 900)
    lumps += noise(y - 0.27 * x + 1130)
    lumps += noise(0.71 * (x + y) + 1357)
    lumps += noise(0.71 * (x - y) + 1571)
    lumps *= np.float32(0.6)
    return lumps


def blob(x: Array, y: Array, width: float, height: float) -> Array:
    """A soft spot around (0, 0): 1 in the middle, 0 outside half axes `width` and `height`."""
    u, v = x * np.float32(1 / width), y * np.float32(1 / height)
    u *= u
    v *= v
    u += v
    np.subtract(1, u, out=u)
    np.maximum(u, 0, out=u)
    u *= u
    return u


def within(inside: Array, softness: float) -> Array:
    """0 to 1 where `inside`, a distance to an edge, goes from negative to positive."""
    share = inside * np.float32(1 / softness)
    share += np.float32(0.5)
    return clipped(share)


def disc(x: Array, y: Array, width: float, height: float, softness: float) -> Array:
    """An ellipse around (0, 0) with an edge."""
    u, v = x * np.float32(1 / width), y * np.float32(1 / height)
    u *= u
    v *= v
    u = u + v
    # the distance from the edge is about half of what the square says
    return within(np.float32(0.5 * min(width, height)) * (1 - u), softness)


def smooth(share: float) -> float:
    """0 below 0, 1 above 1, and smooth in between."""
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)


def paint(colour: Colour) -> Array:
    """The colour as (3, 1, 1)."""
    return np.array(colour, np.float32).reshape(3, 1, 1)


def lay(canvas: Array, patch: Patch, colours: Array, cover: Array) -> None:
    """Colours (3, H, W) or (3, 1, 1) over the canvas, where and as much as `cover` (H, W) says."""
    below = canvas[(..., *patch.frame.here)]
    change = colours - below
    change *= cover
    below += change


@frozen
class Light:
    """A key light from one side and light from all around, in the space of what it shines on."""

    towards: tuple[float, float, float]
    """The unit vector to the key light."""
    key: Colour
    ambient: Colour

    def turned(self, turn: tuple[float, float]) -> Light:
        """In the space of something turned by an angle with this sine and cosine."""
        x, y, z = self.towards
        sine, cosine = turn
        return Light((x * cosine - z * sine, y, x * sine + z * cosine), self.key, self.ambient)

    def facing(self, normal: Array) -> Array:
        """The cosine at which the key light falls in, (H, W)."""
        x, y, z = (np.float32(part) for part in self.towards)
        cosine: Array = normal[0] * x
        cosine += normal[1] * y
        cosine += normal[2] * z
        return cosine

    def on(self, normal: Array, wrap: tuple[float, float, float] = (0.2, 0.2, 0.2)) -> Array:
        """The light (3, H, W) on surfaces with these normals; `wrap` says how far it creeps round, per channel."""
        cosine = self.facing(normal)
        sky = normal[1] * np.float32(0.22)
        sky += np.float32(0.78)
        light: Array = cosine + paint(wrap)
        np.maximum(light, 0, out=light)
        light *= paint((self.key[0] / (1 + wrap[0]), self.key[1] / (1 + wrap[1]), self.key[2] / (1 + wrap[2])))
        light += sky * paint(self.ambient)
        return light

    def shine(self, normal: Array, view: tuple[float, float]) -> Array:
        """A highlight (H, W), for what is seen along the direction with this sine and cosine: Blinn's, to the 16th."""
        x, y, z = self.towards
        x, z = x - view[0], z + view[1]  # half-way to the viewer
        length = float(np.sqrt(x * x + y * y + z * z))
        spot = Light((x / length, y / length, z / length), self.key, self.ambient).facing(normal)
        np.maximum(spot, 0, out=spot)
        for _ in range(4):
            spot *= spot
        return spot
