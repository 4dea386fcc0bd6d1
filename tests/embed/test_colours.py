"""Colours are read as they were meant."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import hostile
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops

from facesieve.core.reasons import Reason
from facesieve.core.sections import Embed
from facesieve.embed.colours import in_rgb
from facesieve.embed.decode import picture
from facesieve.embed.picture import Unusable

EMBED = Embed()
SCENE = hostile.scene(160, 120).point(lambda level: 90 + level * 165 // 255)


def separated(image: Image.Image, black: float) -> Image.Image:
    """Inks of a picture: `black` of what is common to the three others is printed black."""
    inks = 255 - np.asarray(image).astype(float)
    common = inks.min(axis=2) * black
    rest = (inks - common[..., None]) / np.maximum(1 - common[..., None] / 255, 1 / 255)
    return Image.fromarray(np.clip(np.dstack([rest, common]), 0, 255).round().astype(np.uint8), "CMYK")


def jpeg(inks: Image.Image, *, marker: bool, inverted: bool) -> bytes:
    """A CMYK JPEG with or without Adobe's marker; Pillow writes inverted inks, and the marker."""
    content = hostile.encoded(inks if inverted else ImageChops.invert(inks), "JPEG", quality=97)
    place = content.index(b"\xff\xee\0\x0eAdobe")
    return content if marker else content[:place] + content[place + 16 :]


@pytest.mark.parametrize("black", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("inverted", [True, False])
def test_cmyk_without_a_marker_has_the_colours_of_the_original(black: float, inverted: bool) -> None:
    answer = picture(jpeg(separated(SCENE, black), marker=False, inverted=inverted), EMBED)
    assert np.abs(answer.pixels.astype(int) - np.asarray(SCENE)).mean() < 6
    assert answer.notes == (() if inverted else (Reason.RECOLOURED,))


def test_with_a_marker_the_file_is_believed() -> None:
    inks = separated(SCENE, 0.0)
    answer = picture(jpeg(inks, marker=True, inverted=False), EMBED)
    assert answer.pixels.mean() < 5, "black, as the file says"
    assert picture(jpeg(inks, marker=True, inverted=True), EMBED).notes == answer.notes == ()


def test_inks_of_which_black_is_neither_little_nor_much_are_refused() -> None:
    inks = Image.fromarray(np.full((40, 40, 4), 128, np.uint8), "CMYK")
    with pytest.raises(Unusable, match="CMYK without Adobe's marker") as caught:
        picture(jpeg(inks, marker=False, inverted=True), EMBED)
    assert caught.value.reason is Reason.UNDECODABLE


@pytest.mark.parametrize(("bits", "noted"), [(8, True), (10, True), (12, True), (14, False), (16, False)])
def test_fewer_bits_stored_in_sixteen_are_not_black(bits: int, noted: bool) -> None:
    grey = np.asarray(SCENE.convert("L")).astype(float)
    deep = Image.fromarray((grey / 255 * (2**bits - 1)).round().astype(np.uint16))
    answer = picture(hostile.encoded(deep, "PNG"), EMBED)
    expected = grey if noted or bits == 16 else grey / 4
    assert np.abs(answer.pixels[..., 0] - expected).max() <= 1
    assert answer.notes == ((Reason.RECOLOURED,) if noted else ())


@given(st.integers(4_096, 65_535))
def test_sixteen_bits_are_rounded(value: int) -> None:
    deep: Any = Image.fromarray(np.array([[value]], np.uint16))
    assert in_rgb(deep, "PNG").image.getpixel((0, 0)) == (round(value / 257),) * 3


def deep_png(levels: npt.NDArray[np.uint16]) -> bytes:
    """A PNG of 16 bits: grey with alpha, three colours, or three with alpha. Pillow writes none of these."""
    height, width, channels = levels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in levels)
    header = struct.pack(">IIBBBBB", width, height, 16, {2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def deep_tiff(levels: npt.NDArray[np.uint16]) -> bytes:
    """A TIFF of 16 bits in three colours, not compressed, as cameras and scanners write it."""
    height, width, channels = levels.shape
    pixels = levels.astype("<u2").tobytes()
    bits = 8 + 2 + 12 * 9 + 4
    tags = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, channels, bits),
        (259, 3, 1, 1),
        (262, 3, 1, 2),
        (273, 4, 1, bits + 2 * channels),
        (277, 3, 1, channels),
        (278, 4, 1, height),
        (279, 4, 1, len(pixels)),
    ]
    table = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + table + bytes(4) + struct.pack("<3H", 16, 16, 16) + pixels


@pytest.mark.parametrize("write", [deep_png, deep_tiff])
def test_three_colours_of_sixteen_bits_become_eight(write: Callable[[npt.NDArray[np.uint16]], bytes]) -> None:
    deep = np.random.default_rng(0).integers(0, 65_536, (24, 40, 3)).astype(np.uint16)
    answer = picture(write(deep), Embed(formats=("PNG", "TIFF"))).pixels
    assert np.abs(answer - deep / 257).max() <= 1


@pytest.mark.parametrize("channels", [2, 4])
def test_sixteen_bits_with_transparency_are_laid_on_white(channels: int) -> None:
    deep = np.random.default_rng(0).integers(0, 65_536, (24, 40, channels)).astype(np.uint16)
    share = deep[..., -1:] / 65_535
    expected = deep[..., :-1] / 257 * share + 255 * (1 - share)
    assert np.abs(picture(deep_png(deep), EMBED).pixels - expected).max() <= 2.5


@pytest.mark.parametrize(("most", "form"), [(255, "B"), (1_023, ">H"), (65_535, ">H")])
def test_a_grey_map_is_read_by_the_greatest_value_that_it_states(most: int, form: str) -> None:
    grey = np.random.default_rng(0).integers(0, most + 1, (24, 40))
    content = f"P5\n# scanned\n40 24\n{most}\n".encode() + b"".join(struct.pack(form, each) for each in grey.flat)
    answer = picture(content, EMBED)
    assert np.abs(answer.pixels[..., 0] - grey / most * 255).max() <= 1
    assert answer.notes == ()


@pytest.mark.parametrize("bits", [8, 16])
def test_jpeg_2000_of_grey_keeps_its_range(bits: int) -> None:
    grey = np.asarray(SCENE.convert("L"))
    stored = Image.fromarray(grey if bits == 8 else grey.astype(np.uint16) * 257)
    answer = picture(hostile.encoded(stored, "JPEG2000", irreversible=False), Embed(formats=("JPEG2000",)))
    assert np.abs(answer.pixels[..., 0].astype(int) - grey).max() <= 1


def test_a_black_picture_of_sixteen_bits_stays_black() -> None:
    answer = in_rgb(Image.fromarray(np.zeros((4, 4), np.uint16)), "PNG")
    assert (np.asarray(answer.image).max(), answer.notes) == (0, ())


def test_whole_numbers_of_32_bits_are_no_picture_that_is_known() -> None:
    deep = np.arange(64, dtype=np.int32).reshape(8, 8)
    with pytest.raises(Unusable, match="32 bits") as caught:
        in_rgb(Image.fromarray(deep * 65_536), "TIFF")
    assert caught.value.reason is Reason.WRONG_TYPE
    levels = np.asarray(in_rgb(Image.fromarray(deep * 1_040 - 40), "TIFF").image)
    assert (levels[0, 0, 0], levels[-1, -1, 0]) == (0, 255)


def test_numbers_without_a_range_are_refused() -> None:
    stream = io.BytesIO()
    Image.fromarray(np.zeros((4, 4), np.float32)).save(stream, "TIFF")
    with pytest.raises(Unusable, match="floating-point"):
        picture(stream.getvalue(), Embed(formats=("TIFF",)))
