"""OpenCV's two face detectors: the cascade of 2015, and a small network of 2023."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from attrs import field, frozen

from ganskit.data.files import printable
from ganskit.errors import UserError
from ganskit.validators import at_least, fraction

Detection = tuple[float, float, float, float, float]
"""left, top, width, height in pixels, and a score: the higher, the surer."""
Detect = Callable[[np.ndarray, int], list[Detection]]
"""Of a picture, uint8 (H, W) or (H, W, 3), the faces of at least so many pixels on their longer side."""


class Detector(Protocol):
    """How to look for faces. It is sent to worker processes, and opened there."""

    @property
    def channels(self) -> int:
        """What it looks at: 3 RGB, 1 grey."""

    def identity(self) -> dict[str, str]:
        """Everything that its results depend on."""

    def scale(self, longest: int, least: int) -> float:
        """How far to reduce a photograph of this longest side when faces of `least` pixels and more are wanted, at most 1."""

    def open(self) -> Detect:
        """Make it ready. Raises UserError when OpenCV, or what the detector needs, is missing."""


def cv2() -> Any:  # noqa: ANN401 - a module that need not be there when types are checked
    """OpenCV, in one thread. Raises UserError when it is not installed, or has no cascades, which version 5 left out."""
    install = 'Run: pip install "ganskit[faces]"'
    try:
        module = importlib.import_module("cv2")
    except ImportError as error:
        raise UserError(f"Faces are found with OpenCV, which cannot be imported ({error}). {install}") from None
    if not hasattr(module, "CascadeClassifier") or not hasattr(module, "FaceDetectorYN"):
        raise UserError(f"OpenCV {module.__version__} has not both face detectors: a version 4 from 4.8 on has. {install}")
    module.setNumThreads(1)  # there is one process for each core
    return module


@frozen
class Haar:
    """The cascade of Haar features that OpenCV brings (Viola & Jones 2001; Lienhart, Kuranov & Pisarevsky 2003).

    Of those for faces from the front "alt2" is the fastest: of 300 CelebA faces it found 277 ("default" 276, "alt" 273),
    and in 200 LSUN bedrooms and 150 facades 1 face that is none ("default" 12, "alt" 1). The score is the number of
    overlapping windows that agree.
    """

    sure: int = field(default=5, validator=at_least(1))
    """More than so many must agree. With 9 in place of 5, 1,000 bedrooms gave 6 boxes in place of 17, and CelebA 3 % fewer."""
    channels: int = field(default=1, init=False)

    def identity(self) -> dict[str, str]:
        """The cascade's SHA-256, and the version of OpenCV."""
        sha256 = hashlib.sha256(self._cascade().read_bytes()).hexdigest()
        return {"detector": "haar", "sha256": sha256, "opencv": cv2().__version__, "sure": str(self.sure)}

    def scale(self, longest: int, least: int) -> float:
        """Down to faces of 40 pixels, for its windows have 20, and near that it misses some.

        Of 400 CelebA faces of 60 to 80 pixels it found 370 so, at 9 ms each; 364 unreduced at 16 ms, 316 down to 24 at 5 ms.
        """
        return min(1.0, 40 / least)

    def open(self) -> Detect:
        """Load the cascade."""
        cascade = cv2().CascadeClassifier(str(self._cascade()))
        if cascade.empty():
            raise UserError(f"{self._cascade()} cannot be read: install OpenCV again.")

        def detect(picture: np.ndarray, smallest: int) -> list[Detection]:
            found, counts = cascade.detectMultiScale2(
                picture, scaleFactor=1.1, minNeighbors=self.sure, minSize=(smallest, smallest)
            )
            # sorted, because OpenCV promises no order
            return sorted(_detection(box, count) for box, count in zip(found, counts, strict=True))

        return detect

    @staticmethod
    def _cascade() -> Path:
        folder = getattr(getattr(cv2(), "data", None), "haarcascades", "")
        file = Path(folder) / "haarcascade_frontalface_alt2.xml"
        if not file.is_file():  # distributions of Linux pack them elsewhere
            raise UserError(f'This OpenCV comes without {file.name}: pip install "ganskit[faces]" brings one that has it.')
        return file


@frozen
class YuNet:
    """A convolutional detector for colour pictures (Wu, Peng & Yu 2023), from the bytes of its .onnx `file`."""

    file: str
    model: bytes = field(repr=False)
    sure: float = field(default=0.9, validator=fraction)
    """The least score; 0.9 is OpenCV's own."""
    channels: int = field(default=3, init=False)

    @classmethod
    def load(cls, file: Path, sure: float = 0.9) -> YuNet:
        """Read the model. Raises UserError when it is missing, or OpenCV cannot find faces with it."""
        try:
            detector = cls(str(file), file.read_bytes(), sure)
        except FileNotFoundError:
            raise UserError(f"{file}: there is no such file. {_WHERE}") from None
        except OSError as error:
            raise UserError(f"{file} cannot be read: {error.strerror}.") from error
        detector.open()(np.zeros((64, 64, 3), np.uint8), 1)
        return detector

    def identity(self) -> dict[str, str]:
        """The model's SHA-256, and the version of OpenCV."""
        sha256 = hashlib.sha256(self.model).hexdigest()
        return {"detector": "yunet", "sha256": sha256, "opencv": cv2().__version__, "sure": str(self.sure)}

    def scale(self, longest: int, least: int) -> float:
        """To 640 pixels, but not below faces of 12.

        The model's page: "This model can detect faces of pixels between around 10x10 to 300x300 due to the training scheme."
        """
        return min(1.0, max(640 / longest, 12 / least))

    def open(self) -> Detect:
        """Load the network."""
        module = cv2()
        model = np.frombuffer(self.model, np.uint8)
        try:
            net = module.FaceDetectorYN.create("onnx", model, np.empty(0, np.uint8), (64, 64), self.sure)
        except module.error as error:
            raise UserError(f"{self.file} is no ONNX model that OpenCV can read ({_said(error)}). {_WHERE}") from error

        def detect(picture: np.ndarray, smallest: int) -> list[Detection]:
            height, width = picture.shape[:2]
            net.setInputSize((width, height))
            try:
                _, found = net.detect(np.ascontiguousarray(picture[..., ::-1]))  # OpenCV's colours are BGR
            except module.error as error:
                raise UserError(f"{self.file} is no YuNet: it does not answer with faces ({_said(error)}). {_WHERE}") from error
            faces = [] if found is None else [_detection(row[:4], row[14]) for row in found]
            return sorted(face for face in faces if max(face[2:4]) >= smallest)

        return detect


_WHERE = "Get face_detection_yunet_2023mar.onnx from OpenCV's model zoo, github.com/opencv/opencv_zoo."


def _detection(box: np.ndarray, score: float) -> Detection:
    left, top, width, height = map(float, box)
    return left, top, width, height, float(score)


def _said(error: Exception) -> str:
    return printable(" ".join((getattr(error, "err", "") or str(error)).split())[:200])
