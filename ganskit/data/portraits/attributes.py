"""Portraits with yes-or-no attributes, as CelebA has them: what a classifier of attributes is trained on."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from ganskit.data.dataset import Field
from ganskit.data.drawn import Drawn, DrawnSource
from ganskit.data.portraits import DRAWING, Face, draw

ATTRIBUTES = ("man", "smile", "glasses", "beard", "turn")


@frozen
class PortraitAttributes(Drawn):
    """The pictures of `Portraits`, each with five attributes: man, smile (as plain as in the labels of `Portraits`), glasses,
    beard (a goatee or a full one), and turn: the head is turned to the viewer's right, and not to the left.

    Image `i` is a pure function of (seed, i), whatever `num_images` is. Options out of range raise UserError.
    """

    def provides(self) -> dict[str, Field]:
        """`x` (3, size, size) uint8 pixels, `attributes` (5,) uint8: 1 where one is present."""
        return {
            "x": Field((3, self.size, self.size), "uint8", pixels=True),
            "attributes": Field((len(ATTRIBUTES),), "uint8", classes=ATTRIBUTES),
        }

    def open(self) -> PortraitAttributesSource:
        """Nothing has to be found or downloaded."""
        return PortraitAttributesSource(self, "portrait with attributes", DRAWING)


class PortraitAttributesSource(DrawnSource):
    """Draws each face when it is read."""

    def draw(self, seed: int, index: int, size: int) -> dict[str, np.ndarray]:
        """The portrait as `PortraitAttributes.provides` says."""
        face = Face.sample(seed, index)
        pixels = draw(face, size).pixels
        return {"x": np.ascontiguousarray(pixels.transpose(2, 0, 1)), "attributes": attributes(face)}


def attributes(face: Face) -> np.ndarray:
    """(5,) uint8 in the order of ATTRIBUTES."""
    beard = face.beard in ("goatee", "full")
    return np.array([face.is_man, face.smiles, face.glasses != "none", beard, face.turn > 0], np.uint8)
