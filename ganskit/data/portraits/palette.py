"""The colours of people, by name, as light reflected per channel."""

from __future__ import annotations

from ganskit.data.colours import Colour, blend, linear

SKINS = tuple(linear(
    porcelain=0xF4DACB, fair=0xEFCBB3, light=0xE3B898, honey=0xCFA07C, tan=0xB5835F, brown=0x92644A, deep=0x6E4838,
    ebony=0x4C2E22,
).values())  # fmt: skip
"""From the fairest to the darkest, at equal steps of `Face.skin`."""
HAIRS = linear(
    black=0x241D1B, espresso=0x37261D, brown=0x573923, chestnut=0x6F4129, auburn=0x8C4728, ginger=0xB5652F,
    sand=0x9A7748, blonde=0xC8A062, platinum=0xE0CB9E,
)  # fmt: skip
GREY = linear(grey=0xB9B6B0)["grey"]
IRISES = linear(dark=0x35211A, brown=0x5E3A20, hazel=0x84642F, green=0x68844C, blue=0x5A8CBC, grey=0x8098A6)
FRAMES = linear(black=0x22201F, tortoise=0x5C3820, silver=0x9DA1A5, gold=0xB08A4A, red=0x8E2B31, navy=0x27385C)
CLOTHS = linear(
    white=0xEDEBE6, grey=0x8E9092, charcoal=0x3C3E44, navy=0x2B3A5C, denim=0x5A789B, teal=0x2F7A78, green=0x4C7350,
    mustard=0xCFA03C, rust=0xB2583A, red=0xA93238, rose=0xD296A0, plum=0x68466E, cream=0xE3D8BE, black=0x232227,
)  # fmt: skip
BACKDROPS = linear(
    pearl=0xD9D8D4, mist=0xB4BDC4, slate=0x5F6A76, night=0x2B313C, sky=0x9EC0DC, sea=0x4E7F92, leaf=0x6F9060,
    forest=0x33503A, sand=0xCDB893, amber=0xC08A4A, brick=0x955A48, mauve=0x9A84A4, blush=0xD8B3AC, umber=0x4E4038,
)  # fmt: skip

SCLERA: Colour = (0.80, 0.78, 0.76)
TEETH: Colour = (0.90, 0.86, 0.80)
PUPIL: Colour = (0.010, 0.009, 0.009)
MOUTH: Colour = (0.10, 0.018, 0.016)
BLUSH: Colour = (0.72, 0.16, 0.14)
"""What cheeks let through."""
LIPSTICKS: tuple[Colour, Colour] = ((0.42, 0.025, 0.045), (0.45, 0.06, 0.045))
"""For rosy and for golden skin."""
LASH: Colour = (0.016, 0.012, 0.011)
SHIRT: Colour = (0.84, 0.84, 0.85)
LAMP: Colour = (1.0, 0.9, 0.72)
PEARL: Colour = (0.95, 0.90, 0.72)


def skin_colour(tone: float, warmth: float) -> Colour:
    """`tone` 0 (fair) to 1 (dark) between the samples; `warmth` -1 (rosy) to 1 (golden)."""
    place = tone * (len(SKINS) - 1)
    step = min(int(place), len(SKINS) - 2)
    red, green, blue = blend(SKINS[step], SKINS[step + 1], place - step)
    return red, green * (1 + 0.05 * warmth), blue * (1 - 0.10 * warmth)


def hair_colour(name: str, grey: float) -> Colour:
    """With its grey."""
    return blend(HAIRS[name], GREY, grey)


def lip_colour(tone: float, warmth: float, lipstick: float) -> Colour:
    """Blood through the skin, or lipstick."""
    red, green, blue = skin_colour(tone, warmth)
    bare = red * 0.855, green * 0.625, blue * 0.64
    return blend(bare, blend(LIPSTICKS[warmth >= 0], bare, 0.15), 0.9 * lipstick)
