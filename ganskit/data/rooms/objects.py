"""Every object of a scene as faces."""

from __future__ import annotations

from ganskit.data.colours import blend, scaled
from ganskit.data.rooms import textures
from ganskit.data.rooms.mesh import Look, Mesh
from ganskit.data.rooms.palette import (
    CARPETS,
    CEILING,
    CLAY,
    FABRICS,
    LAMPSHADE,
    LEAF,
    LINEN,
    METALS,
    PLANKS,
    TRIM,
    WALLS,
    WOODS,
)
from ganskit.data.rooms.plan import MATTRESS_HEIGHT, TALL
from ganskit.data.rooms.scene import Scene
from ganskit.data.rooms.space import Place, Point, Wall

CURTAIN_WIDTH = 0.3
BLANKET_START = 0.62
BLANKET_ROUNDING = 0.09
POT_HEIGHT = 0.34

_PILLOW_CORNER = ((1.0, 0.0), (0.96, 0.6), (0.85, 0.85), (0.6, 0.96))
_QUARTER_TURNS = ((1, 0), (0, 1), (-1, 0), (0, -1))
_PILLOW_OUTLINE = [(c * x - s * y, s * x + c * y) for c, s in _QUARTER_TURNS for x, y in _PILLOW_CORNER]
"""A rounded square from -1 to 1."""

_LEAF_TIPS = ((-0.95, 0.72), (-0.6, 0.93), (-0.12, 1), (0.35, 0.96), (0.8, 0.84), (1, 0.6), (-0.7, 0.52), (0.5, 0.55))
"""In half widths from the middle and parts of the plant's height."""


def build(scene: Scene) -> Mesh:
    """All faces of the scene that face the camera."""
    camera = scene.camera
    mesh = Mesh((camera.x, camera.height, camera.distance))
    _shell(mesh, scene)
    for place in scene.windows:
        _window(mesh, scene, place)
    for number, place in enumerate(scene.pictures):
        _picture(mesh, scene, place, number)
    if scene.door:
        _door(mesh, scene, scene.door)
    if scene.rug:
        _rug(mesh, scene, scene.rug)
    if scene.wardrobe:
        _wardrobe(mesh, scene, scene.wardrobe)
    _bed(mesh, scene)
    for place in scene.tables:
        _table(mesh, scene, place)
    for place in scene.lamps:
        _lamp(mesh, scene, place)
    if scene.plant:
        _plant(mesh, scene, scene.plant)
    return mesh


def _shell(mesh: Mesh, scene: Scene) -> None:
    """Walls, floor and ceiling; open behind the camera."""
    width, height, behind = scene.width, scene.height, scene.camera.distance + 1
    paint = scaled(WALLS[scene.wall], scene.wall_tone)
    wall_look = Look(paint, textures.wall_paint(paint, scene.wallpaper, height))
    for name, length in (("back", width), ("left", behind), ("right", behind)):
        mesh.panel(Wall(name, width), (0, length), (0, height), 0, wall_look)
    wood = scene.flooring == "planks"
    colour = scaled((PLANKS if wood else CARPETS)[scene.floor], scene.floor_tone)
    floor_look = Look(colour, textures.planks(colour) if wood else None)
    back = Wall("back", width)
    floor = ((0, 0, 0), (width, 0, 0), (width, 0, behind), (0, 0, behind))
    mesh.sheet(back, floor, (0, 1, 0), floor_look)
    ceiling = ((0, height, 0), (width, height, 0), (width, height, behind), (0, height, behind))
    mesh.sheet(back, ceiling, (0, -1, 0), Look(CEILING))


def _window(mesh: Mesh, scene: Scene, place: Place) -> None:
    day = scene.light == "day"
    wall = Wall(place.wall, scene.width)
    pane = textures.window_pane(place, scene.glazing, scene.camera.height, day, scene.motif)
    mesh.thing("window")
    look = Look(TRIM, pane, glow=0.85 if day else 0.25)
    mesh.panel(wall, (place.start, place.end), (place.bottom, place.top), 0.01, look)
    mesh.box(wall, (place.start - 0.05, place.end + 0.05), (place.bottom - 0.05, place.bottom), (0, 0.1), Look(TRIM))
    if scene.curtains != "none":
        colour = FABRICS[scene.accent]
        look = Look(colour, textures.curtain(colour), glow=0.12 if day else 0.0)
        low, high = (0.03 if scene.curtains == "long" else place.bottom - 0.15), place.top + 0.1
        mesh.thing("curtain")
        for start in (place.start - CURTAIN_WIDTH / 2, place.end - CURTAIN_WIDTH / 2):
            mesh.panel(wall, (start, start + CURTAIN_WIDTH), (low, high), 0.08, look)
        rod = (place.start - CURTAIN_WIDTH * 0.7, place.end + CURTAIN_WIDTH * 0.7)
        mesh.panel(wall, rod, (high, high + 0.04), 0.09, Look(METALS["iron"]))


def _picture(mesh: Mesh, scene: Scene, place: Place, number: int) -> None:
    motif = scene.motif + number * 37
    names = tuple(FABRICS)
    first, second = FABRICS[names[motif % len(names)]], FABRICS[names[(motif // len(names) + 5) % len(names)]]
    frame = METALS[scene.metal]
    look = Look(frame, textures.painting(place, frame, first, blend(second, LINEN, 0.4), motif))
    mesh.thing("picture")
    mesh.panel(Wall(place.wall, scene.width), (place.start, place.end), (place.bottom, place.top), 0.03, look)


def _door(mesh: Mesh, scene: Scene, place: Place) -> None:
    colour = TRIM if scene.wood == "white" else WOODS[scene.wood]
    look = Look(colour, textures.door_leaf(place, colour))
    mesh.thing("door")
    mesh.panel(Wall(place.wall, scene.width), (place.start, place.end), (0, place.top), 0.02, look)


def _rug(mesh: Mesh, scene: Scene, place: Place) -> None:
    wall = Wall(place.wall, scene.width)
    outline = ((place.start, 0.5), (place.end, 0.5), (place.end, place.out), (place.start, place.out))
    colour = FABRICS[scene.accent]
    mesh.thing("rug")
    corners = [wall.point(along, place.top, out) for along, out in outline]
    mesh.sheet(wall, corners, (0, 1, 0), Look(colour, textures.rug_weave(place, colour)))


def _wardrobe(mesh: Mesh, scene: Scene, place: Place) -> None:
    colour = WOODS[scene.wood]
    rows = 1 if place.top > TALL else 3
    mesh.thing("wardrobe" if rows == 1 else "chest")
    look = Look(colour, textures.fronts(place, colour, 2, rows))
    mesh.box(Wall(place.wall, scene.width), (place.start, place.end), (0, place.top), (0, place.out), look)


def _bed(mesh: Mesh, scene: Scene) -> None:
    bed, wall = scene.bed, Wall(scene.bed.wall, scene.width)
    wood, bedding, accent = WOODS[scene.wood], FABRICS[scene.bedding], FABRICS[scene.accent]
    headboard = {
        "panel": Look(wood),
        "slats": Look(wood, textures.slats(wood, bed)),
        "buttons": Look(accent, textures.buttons(accent, bed)),
    }[scene.headboard]
    throw = (bed.out - 0.62, bed.out - 0.22) if scene.has_throw else (bed.out, bed.out)
    covers = Look(bedding, textures.blanket(bedding, accent, scene.pattern, throw, BLANKET_START + 0.2), bulge=0.35)
    mesh.thing("bed")
    mesh.box(wall, (bed.start - 0.04, bed.end + 0.04), (0, bed.top), (0, 0.09), headboard)
    mesh.box(wall, (bed.start, bed.end), (0.08, 0.3), (0.09, bed.out), Look(wood))
    mattress = (bed.start + 0.02, bed.end - 0.02)
    mesh.box(wall, mattress, (0.3, MATTRESS_HEIGHT - 0.04), (0.09, bed.out - 0.1), Look(LINEN))
    blanket_width = (bed.start - 0.03, bed.end + 0.03)
    mesh.box(wall, blanket_width, (0.2, MATTRESS_HEIGHT), (BLANKET_START, bed.out + 0.03), covers, BLANKET_ROUNDING)
    pillows = 1 if bed.width < 1.3 else 2
    half = min(0.36, bed.width / pillows / 2 - 0.03)
    for number in range(pillows):
        along = bed.middle + (number - (pillows - 1) / 2) * bed.width * 0.48
        _pillow(mesh, wall, (along, MATTRESS_HEIGHT - 0.02, 0.46), half, 0.42, Look(LINEN, bulge=0.8))
    if scene.has_cushion:
        cushion = Look(accent, bulge=0.8)
        _pillow(mesh, wall, (bed.middle, MATTRESS_HEIGHT - 0.02, 0.6), 0.24, 0.32, cushion)


def _pillow(mesh: Mesh, wall: Wall, foot: Point, half_width: float, height: float, look: Look) -> None:
    """Leaning back from `foot` (along, up, out): 0.8 up for every 0.6 back."""
    along, up, out = foot

    def corner(x: float, y: float) -> Point:
        level = (y + 1) / 2 * height
        return wall.point(along + x * half_width, up + 0.8 * level, out - 0.6 * level)

    normal_x, _, normal_z = wall.normal
    mesh.sheet(wall, [corner(x, y) for x, y in _PILLOW_OUTLINE], (0.8 * normal_x, 0.6, 0.8 * normal_z), look)


def _table(mesh: Mesh, scene: Scene, place: Place) -> None:
    colour = WOODS[scene.wood]
    look = Look(colour, textures.fronts(place, colour, 1, 2))
    mesh.thing("table")
    mesh.box(Wall(place.wall, scene.width), (place.start, place.end), (0, place.top), (0, place.out), look)


def _lamp(mesh: Mesh, scene: Scene, place: Place) -> None:
    wall = Wall(place.wall, scene.width)
    foot = wall.point(place.middle, place.bottom, place.out / 2)
    rise, half = place.top - place.bottom, place.width / 2
    low, narrow = rise * 0.45, half * 0.62
    metal = Look(METALS[scene.metal], bulge=0.6)
    shade = textures.lampshade(LAMPSHADE, place.bottom + low, place.top)
    glow = 0.8 if scene.light == "night" else 0.1
    mesh.thing("lamp")
    mesh.cutout(wall, foot, ((-0.09, 0), (0.09, 0), (0.07, 0.05), (-0.07, 0.05)), metal)
    mesh.cutout(wall, foot, ((-0.03, 0.04), (0.03, 0.04), (0.02, low), (-0.02, low)), metal)
    bow = half * 0.12
    outline = ((-half, low + bow), (0, low), (half, low + bow), (narrow, rise), (-narrow, rise))
    mesh.cutout(wall, foot, outline, Look(LAMPSHADE, shade, glow=glow, bulge=0.3))


def _plant(mesh: Mesh, scene: Scene, place: Place) -> None:
    wall = Wall(place.wall, scene.width)
    foot = wall.point(place.middle, 0.0, place.out / 2)
    half = place.width / 2
    pot = half * 0.5
    mesh.thing("plant")
    for number, (x, y) in enumerate(_LEAF_TIPS):
        tip_x, tip_y, root = x * half, y * place.top, POT_HEIGHT - 0.02
        x, y = 0.55 * tip_x, root + 0.6 * (tip_y - root)  # where the leaf is widest
        wide_x, wide_y = 0.10 * (tip_y - root) + 0.05, -0.16 * tip_x
        outline = ((0, root), (x + wide_x, y + wide_y), (tip_x, tip_y), (x - wide_x, y - wide_y))
        mesh.cutout(wall, foot, outline, Look(scaled(LEAF, 0.8 + 0.15 * (number % 4))))
    pot_outline = ((-pot * 0.8, 0), (pot * 0.8, 0), (pot, POT_HEIGHT), (-pot, POT_HEIGHT))
    mesh.cutout(wall, foot, pot_outline, Look(CLAY, bulge=0.7))
