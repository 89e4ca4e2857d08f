"""The colours of a bedroom, by name, as light reflected per channel."""

from __future__ import annotations

from ganskit.data.colours import Colour, linear

WALLS = linear(
    white=0xF1EEE8, cream=0xF0E6CF, sand=0xDCC9A8, sage=0xB9C7A9, mint=0xC6DDD0, sky=0xB5CFE0, denim=0x7F9BB5,
    lavender=0xC9BFDB, blush=0xE8C9C2, coral=0xDE9C86, grey=0xC9C9C8, slate=0x7C868E, ochre=0xD9B166,
)  # fmt: skip
PLANKS = linear(oak=0xB98A58, pine=0xD0A56C, walnut=0x7A5236, cherry=0x96573A, ash=0xB9A78F, ebony=0x55402F)
CARPETS = linear(beige=0xCBBBA0, dove=0xB4B3B0, taupe=0x94877A, ocean=0x7388A0, moss=0x8A9475, rose=0xB98E88)
WOODS = linear(white=0xEDE9E1, oak=0xB48553, walnut=0x704A30, cherry=0x8A4B32, espresso=0x45332A, grey=0x9A958D)
FABRICS = linear(
    white=0xF1EFEA, ivory=0xE6DCC4, navy=0x33456E, sky=0x8DB3D3, teal=0x2F7F83, forest=0x41694F, mustard=0xD6A63A,
    rust=0xB85C38, burgundy=0x86303F, rose=0xD495A0, plum=0x6E4A78, silver=0xB9BBBE, charcoal=0x55575C,
)  # fmt: skip
METALS = linear(iron=0x524B45, brass=0xBD9D60, copper=0xB57A55, enamel=0xECE9E2)

CEILING: Colour = (0.90, 0.89, 0.86)
TRIM: Colour = (0.84, 0.83, 0.79)
LINEN: Colour = (0.86, 0.85, 0.82)
PAPER: Colour = (0.88, 0.86, 0.81)
LAMPSHADE: Colour = (0.90, 0.78, 0.56)
LEAF: Colour = (0.08, 0.24, 0.07)
CLAY: Colour = (0.50, 0.22, 0.12)
