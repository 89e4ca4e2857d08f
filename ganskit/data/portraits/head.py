"""The head: skull, nose and ears as bodies, with all that is painted on their skin."""

from __future__ import annotations

import numpy as np

from ganskit.data.portraits.anatomy import Anatomy
from ganskit.data.portraits.beard import paint_beard
from ganskit.data.portraits.eyes import paint_brows, paint_eyes, paint_forehead, paint_sockets
from ganskit.data.portraits.face import Face
from ganskit.data.portraits.hair import Hair
from ganskit.data.portraits.mouth import paint_cheeks, paint_mouth
from ganskit.data.portraits.painting import Light, blob, lay, paint, within
from ganskit.data.portraits.palette import PEARL, skin_colour
from ganskit.data.portraits.skin import WRAP, Skin
from ganskit.data.portraits.space import Array, Patch, View
from ganskit.data.portraits.stack import Hit, Stack

JOINT = 0.07
"""How softly the nose grows out of the face."""
EAR_HIDDEN_FROM = 34.0
"""Degrees of turn at which an ear is behind the head."""
SHINE = 0.10


def paint_head(face: Face, anatomy: Anatomy, hair: Hair, canvas: Array, view: View, light: Light) -> None:
    """All of it but the hair."""
    patch = view.patch(*anatomy.head.bounds())
    if patch is None:
        return
    hit = anatomy.head.hit(view, patch)
    _join_nose(hit, anatomy.nose, view, patch)
    skin = Skin.bare(hit, patch, view, skin_colour(face.skin, face.warmth))
    if not hair.is_bald:
        skin.shade(within(hair.opening(hit.x, hit.y, hit.z) + 0.09, 0.24), 0.45)
    _paint_features(face, anatomy, skin)
    lay(canvas, patch, skin.lit(light, SHINE), hit.cover)
    if hair.long < 0.5:
        for side, ear in zip((-1, 1), anatomy.ears, strict=True):
            if side * face.turn < EAR_HIDDEN_FROM:
                _paint_ear(ear, face, canvas, view, light, patch, hit)


def _paint_features(face: Face, anatomy: Anatomy, skin: Skin) -> None:
    """Each within its own block of head space."""
    a = anatomy
    lower = skin.part((-0.85, a.chin_y - 0.15, -0.1), (0.85, 0.1, 0.8))
    if lower:
        paint_cheeks(face, a, lower)
        paint_beard(face, a, lower)
    mouth = skin.part((-0.45, a.mouth_y - 0.3, 0.5), (0.45, a.mouth_y + 0.25, 0.75))
    if mouth:
        paint_mouth(face, a, mouth)
    nose = skin.part((-0.3, a.nose_base_y - 0.15, 0.4), (0.3, a.nose_base_y + 0.2, 1.0))
    if nose:
        _paint_nose(face, a, nose)
    eyes = skin.part((-0.62, -0.25, 0.3), (0.62, 0.42, 0.75))
    if eyes:
        paint_sockets(face, a, eyes)
        paint_eyes(face, a, eyes)
        paint_brows(face, a, eyes)
    brow = skin.part((-0.45, 0.38, 0.4), (0.45, 0.66, 0.75))
    if brow:
        paint_forehead(face, brow)


def _join_nose(hit: Hit, nose: Stack, view: View, patch: Patch) -> None:
    """Where the nose is nearer than the face, it is seen; in between, something of both."""
    block = view.frame(*nose.bounds())
    frame = block and block.overlap(patch.frame)
    if frame is None:
        return
    here = frame.inside(patch.frame)
    part = Patch(frame, patch.across[here], patch.up[here])
    other = nose.hit(view, part)
    ahead = other.depth - hit.depth[here]
    share = within(ahead, 2 * JOINT) * (other.cover > 0)
    share *= share * (3 - 2 * share)
    for mine, its in ((hit.x, other.x), (hit.y, other.y), (hit.z, other.z), (hit.depth, other.depth)):
        mine[here] += (its - mine[here]) * share
    normal = hit.normal[(..., *here)]
    normal += (other.normal - normal) * share
    hit.cover[here] = np.maximum(hit.cover[here], other.cover * (ahead > 0))


def _paint_nose(face: Face, anatomy: Anatomy, skin: Skin) -> None:
    """Nostrils, wings, and the shadow that it casts."""
    a = anatomy
    out = np.abs(skin.x)
    up = skin.y - np.float32(a.nose_base_y)
    skin.shade(blob(out - np.float32(a.nose_width * 0.48), up - 0.005, 0.062, 0.036), 0.75)
    skin.shade(blob(skin.x, up + 0.015, a.nose_width * 1.2, 0.05), 0.25)
    skin.shade(blob(out - np.float32(a.nose_width * 1.06), up - 0.055, 0.035, 0.075), 0.22)
    skin.shade(blob(skin.x + np.float32(0.12 * face.light), up + 0.04, 0.20, 0.09), 0.10 + 0.14 * face.contrast)


def _paint_ear(ear: Stack, face: Face, canvas: Array, view: View, light: Light, head_patch: Patch, head: Hit) -> None:
    """Where it is nearer than the head."""
    patch = view.patch(*ear.bounds())
    if patch is None:
        return
    hit = ear.hit(view, patch)
    seen = light.on(hit.normal, WRAP) * paint(skin_colour(face.skin, face.warmth))
    hollow = blob(hit.x - np.float32(ear.x * 1.04), hit.y + 0.05, 0.06, 0.13)
    seen *= 1 - 0.45 * hollow
    shared = patch.frame.overlap(head_patch.frame)
    if shared:
        mine, its = shared.inside(patch.frame), shared.inside(head_patch.frame)
        behind = within(head.depth[its] - hit.depth[mine], 0.06) * (head.cover[its] > 0.5)
        hit.cover[mine] *= 1 - behind
    lay(canvas, patch, seen, hit.cover)
    if face.earrings:
        jewel = blob(hit.x - np.float32(ear.x), hit.y + 0.33, 0.05, 0.05)
        lay(canvas, patch, paint(PEARL), np.minimum(jewel * 2, 1) * hit.cover)
