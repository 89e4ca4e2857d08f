"""What is in a room: the factors of one image, drawn at random from (seed, index)."""

from __future__ import annotations

from attrs import frozen

from ganskit.data.chance import Chance
from ganskit.data.rooms.palette import CARPETS, FABRICS, METALS, PLANKS, WALLS, WOODS
from ganskit.data.rooms.plan import Plan
from ganskit.data.rooms.space import Camera, Place
from ganskit.errors import UserError


@frozen
class Scene:
    """A bedroom in full: `draw` adds nothing to it. Lengths in metres; colours are names from the palette.

    `attrs.evolve(scene, light="night", pictures=())` is the same room at night without its pictures.
    """

    light: str
    """One of "day" or "night"."""
    sun: float
    """How strongly the sun shines in, from 0 (overcast) to 1; by night, the moon."""
    sun_slant: float
    """Sideways travel of the sun's rays for each metre they travel into the room."""
    width: float
    height: float
    camera: Camera
    wall: str
    wall_tone: float
    wallpaper: str
    """One of "plain", "stripes" or "panels"."""
    flooring: str
    """One of "planks" or "carpet"."""
    floor: str
    floor_tone: float
    wood: str
    """Of bed, tables, wardrobe and door."""
    metal: str
    """Of lamps and picture frames."""
    bedding: str
    pattern: str
    """The blanket's: "plain", "stripes", "checks" or "quilt"."""
    accent: str
    """The colour of curtains, cushions, rug and throw."""
    bed_side: str
    """Where the bed stands: "left", "centre" or "right"."""
    bed: Place
    headboard: str
    """One of "panel", "slats" or "buttons"."""
    has_throw: bool
    has_cushion: bool
    tables: tuple[Place, ...]
    lamps: tuple[Place, ...]
    windows: tuple[Place, ...]
    glazing: str
    """One of "casement", "sash", "cross" or "grid"."""
    curtains: str
    """One of "none", "short" or "long"."""
    door: Place | None
    wardrobe: Place | None
    """A chest of drawers when it is lower than `plan.TALL`."""
    pictures: tuple[Place, ...]
    motif: int
    """What the pictures show, and the hills outside."""
    rug: Place | None
    plant: Place | None

    @property
    def num_windows(self) -> int:
        """0, 1 or 2: the class of the image."""
        return len(self.windows)

    @property
    def num_pictures(self) -> int:
        """0 to 3."""
        return len(self.pictures)

    @property
    def has_lamp(self) -> bool:
        """Whether a lamp is in view; lamps burn at night."""
        return bool(self.lamps)

    @property
    def has_door(self) -> bool:
        """Whether a door is in view."""
        return self.door is not None

    @classmethod
    def sample(cls, seed: int, index: int) -> Scene:
        """Room number `index` of the endless series `seed`: the same in every process, on every machine.

        Raises UserError when either is negative.
        """
        if seed < 0 or index < 0:
            raise UserError(f"rooms: seed and index are whole numbers from 0 upwards, not {seed} and {index}.")
        chance = Chance(seed, index)
        width, height = chance.between(3.3, 4.6), chance.between(2.4, 2.9)
        plan = Plan(chance, width, height, _camera(chance, width))
        num_windows = chance.pick((0, 1, 1, 2))
        bed_side = chance.pick(("left", "centre", "right"))
        bed = plan.put_bed(bed_side)
        tables = plan.put_tables(bed, bed_side)
        lamps = plan.put_lamps(tables)
        windows = plan.put_windows(num_windows)
        door = plan.put_door() if chance.happens(0.6) else None
        wardrobe = plan.put_wardrobe() if chance.happens(0.5) else None
        pictures = plan.put_pictures(bed, chance.pick((0, 1, 2, 3)))
        rug = plan.put_rug(bed) if chance.happens(0.5) else None
        plant = plan.put_plant() if chance.happens(0.35) else None
        flooring = chance.pick(("planks", "planks", "carpet"))
        return cls(
            light="day" if chance.happens(0.6) else "night",
            sun=max(0.0, chance.between(-0.4, 1.0)),
            sun_slant=chance.between(-0.9, 0.9),
            width=width,
            height=height,
            camera=plan.camera,
            wall=chance.pick(tuple(WALLS)),
            wall_tone=chance.between(0.88, 1.06),
            wallpaper=chance.pick(("plain", "plain", "plain", "stripes", "panels")),
            flooring=flooring,
            floor=chance.pick(tuple(PLANKS if flooring == "planks" else CARPETS)),
            floor_tone=chance.between(0.85, 1.15),
            wood=chance.pick(tuple(WOODS)),
            metal=chance.pick(tuple(METALS)),
            bedding=chance.pick(tuple(FABRICS)),
            pattern=chance.pick(("plain", "plain", "stripes", "checks", "quilt")),
            accent=chance.pick(tuple(FABRICS)),
            bed_side=bed_side,
            bed=bed,
            headboard=chance.pick(("panel", "slats", "buttons")),
            has_throw=chance.happens(0.45),
            has_cushion=chance.happens(0.6),
            tables=tables,
            lamps=lamps,
            windows=windows,
            glazing=chance.pick(("casement", "sash", "cross", "grid")),
            curtains=chance.pick(("none", "short", "long")),
            door=door,
            wardrobe=wardrobe,
            pictures=pictures,
            motif=chance.below(10_000),
            rug=rug,
            plant=plant,
        )


def _camera(chance: Chance, room_width: float) -> Camera:
    """Someone stands anywhere in the room's middle and looks at about the middle of the back wall."""
    x = room_width * chance.between(0.25, 0.75)
    distance = chance.between(3.4, 4.5)
    return Camera(
        x=x,
        height=chance.between(1.3, 1.75),
        distance=distance,
        turn=(room_width * chance.between(0.38, 0.62) - x) / distance,
        focal=chance.between(1.3, 1.75),
        horizon=chance.between(0.15, 0.36),
    )
