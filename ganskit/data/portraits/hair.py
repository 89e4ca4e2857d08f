"""Hair: a shell around the head, open in front of the face."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from ganskit.data.colours import blend
from ganskit.data.portraits.anatomy import Anatomy
from ganskit.data.portraits.face import Face
from ganskit.data.portraits.painting import Light, clouds, lay, noise, paint, smooth, within
from ganskit.data.portraits.palette import hair_colour
from ganskit.data.portraits.space import Array, Patch, View
from ganskit.data.portraits.stack import Hit, Section, Stack

BALD_BELOW = 0.03
"""Hair shorter than this is not drawn."""
SMOOTH_BELOW = 0.12
"""Fewer curls than this do not show at the outline."""


class Hair:
    """The hair of one face: `shell` is its outside, `opening` says where it grows, and how far it hangs is `end`."""

    def __init__(self, face: Face, anatomy: Anatomy) -> None:
        self.face, self.colour = face, hair_colour(face.hair, face.grey)
        length, volume, curls = face.hair_length, face.hair_volume, face.curls
        self.is_bald = length < BALD_BELOW
        self.long = smooth((length - 0.28) / 0.2)  # 0: ears are bare, 1: it hangs over them
        self.end = -0.25 - 0.35 * min(length / 0.3, 1.0) - 1.5 * max(length - 0.3, 0.0)
        thick = (0.05 + 0.06 * volume) * (0.7 + 0.5 * self.long) + 0.13 * curls * volume
        self.shell = Stack(self._sections(anatomy.width, thick * min(1.0, 0.35 + 4 * length)))
        self.bun = Stack(_BUN, lean=-0.3) if face.bun else None

    def _sections(self, width: float, thick: float) -> list[Section]:
        # short hair is combed up and back from the brow
        quiff = (1 - self.long) * (1 - self.face.receding) * (1 - self.face.fringe) * (0.4 + 1.4 * self.face.hair_volume)
        upper = [
            (y + 1.2 * thick * max(y - 0.3, 0.0), w * width + thick, front + thick * (1 + quiff * y), back - thick)
            for y, w, front, back in _SKULL
        ]
        crown = (1.13 + thick * (1 + 0.4 * quiff), 0.0, -0.2, -0.2)
        if self.long == 0:
            neck = [(-0.95, 0.40, 0.20, -0.50), (-0.30, 0.67, 0.50, -0.72), (-0.05, 0.72 + 0.5 * thick, 0.55, -0.86)]
            return [*((y, w * width, front, back) for y, w, front, back in neck), *upper, crown]
        end, spread = self.end, 0.76 * width + thick * (1.2 + 0.5 * self.face.curls)
        hanging = [
            (end, 0.25, 0.0, -0.4),
            (end + 0.12, 0.92 * spread, 0.34, -0.75),
            (end / 2 - 0.1, spread, 0.52, -0.85),
            (-0.15, 0.73 * width + thick, 0.62, -0.9 - thick),
        ]
        return [*hanging, *upper, crown]

    def opening(self, x: Array, y: Array, z: Array) -> Array:
        """How far inside the hair points are, in units of head space: negative in the opening for the face."""
        face, long = self.face, self.long
        aside = x - np.float32(0.25 * face.parting)
        height = 0.74 + 0.08 * long + 0.55 * face.receding
        height -= (height - 0.36) * face.fringe
        arch = (0.30 + 0.75 * long) * (1 - face.fringe) + 0.06
        above = y - np.float32(height) + np.float32(arch) * aside * aside
        behind = np.float32(0.16 - 0.25 * face.receding) - z
        behind -= within(0.10 - y, 0.30) * np.float32(0.60)  # below the sideburns only behind the ears
        if not long:
            inside: Array = np.maximum(above, behind)
            return np.minimum(inside, y - np.float32(self.end), out=inside)
        lower = np.minimum(np.maximum(-0.5 - y, 0), np.float32(0.7))
        hanging = np.abs(x) - np.float32(0.715 - 0.10 * long - 0.08 * face.hair_volume) + np.float32(0.14) * lower
        np.maximum(hanging, -0.25 - z, out=hanging)
        np.minimum(hanging, y - np.float32(self.end - 0.4), out=hanging)
        inside = np.maximum(above, np.maximum(behind, hanging))
        return inside

    def seen(self, view: View, light: Light) -> Locks | None:
        """What a view shows of it; None when there is nothing."""
        patch = None if self.is_bald else view.patch(*self.shell.bounds())
        if patch is None:
            return None
        hit = self.shell.hit(view, self._ruffled(patch))
        return Locks(self, view, light, patch, hit, self.shaded(hit, light))

    def _ruffled(self, patch: Patch) -> Patch:
        """Curls and waves at the outline: the rays are bent."""
        face = self.face
        if face.curls < SMOOTH_BELOW:
            return patch
        bend = np.float32(0.035 * face.curls * (0.4 + 0.6 * face.hair_volume))
        x, y = patch.across, patch.up
        return Patch(patch.frame, x + bend * noise(y * 6.5 + (40 + face.motif % 7)), y + bend * noise(x * 6.5 + 75))

    def shaded(self, hit: Hit, light: Light) -> Array:
        """Strands, with a band of shine across them, (3, H, W)."""
        curls = self.face.curls
        x, y, z = hit.normal
        along = x / (1.25 + np.abs(z)) * 20 + hit.y * np.float32(0.8)
        along += noise(hit.y * 3) * np.float32(0.2 + 2.0 * curls)
        strands = noise(along) + 0.5 * noise(along * 2.3 + 200)
        if curls > 0.3:
            strands += clouds(hit.x * 9 + hit.z * 4, hit.y * 9) * np.float32(1.2 * curls)
        lit = light.on(hit.normal, (0.1, 0.1, 0.1))
        lit *= 1 + strands * np.float32(0.16)
        lit *= paint(self.colour)
        across = (y - 0.42 - 0.05 * strands) * np.float32(3.2)
        shine = np.maximum(1 - across * across, 0)
        shine *= np.maximum(light.facing(hit.normal), 0) * np.maximum(1 + 0.6 * strands, 0)
        shine *= np.float32(0.11 * (1 - 0.6 * curls))
        lit += shine * paint(blend(self.colour, (1.0, 0.95, 0.9), 0.45))
        return lit


@frozen(eq=False)
class Locks:
    """Hair as a view shows it."""

    hair: Hair
    view: View
    light: Light
    patch: Patch
    hit: Hit
    colours: Array

    def paint_back(self, canvas: Array) -> None:
        """A bun, and what is seen beside neck and head, which come after: where rays leave the shell through hair."""
        hair, hit = self.hair, self.hit
        patch = self.view.patch(*hair.bun.bounds()) if hair.bun else None
        if hair.bun and patch:
            bun = hair.bun.hit(self.view, patch)
            lay(canvas, patch, hair.shaded(bun, self.light) * np.float32(0.85), bun.cover)
        sine, cosine = (np.float32(part) for part in self.view.pose.turn)
        across = hit.x * cosine + hit.z * sine
        inside = hair.opening(across * cosine - hit.exit * sine, hit.y, across * sine + hit.exit * cosine)
        lay(canvas, self.patch, self.colours * np.float32(0.75 - 0.3 * hair.long), hit.cover * within(inside, 0.05))

    def paint_front(self, canvas: Array) -> None:
        """What lies over the head."""
        hair, hit = self.hair, self.hit
        strands = noise(hit.x * 13 + hit.y * 2)
        inside = hair.opening(hit.x, hit.y, hit.z)
        inside += strands * np.float32(0.03 + 0.03 * hair.face.fringe)
        cover = hit.cover * within(inside, max(0.05, self.view.sample))
        if hair.long:
            cover *= within(hit.y - np.float32(hair.end + 0.09) + 0.09 * strands, 0.10)
        edge = within(0.05 - inside, 0.08)
        lay(canvas, self.patch, self.colours * (1 - 0.35 * edge), cover)


_SKULL: list[Section] = [
    (0.16, 0.735, 0.69, -0.95),
    (0.45, 0.745, 0.68, -1.02),
    (0.75, 0.665, 0.54, -0.95),
    (0.97, 0.470, 0.27, -0.74),
    (1.07, 0.290, 0.05, -0.52),
]
_BUN: list[Section] = [
    (0.98, 0.00, -0.45, -0.45),
    (1.06, 0.22, -0.20, -0.70),
    (1.22, 0.29, -0.15, -0.75),
    (1.36, 0.20, -0.25, -0.65),
    (1.42, 0.00, -0.45, -0.45),
]
