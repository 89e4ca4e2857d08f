"""Decoding one picture."""

from __future__ import annotations

import contextlib
import errno
import struct
import zlib

import numpy as np
import pytest
from data_samples import encoded, noise, picture
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ganskit.data import Skip, images
from ganskit.data.images import decode


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "PPM", "GIF"])
def test_formats(kind: str) -> None:
    """Every format gives about the same picture."""
    expected = decode(encoded(picture(3)), 16, 3, "centre").astype(int)
    x = decode(encoded(picture(3), kind), 16, 3, "centre")
    assert x.dtype == np.uint8
    assert x.shape == (3, 16, 16)
    assert np.abs(x - expected).mean() < 6


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_modes(mode: str, channels: int) -> None:
    x = decode(encoded(picture(1, mode=mode)), 16, channels, "centre")
    assert x.shape == (channels, 16, 16)


def test_cmyk_jpeg_is_converted() -> None:
    red = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    assert decode(encoded(red, "JPEG"), 8, 3, "none").mean((1, 2)) == pytest.approx([255, 0, 0], abs=4)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_lies_on_white(mode: str) -> None:
    clear = Image.new("RGBA", (16, 16), (0, 0, 0, 0)).convert(mode)
    assert (decode(encoded(clear), 8, 3, "centre") == 255).all()


def test_transparent_palette_colour_lies_on_white() -> None:
    image = Image.new("P", (16, 16), 0)
    image.putpalette([0, 0, 0, 9, 9, 9])
    assert (decode(encoded(image, "GIF", transparency=0), 8, 1, "centre") == 255).all()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_16_bit_grey_is_scaled_not_clipped(kind: str) -> None:
    values = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    x = decode(encoded(Image.fromarray(values), kind), 16, 1, "none")
    assert np.array_equal(x[0], np.arange(256).reshape(16, 16))


def test_the_centre_is_cropped() -> None:
    wide = np.zeros((16, 48, 3), dtype=np.uint8)
    wide[:, 16:32] = 200
    tall = Image.fromarray(wide.transpose(1, 0, 2))
    for image in (Image.fromarray(wide), tall):
        assert (decode(encoded(image), 16, 3, "centre") == 200).all()
        assert (decode(encoded(image), 16, 3, "none") == 0).any()


sides = st.integers(8, 40)


@given(sides, sides, st.integers(1, 40), st.sampled_from([1, 3]), st.sampled_from(images.CROPS))
def test_any_size_gives_the_shape(width: int, height: int, size: int, channels: int, crop: str) -> None:
    assert decode(encoded(picture(0, width, height)), size, channels, crop).shape == (channels, size, size)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@given(st.integers(8, 90), st.integers(8, 90), st.integers(1, 80), st.integers(0, 9))
def test_pixels_are_pillows_to_one(mode: str, width: int, height: int, size: int, seed: int) -> None:
    """Noise, the hardest picture to resize, at every ratio, larger and smaller."""
    image = Image.fromarray(noise(seed, height, width, 3)).convert(mode)
    expected = images.pixels(image.resize((size, size), Image.Resampling.BICUBIC))
    assert np.abs(images.fit(image, size, "none").astype(int) - expected).max() <= 1


def test_a_picture_of_the_right_size_is_not_touched() -> None:
    values = noise(5, 16, 17, 3)
    assert np.array_equal(decode(encoded(Image.fromarray(values)), 16, 3, "centre"), values[:, :16].transpose(2, 0, 1))


def test_resizing_is_antialiased() -> None:
    """A fine checkerboard becomes even grey; sampling every fourth pixel would make it black or white."""
    board = Image.fromarray((np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8))
    assert np.abs(decode(encoded(board), 16, 1, "centre").astype(int) - 127).max() <= 2


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright(orientation: int) -> None:
    """A picture stored turned, with the tag that says so, comes out like the upright one."""
    upright = picture(4, 24, 16)
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the inverse turn, as a number of Image.Transpose
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose(back[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    x = decode(encoded(stored, exif=exif), 16, 3, "none")
    assert np.array_equal(x, decode(encoded(upright), 16, 3, "none"))


def test_damaged_metadata_does_not_lose_the_picture() -> None:
    plain = encoded(picture(), "JPEG")
    damaged = plain[:2] + b"\xff\xe1\x00\x10Exif\x00\x00II*\x00\xff\xff\xff\xff" + plain[2:]
    assert np.array_equal(decode(damaged, 16, 3, "centre"), decode(plain, 16, 3, "centre"))


def test_a_large_jpeg_is_close_to_the_same_png() -> None:
    large = picture(6, 640, 480)
    x, expected = (decode(encoded(large, kind), 16, 3, "centre").astype(int) for kind in ("JPEG", "PNG"))
    assert np.abs(x - expected).max() <= 3


def bomb() -> bytes:
    """A PNG of a few bytes that says it is 30000 x 30000."""
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    pieces = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(pieces)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"<html>404 Not Found</html>", "not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
        (encoded(picture(), "JPEG")[:-60], "cannot be decoded"),
        (encoded(picture(0, 64, 64))[:200], "cannot be decoded"),
        (encoded(Image.new("RGB", (1, 1))), "1 x 1 pixels: too small"),
        (encoded(Image.new("RGB", (100, 7))), "100 x 7 pixels: too small"),
        (encoded(Image.new("L", (9500, 9500)), "PNG"), "9500 x 9500 pixels: too large"),
        (bomb(), "too large"),
        (encoded(Image.new("F", (16, 16)), "TIFF"), "range is unknown"),
        (encoded(Image.fromarray(np.full((16, 16), 2**20, dtype=np.int32)), "TIFF"), "range is unknown"),
    ],
)
def test_what_cannot_be_used_is_skipped_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(Skip, match=reason):
        decode(data, 16, 3, "centre")


@given(st.binary(max_size=60), st.integers(0, 400))
def test_garbage_is_skipped_and_never_worse(garbage: bytes, where: int) -> None:
    data = encoded(picture(), "JPEG")
    damaged = data[:where] + garbage + data[where + len(garbage) :]
    with contextlib.suppress(Skip):
        assert decode(damaged, 16, 3, "centre").shape == (3, 16, 16)


@pytest.mark.parametrize("trouble", [MemoryError(), OSError(errno.EMFILE, "Too many open files")])
@pytest.mark.parametrize("where", ["PIL.Image.open", "PIL.Image.Image.convert", "PIL.Image.Image.getexif"])
def test_trouble_of_the_moment_says_nothing_about_the_picture(
    trouble: Exception, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would be left out of the store for ever, or lie on its side."""
    data = encoded(picture(mode="L"))

    def fail(*_, **__) -> None:
        raise trouble

    with monkeypatch.context() as patch:
        patch.setattr(where, fail)
        with pytest.raises(type(trouble)):
            decode(data, 16, 3, "centre")
    decode(data, 16, 3, "centre")


def test_pixels_and_back() -> None:
    for channels in (1, 3):
        array = noise(0, channels, 9, 11)
        assert np.array_equal(images.pixels(images.from_pixels(array)), array)
