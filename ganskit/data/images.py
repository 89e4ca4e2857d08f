"""One picture, from the bytes of its file to the pixels of an example."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from ganskit.data.damage import momentary
from ganskit.data.dataset import Skip

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")  # no others: Pillow runs Ghostscript for EPS
SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm")
)
CROPS = ("centre", "none")
MIN_SIDE = 8
MAX_PIXELS = 89_478_485  # Pillow's own limit, above which it warns of a decompression bomb
MAX_FILE_BYTES = 256 * 2**20

# Antialiased, as in clean-fid (Parmar et al. 2022), so that a store is what the evaluators would have made themselves.
FILTER = Image.Resampling.BICUBIC
MUCH_SMALLER = 2
"""From here on PyTorch's filter never differs from Pillow's by more than one level; nearer to 1, noise can make it two."""

_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def transform(size: int, channels: int, crop: str, reduced: bool = False) -> str:
    """What `decode` does, in words, for the manifest."""
    colours = "RGB" if channels == 3 else "grey"
    fitted = "centre square cut out and resized" if crop == "centre" else "both sides resized"
    decoded = f", JPEG decoded at 1/2, 1/4 or 1/8 if that leaves {size} x {size}" if reduced else ""
    return f"{colours}, {fitted} to {size} x {size}, antialiased bicubic, upright by EXIF, transparency on white{decoded}"


def decode(data: bytes, size: int, channels: int, crop: str, reduced: bool = False) -> np.ndarray:
    """The picture as uint8 (channels, size, size), RGB or grey.

    `crop` "centre" resizes the shorter side to `size` and crops the centre; "none" resizes both sides to `size`.
    Turned upright by EXIF; transparency lies on white; 16-bit grey is scaled; colour profiles are not applied; of an
    animation the first frame. `reduced`: a JPEG is read as small as it can be with `size` pixels left, see `read`. Raises
    Skip for what cannot be read, and for fewer than 8 pixels a side.
    """
    picture, turn = _read(data, channels, size if reduced else None)
    fitted = fit(picture, size, crop)
    return fitted if turn is None else pixels(_turned(from_pixels(fitted), turn))


def read(data: bytes, channels: int, reduced_to: int | None = None) -> Image.Image:
    """The whole picture, upright, as "RGB" (channels 3) or "L" (1). Raises Skip like `decode`.

    `reduced_to`: a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, as long as its shorter side keeps at least
    `reduced_to` pixels. libjpeg then leaves out the finest frequencies of each block, which is fast, and close to what an
    antialiased resize would give, but not equal to it.
    """
    return _turned(*_read(data, channels, reduced_to))


def _read(data: bytes, channels: int, reduced_to: int | None) -> tuple[Image.Image, Image.Transpose | None]:
    """The picture as it lies in the file, and how to turn it upright."""
    if not data:
        raise Skip("empty file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks on odd metadata; what matters raises
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                return _decode(image, channels, reduced_to)
    except Skip:
        raise
    except UnidentifiedImageError:
        raise Skip(f"not a picture in {', '.join(FORMATS[:-1])} or {FORMATS[-1]} format") from None
    except Image.DecompressionBombError:
        raise Skip(f"more than {2 * MAX_PIXELS:,} pixels: too large") from None
    except Exception as error:  # damaged files make decoders raise nearly anything: SyntaxError, struct.error, ...
        if momentary(error):
            raise
        raise Skip(f"cannot be decoded: {' '.join(str(error).split()) or type(error).__name__}") from error


def _decode(image: Image.Image, channels: int, reduced_to: int | None) -> tuple[Image.Image, Image.Transpose | None]:
    width, height = image.size
    if min(width, height) < MIN_SIDE:
        raise Skip(f"{width} x {height} pixels: too small")
    if width * height > MAX_PIXELS:
        raise Skip(f"{width} x {height} pixels: too large")
    turn = _TURNS.get(_orientation(image))
    mode = "RGB" if channels == 3 else "L"
    if reduced_to is not None:
        image.draft(mode, (reduced_to, reduced_to))  # does nothing to other formats than JPEG
    return _in_colours(image, mode), turn


def _turned(picture: Image.Image, turn: Image.Transpose | None) -> Image.Image:
    return picture.transpose(turn) if turn is not None else picture


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception as error:  # damaged metadata is no reason to lose the picture
        if momentary(error):
            raise
        return 1


def fit(picture: Image.Image, size: int, crop: str) -> np.ndarray:
    """`picture` as uint8 (C, size, size); "centre" takes the largest centred square, "none" everything.

    A picture that becomes much smaller is resized by PyTorch, which does with AVX2 what Pillow does, to one level of 255, in
    a fifth of the time. Both count in whole numbers: the pixels do not depend on the processor.
    """
    width, height = picture.size
    side = min(width, height)
    if crop == "centre" and width != height:
        left, top = (width - side) // 2, (height - side) // 2  # whole pixels: half of one would blur what is not resized
        picture = picture.crop((left, top, left + side, top + side))
    if side < MUCH_SMALLER * size:
        return pixels(picture.resize((size, size), FILTER))
    return _shrunk(np.array(picture, dtype=np.uint8), size)


def _shrunk(array: np.ndarray, size: int) -> np.ndarray:
    import torch  # here, because many a command that reads pictures shrinks none
    from torch.nn.functional import interpolate

    picture = torch.from_numpy(array.reshape(*array.shape[:2], -1)).permute(2, 0, 1)
    return interpolate(picture[None], (size, size), mode="bicubic", antialias=True)[0].contiguous().numpy()


def pixels(picture: Image.Image) -> np.ndarray:
    """An 8-bit RGB or grey picture as uint8 (C, H, W)."""
    array = np.asarray(picture, dtype=np.uint8)
    return array[None] if array.ndim == 2 else np.ascontiguousarray(array.transpose(2, 0, 1))


def from_pixels(array: np.ndarray) -> Image.Image:
    """uint8 (C, H, W) as a picture; the inverse of `pixels`."""
    return Image.fromarray(array[0] if len(array) == 1 else np.ascontiguousarray(array.transpose(1, 2, 0)))


def _in_colours(image: Image.Image, mode: str) -> Image.Image:
    """Any mode that Pillow reads, as 8-bit "RGB" or "L"."""
    if image.mode == "F":
        raise Skip("floating-point pixels, whose range is unknown")
    if image.mode.startswith("I"):
        image = _from_16_bits(image)
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        white = Image.new("RGBA", layered.size, "white")
        image = Image.alpha_composite(white, layered)
    return image.convert(mode)


def _from_16_bits(image: Image.Image) -> Image.Image:
    """16-bit grey scaled to 8 bits; Pillow's own conversion would clip it."""
    values: np.ndarray[Any, Any] = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise Skip("32-bit pixels, whose range is unknown")
    return Image.fromarray(((values + 128) // 257).astype(np.uint8))


def resized(array: np.ndarray, size: int, channels: int) -> np.ndarray:
    """uint8 (C, H, W) as uint8 (channels, size, size); the same array when it is that already."""
    if array.shape == (channels, size, size):
        return array
    picture = from_pixels(array).convert("RGB" if channels == 3 else "L")
    return fit(picture, size, "none")
