"""Who is in a portrait, and how: the factors of one image, drawn at random from (seed, index)."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import field, frozen

from ganskit.data.chance import Chance
from ganskit.data.portraits.palette import BACKDROPS, CLOTHS, FRAMES, HAIRS, IRISES
from ganskit.errors import UserError
from ganskit.validators import one_of


@frozen
class Face:
    """A portrait in full: `draw` adds nothing to it. Colours are names from the palette; angles are in degrees.

    `attrs.evolve(face, smile=1.0)` is the same person in the same place, smiling. Where nothing else is said, numbers
    go from 0 to 1, and from -1 to 1 when they are deviations from what is usual. Unknown names raise UserError.
    """

    presentation: str = field(validator=one_of("woman", "man"))
    """Jaw, brow, eyes, lips and neck follow it. Hair, beard and clothes are only likelier."""
    age: float
    """0 (about 20) to 1 (about 70)."""
    skin: float
    """0 (fair) to 1 (dark)."""
    warmth: float
    """The skin's, -1 (rosy) to 1 (golden)."""
    head_width: float
    """-1 to 1, as all shapes down to `mouth_width`."""
    head_length: float
    jaw: float
    eye_size: float
    eye_spacing: float
    eye_tilt: float
    brow_weight: float
    brow_arch: float
    nose_length: float
    nose_width: float
    lip_fullness: float
    mouth_width: float
    smile: float
    """0 (neutral) to 1 (broad, with teeth)."""
    gaze: float
    """-1 (to the viewer's left) to 1; at 0 the eyes look at the viewer, however the head is turned."""
    eyes_open: float
    iris: str = field(validator=one_of(*IRISES))
    lipstick: float
    blush: float
    hair_length: float
    """0 (bald) over 0.2 (short) and 0.5 (to the chin) to 1 (beyond the shoulders)."""
    hair_volume: float
    curls: float
    """0 (straight) to 1 (curly)."""
    fringe: float
    """How far hair covers the forehead."""
    parting: float
    """Where the hair parts, -1 (at the viewer's left) to 1."""
    receding: float
    """How far the hairline has gone back."""
    bun: bool
    hair: str = field(validator=one_of(*HAIRS))
    grey: float
    """How much of the hair, brows and beard is grey."""
    beard: str = field(validator=one_of("none", "stubble", "moustache", "goatee", "full"))
    glasses: str = field(validator=one_of("none", "round", "square", "wide"))
    frame: str = field(validator=one_of(*FRAMES))
    earrings: bool
    turn: float
    """The head's, -40 to 40, positive to the viewer's right."""
    nod: float
    """-8 to 8, positive upwards."""
    tilt: float
    """-9 to 9, positive clockwise."""
    light: float
    """Where the light comes from, -1 (the viewer's left) to 1."""
    contrast: float
    """From soft light all around to one strong lamp."""
    clothes: str = field(validator=one_of("crew", "vee", "shirt", "suit", "turtleneck"))
    cloth: str = field(validator=one_of(*CLOTHS))
    backdrop: str = field(validator=one_of(*BACKDROPS))
    """The colour behind the upper part, and of the lower one."""
    backdrop_end: str = field(validator=one_of(*BACKDROPS))
    backdrop_slant: float
    bokeh: tuple[tuple[float, float, float, float], ...]
    """Discs of light behind: where in the picture (-1 to 1, right and down), radius, strength."""
    motif: int
    """Folds of the clothes, the colour of a tie, the curls."""
    zoom: float
    shift_x: float
    shift_y: float

    @property
    def is_man(self) -> bool:
        """Whether the presentation is a man's."""
        return self.presentation == "man"

    @property
    def smiles(self) -> bool:
        """Whether the smile is plain to see."""
        return self.smile > 0.3

    @property
    def label(self) -> int:
        """The class of the image: 0 neutral woman, 1 smiling woman, 2 neutral man, 3 smiling man."""
        return 2 * self.is_man + self.smiles

    @classmethod
    def sample(cls, seed: int, index: int) -> Face:
        """Face number `index` of the endless series `seed`: the same in every process, on every machine.

        Raises UserError when either is negative.
        """
        if seed < 0 or index < 0:
            raise UserError(f"portraits: seed and index are whole numbers from 0 upwards, not {seed} and {index}.")
        chance = Chance(seed, index)
        man = chance.happens(0.5)
        age, skin = chance.between(0, 1), chance.between(0, 1)
        grey = max(0.0, age - chance.between(0.45, 1.1)) * 2 if age > 0.45 else 0.0
        bald = man and chance.happens(0.05 + 0.12 * age)
        receding = max(0.0, chance.between(-0.6, 0.4) + 0.4 * age) if man else 0.0
        hair_length, bun = _haircut(chance, man)
        beard = chance.pick(_BEARDS) if man and chance.happens(0.5) else "none"
        return cls(
            presentation="man" if man else "woman",
            age=age,
            skin=skin,
            warmth=_middling(chance),
            head_width=_middling(chance),
            head_length=_middling(chance),
            jaw=_middling(chance),
            eye_size=_middling(chance),
            eye_spacing=_middling(chance),
            eye_tilt=_middling(chance),
            brow_weight=_middling(chance),
            brow_arch=_middling(chance),
            nose_length=_middling(chance),
            nose_width=min(1.0, _middling(chance) + 0.3 * skin),
            lip_fullness=min(1.0, _middling(chance) + 0.4 * skin),
            mouth_width=_middling(chance),
            smile=chance.between(0.0, 0.18) if chance.happens(0.45) else chance.between(0.4, 1.0),
            gaze=0.5 * _middling(chance) if chance.happens(0.7) else _middling(chance),
            eyes_open=chance.between(0.55, 1.0),
            iris=_fairer(chance, tuple(IRISES), skin),
            lipstick=chance.between(0.2, 1.0) if not man and chance.happens(0.5) else 0.0,
            blush=chance.between(0, 1),
            hair_length=0.0 if bald else hair_length,
            hair_volume=chance.between(0, 1),
            curls=_curls(chance, skin),
            fringe=chance.between(0.4, 1.0) if receding < 0.2 and chance.happens(0.15 if man else 0.3) else 0.0,
            parting=chance.between(-1, 1),
            receding=receding if hair_length < 0.3 else 0.2 * receding,
            bun=bun,
            hair=_fairer(chance, tuple(HAIRS), skin),
            grey=min(1.0, grey),
            beard=beard,
            glasses=chance.pick(("round", "square", "wide")) if chance.happens(0.25 + 0.15 * age) else "none",
            frame=chance.pick(("black", *FRAMES)),
            earrings=not man and chance.happens(0.35),
            turn=40 * _middling(chance) if chance.happens(0.6) else chance.between(-40, 40),
            nod=8 * _middling(chance),
            tilt=9 * _middling(chance),
            light=chance.between(-1, 1),
            contrast=chance.between(0, 1),
            clothes=chance.pick(_MENS_CLOTHES if man else _WOMENS_CLOTHES),
            cloth=chance.pick(tuple(CLOTHS)),
            backdrop=chance.pick(tuple(BACKDROPS)),
            backdrop_end=chance.pick(tuple(BACKDROPS)),
            backdrop_slant=chance.between(-0.5, 0.5),
            bokeh=_bokeh(chance),
            motif=chance.below(10_000),
            zoom=chance.between(0.94, 1.08),
            shift_x=0.05 * _middling(chance),
            shift_y=0.05 * _middling(chance),
        )


_BEARDS = ("stubble", "stubble", "moustache", "goatee", "full", "full", "full")
_MENS_CLOTHES = ("crew", "crew", "shirt", "suit", "turtleneck")
_WOMENS_CLOTHES = ("crew", "vee", "vee", "shirt", "turtleneck")


def _middling(chance: Chance) -> float:
    """From -1 to 1, mostly near 0."""
    return (chance.between(-1, 1) + chance.between(-1, 1)) / 2


def _haircut(chance: Chance, man: bool) -> tuple[float, bool]:
    """Its length, and whether it is tied into a bun."""
    kind, length = chance.between(0, 1), chance.between(0, 1)
    if man:
        return (0.08 + 0.2 * length if kind < 0.9 else 0.35 + 0.4 * length), False
    bun = kind < 0.15
    if bun or kind < 0.25:
        return 0.14 + 0.14 * length, bun
    return (0.4 + 0.2 * length if kind < 0.5 else 0.65 + 0.35 * length), False


def _curls(chance: Chance, skin: float) -> float:
    if chance.happens(0.2 + 0.5 * skin):
        return chance.between(0.3, 1.0)
    return chance.between(0.0, 0.3)


def _fairer(chance: Chance, names: Sequence[str], skin: float) -> str:
    """One of the colours, from the darkest to the fairest: the darker the skin, the likelier a dark one."""
    share = chance.between(0, 1) * (1.05 - skin if chance.happens(0.94) else 1.0)
    return names[min(int(1.2 * share * len(names)), len(names) - 1)]


def _bokeh(chance: Chance) -> tuple[tuple[float, float, float, float], ...]:
    """None in a third of the pictures."""
    strength = max(0.0, chance.between(-0.3, 0.7))
    if not strength:
        return ()
    return tuple(
        (chance.between(-1, 1), chance.between(-1, 0.5), chance.between(0.08, 0.24), strength * chance.between(0.08, 0.42))
        for _ in range(5)
    )
