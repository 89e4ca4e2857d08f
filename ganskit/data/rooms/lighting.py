"""How much light falls on each sample: ambient light, lamps, windows, the sun."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import frozen

from ganskit.data.colours import Colour, scaled
from ganskit.data.rooms.patterns import toned
from ganskit.data.rooms.scene import Scene
from ganskit.data.rooms.space import Array, Place, Point, Wall
from ganskit.data.rooms.textures import window_frame

DAYLIGHT: Colour = (0.98, 1.00, 1.04)
SUNLIGHT: Colour = (1.30, 1.12, 0.80)
LAMPLIGHT: Colour = (1.30, 0.84, 0.42)
MOONLIGHT: Colour = (0.30, 0.42, 0.70)
AMBIENT_BY_DAY: Colour = (0.46, 0.47, 0.49)
AMBIENT_BY_NIGHT: Colour = (0.09, 0.10, 0.145)

PENUMBRA_M = 0.08
"""How wide the soft edge of a patch of sun is."""
SUN_FALL = 1.2
"""How far a ray of the sun falls for each metre into the room."""


@frozen
class Light:
    """A soft light: `spread_m` is about its radius. It shines all around or, with `facing`, into a half space."""

    position: Point
    colour: Colour
    spread_m: float
    facing: Point | None = None


def illuminate(scene: Scene, points: Array, normals: Array, light: Array) -> None:
    """Fill in the light per channel, (3, H, W), that falls on `points` (3, H, W) with `normals` (3, H, W)."""
    openness = _openness(scene, points, normals)
    for channel, ambient in enumerate(AMBIENT_BY_DAY if scene.light == "day" else AMBIENT_BY_NIGHT):
        np.multiply(openness, np.float32(ambient), out=light[channel])
    for lamp in _lights(scene):
        _add(light, lamp.colour, _received(lamp, points, normals))
    floor = slice(int((points[1] < 0.05).any(1).argmax()), None)
    light[:, floor] *= _contact_shadow(scene, points[:, floor])
    if scene.sun > 0:
        colour = scaled(SUNLIGHT, 1.3 * scene.sun) if scene.light == "day" else scaled(MOONLIGHT, 0.35 * scene.sun)
        for place in scene.windows:
            _add(light, colour, _sun_patch(scene, place, points, normals))


def _add(light: Array, colour: Colour, received: Array) -> None:
    for channel, strength in enumerate(colour):
        light[channel] += received * np.float32(strength)


def _lights(scene: Scene) -> Iterator[Light]:
    """What shines in from the room's open side, through the windows, and at night the lamps."""
    day, camera = scene.light == "day", scene.camera
    behind = (scene.width / 2, scene.height * 0.8, camera.distance + 0.8)
    if day:
        yield Light(behind, scaled(DAYLIGHT, 6.5), 2.0)
    else:
        yield Light(behind, scaled(LAMPLIGHT, 0.7 if scene.lamps else 3.0), 2.0)
    for place in scene.windows:
        wall = Wall(place.wall, scene.width)
        middle = wall.point(place.middle, (place.bottom + place.top) / 2, -0.2)
        yield Light(middle, scaled(DAYLIGHT, 1.7) if day else scaled(MOONLIGHT, 0.45), 0.8, wall.normal)
    if not day:
        for place in scene.lamps:
            yield Light(bulb(scene, place), scaled(LAMPLIGHT, 0.95), 0.6)


def bulb(scene: Scene, lamp: Place) -> Point:
    """The middle of a lamp's shade."""
    rise = lamp.top - lamp.bottom
    return Wall(lamp.wall, scene.width).point(lamp.middle, lamp.top - 0.25 * rise, lamp.out / 2)


def halo(scene: Scene, size: int) -> Array:
    """What burning lamps add around themselves in the eye, (3, size, size)."""
    glare = np.zeros((3, size, size), np.float32)
    if scene.light == "night":
        centres = (np.arange(size, dtype=np.float32) + 0.5) * np.float32(2 / size) - 1
        for place in scene.lamps:
            x, y, depth = scene.camera.project(bulb(scene, place))
            radius = 0.3 * scene.camera.focal / max(depth, 0.5)
            across, down = ((centres + np.float32(shift)) * np.float32(1 / radius) for shift in (-x, y))
            falloff = 1 + across * across + (down * down)[:, None]
            _add(glare, scaled(LAMPLIGHT, 0.16), 1 / (falloff * falloff))
    return glare


def _received(light: Light, points: Array, normals: Array) -> Array:
    """Lambert's cosine over the squared distance, both softened because the light is not a point."""
    x, y, z = (np.float32(value) - points[axis] for axis, value in enumerate(light.position))
    square = x * x + y * y + z * z
    cosine = x * normals[0] + y * normals[1] + z * normals[2]
    distance = np.sqrt(square)
    received: Array = np.maximum(cosine + 0.12 * distance, 0) / (distance * (square + np.float32(light.spread_m**2)))
    if light.facing:
        towards = x * np.float32(-light.facing[0]) + z * np.float32(-light.facing[2])
        received *= np.maximum(towards, 0) / distance
    return received


def _openness(scene: Scene, points: Array, normals: Array) -> Array:
    """Ambient occlusion: less light in the room's corners, more on what faces up."""
    x, y, z = points
    sides = np.minimum(x, np.float32(scene.width) - x) + np.abs(normals[0])
    levels = np.minimum(y, np.float32(scene.height) - y) + np.abs(normals[1])
    depths = z + np.abs(normals[2])
    openness: Array = 1 + 0.12 * normals[1]
    for distance in (sides, levels, depths):
        openness *= (distance + np.float32(0.10)) / (distance + np.float32(0.22))
    return openness


def _contact_shadow(scene: Scene, points: Array) -> Array:
    """The floor darkens towards the foot of the furniture."""
    x, y, z = points
    shadow = np.ones_like(x)
    for place in (scene.bed, *scene.tables, scene.wardrobe, scene.plant):
        if place:
            x_middle, x_half, z_middle, z_half = footprint(scene, place)
            aside = np.maximum(np.abs(x - x_middle) - x_half, 0)
            before = np.maximum(np.abs(z - z_middle) - z_half, 0)
            square = aside * aside + before * before
            shadow *= (square + np.float32(0.012)) / (square + np.float32(0.030))
    return np.where(y < 0.05, shadow, np.float32(1))


def footprint(scene: Scene, place: Place) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Middle and half size in x, then in z, of what a piece of furniture covers."""
    wall = Wall(place.wall, scene.width)
    (x_0, _, z_0), (x_1, _, z_1) = wall.point(place.start, 0, 0), wall.point(place.end, 0, place.out)
    middle_and_half = (x_0 + x_1) / 2, abs(x_1 - x_0) / 2, (z_0 + z_1) / 2, abs(z_1 - z_0) / 2
    x_middle, x_half, z_middle, z_half = (np.float32(value) for value in middle_and_half)
    return x_middle, x_half, z_middle, z_half


def _sun_patch(scene: Scene, place: Place, points: Array, normals: Array) -> Array:
    """Where the sun's rays through a window arrive, times their cosine."""
    x, y, z = points
    wall = Wall(place.wall, scene.width)
    along, out = wall.along_and_out(x, z)
    slant = scene.sun_slant if place.wall == "back" else 0.4 * scene.sun_slant
    inward_x, _, inward_z = wall.normal
    ray = inward_x + slant * inward_z, -SUN_FALL, inward_z + slant * abs(inward_x)
    # where the ray came through the window
    along, up = along - out * np.float32(slant), y + out * np.float32(SUN_FALL)
    across, centre = np.abs(along - np.float32(place.middle)), np.float32((place.bottom + place.top) / 2)
    edge = np.minimum(place.width / 2 - across, (place.top - place.bottom) / 2 - np.abs(up - centre))
    lit: Array = np.clip(edge * np.float32(1 / PENUMBRA_M), 0, 1)
    lit *= toned(window_frame(place, scene.glazing, along, up), 0.2)
    for rise in (0.15, 0.4):  # two heights at which the bed may be in the way of what reaches the floor
        x_middle, x_half, z_middle, z_half = footprint(scene, scene.bed)
        back = np.float32(rise / SUN_FALL)
        shaded = np.abs(x - back * np.float32(ray[0]) - x_middle) < x_half
        shaded &= np.abs(z - back * np.float32(ray[2]) - z_middle) < z_half
        lit *= ~(shaded & (y < 0.1))
    cosine = ray[0] * normals[0] + ray[1] * normals[1] + ray[2] * normals[2]
    lit *= np.maximum(-cosine, 0)
    return lit
