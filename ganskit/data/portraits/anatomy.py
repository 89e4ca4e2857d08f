"""The shape of a head: where its parts are, in head space, and the bodies it is made of."""

from __future__ import annotations

from attrs import frozen

from ganskit.data.portraits.face import Face
from ganskit.data.portraits.painting import smooth
from ganskit.data.portraits.stack import Section, Stack

BEARD_THICKNESS = {"none": 0.0, "stubble": 0.0, "moustache": 0.0, "goatee": 0.03, "full": 0.05}


@frozen(eq=False)
class Anatomy:
    """Heights and half widths, and what depends on them. `x` and widths are those of the right half of the picture."""

    eye_x: float
    eye_y: float
    eye_width: float
    eye_height: float
    """How far the upper lid rises above the corners' line."""
    brow_y: float
    nose_tip_y: float
    nose_base_y: float
    nose_width: float
    mouth_y: float
    mouth_width: float
    mouth_lift: float
    """How far the corners are above the middle."""
    mouth_gap: float
    """How far the lips are apart."""
    chin_y: float
    bridge_z: float
    """The front of the nose between the eyes."""
    width: float
    """What the head's usual widths are multiplied with."""
    head: Stack
    nose: Stack
    ears: tuple[Stack, Stack]
    body: Stack

    @classmethod
    def of(cls, face: Face) -> Anatomy:
        """The shape that goes with the factors."""
        man = float(face.is_man)
        width = 0.985 + 0.03 * man + 0.06 * face.head_width
        jaw = 0.93 + 0.13 * man + 0.08 * face.jaw
        chin_y = -1.08 - 0.06 * man - 0.07 * face.head_length
        nose_base_y = -0.40 - 0.03 * man - 0.05 * face.nose_length - 0.02 * face.head_length
        nose_width = 0.145 + 0.015 * man + 0.03 * face.nose_width
        eye_height = (0.108 - 0.018 * man + 0.012 * face.eye_size) * (0.6 + 0.4 * face.eyes_open)
        ear = Stack(_EAR, x=0.705 * width + 0.035)
        return cls(
            eye_x=0.325 + 0.025 * face.eye_spacing,
            eye_y=0.03,
            eye_width=0.188 - 0.010 * man + 0.015 * face.eye_size,
            eye_height=eye_height,
            brow_y=0.26 - 0.045 * man + 0.02 * face.brow_arch,
            nose_tip_y=nose_base_y + 0.09,
            nose_base_y=nose_base_y,
            nose_width=nose_width,
            mouth_y=nose_base_y + 0.42 * (chin_y - nose_base_y),
            mouth_width=(0.235 + 0.015 * man + 0.03 * face.mouth_width) * (1 + 0.34 * face.smile),
            mouth_lift=0.022 + 0.080 * face.smile,
            mouth_gap=0.135 * smooth((face.smile - 0.35) / 0.65),
            chin_y=chin_y,
            bridge_z=0.74 + 0.02 * man,
            width=width,
            head=Stack(_head(width, jaw, chin_y, man, BEARD_THICKNESS[face.beard]), lean=0.3),
            nose=Stack(_nose(nose_base_y, nose_width, man), lean=0.75),
            ears=(ear.mirrored(), ear),
            body=Stack(_body(0.37 + 0.08 * man, 1.18 + 0.16 * man)),
        )


def _head(width: float, jaw: float, chin: float, man: float, beard: float) -> list[Section]:
    low = 0.02 * man + beard
    upper = [(-0.12, 0.715, 0.69, -0.80), (0.16, 0.735, 0.69 + 0.02 * man, -0.93), (0.45, 0.745, 0.68, -1.0)]
    crown = [(0.75, 0.665, 0.54, -0.93), (0.97, 0.47, 0.27, -0.72), (1.07, 0.27, 0.05, -0.5), (1.12, 0.0, -0.2, -0.2)]
    below = [
        (chin - beard * 1.3, 0.0, 0.46, 0.46),
        (chin + 0.06 - beard, 0.23 * jaw + low, 0.62 + low, 0.05),
        (chin + 0.19 - beard / 2, 0.375 * jaw + low, 0.66 + low, -0.12),
        (chin + 0.42, 0.54 * jaw + low, 0.68 + low, -0.32),
        (-0.40, 0.33 + 0.315 * jaw + beard / 2, 0.69, -0.55),
    ]
    return [(y, w * width, front, back) for y, w, front, back in below + upper + crown]


def _nose(base: float, width: float, man: float) -> list[Section]:
    tip = 0.02 * man
    return [
        (base - 0.045, 0.02, 0.72, 0.6),
        (base - 0.01, width * 0.8, 0.79 + tip, 0.46),
        (base + 0.04, width, 0.87 + tip, 0.42),
        (base + 0.09, width * 0.92, 0.90 + tip, 0.42),
        (base + 0.17, width * 0.70, 0.87 + tip, 0.42),
        (base * 0.25, 0.085, 0.78 + tip, 0.42),
        (0.05, 0.075, 0.725 + tip, 0.42),
        (0.2, 0.08, 0.67, 0.42),
    ]


def _body(neck: float, shoulders: float) -> list[Section]:
    return [
        (-2.0, shoulders * 1.1, 0.45, -0.8),
        (-1.70, shoulders, 0.40, -0.78),
        (-1.50, shoulders * 0.84, 0.32, -0.76),
        (-1.34, neck + 0.24 * shoulders, 0.22, -0.74),
        (-1.18, neck + 0.045, 0.16, -0.70),
        (-0.95, neck, 0.15, -0.66),
        (-0.50, neck, 0.20, -0.66),
    ]


_EAR: list[Section] = [
    (-0.36, 0.0, -0.02, -0.02),
    (-0.30, 0.05, 0.06, -0.10),
    (-0.12, 0.085, 0.09, -0.19),
    (0.06, 0.115, 0.09, -0.25),
    (0.14, 0.09, 0.04, -0.22),
    (0.18, 0.0, -0.1, -0.1),
]
