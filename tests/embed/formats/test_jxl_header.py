"""The size of a JPEG XL picture, by bytes that the test puts together itself."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesieve.embed.formats.jxl_header import jxl_size

CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}


def packed(*fields: tuple[int, int]) -> bytes:
    """Put fields (value, bits) one after the other, the lowest bit first."""
    number = place = 0
    for value, bits in fields:
        number |= value << place
        place += bits
    return number.to_bytes(place // 8 + 1, "little")


def side(pixels: int) -> tuple[tuple[int, int], tuple[int, int]]:
    choice, bits = next((choice, bits) for choice, bits in enumerate((9, 13, 18, 30)) if pixels - 1 < 1 << bits)
    return (choice, 2), (pixels - 1, bits)


def codestream(width: int, height: int) -> bytes:
    return b"\xff\x0a" + packed((0, 1), *side(height), (0, 3), *side(width)) + bytes(8)


@given(st.integers(1, 1 << 30), st.integers(1, 1 << 30))
def test_both_sides_are_read(width: int, height: int) -> None:
    assert jxl_size(codestream(width, height)) == (width, height)


@given(st.integers(1, 32), st.integers(1, 32))
def test_small_sides_are_eighths(across: int, down: int) -> None:
    content = b"\xff\x0a" + packed((1, 1), (down - 1, 5), (0, 3), (across - 1, 5)) + bytes(4)
    assert jxl_size(content) == (8 * across, 8 * down)


@given(st.sampled_from(sorted(RATIOS)), st.integers(1, 100_000))
def test_a_ratio_stands_for_the_width(ratio: int, height: int) -> None:
    across, down = RATIOS[ratio]
    content = b"\xff\x0a" + packed((0, 1), *side(height), (ratio, 3)) + bytes(8)
    assert jxl_size(content) == (height * across // down, height)


@pytest.mark.parametrize("kind", [b"jxlc", b"jxlp"])
@pytest.mark.parametrize("wide", [False, True])
def test_the_codestream_is_looked_for_in_its_box(kind: bytes, wide: bool) -> None:
    def box(name: bytes, body: bytes) -> bytes:
        head = struct.pack(">I4sQ", 1, name, len(body) + 16) if wide else struct.pack(">I4s", len(body) + 8, name)
        return head + body

    body = (bytes(4) if kind == b"jxlp" else b"") + codestream(4_032, 3_024)
    assert jxl_size(CONTAINER + box(b"ftyp", b"jxl \0\0\0\0jxl ") + box(b"Exif", bytes(90)) + box(kind, body)) == (
        4_032,
        3_024,
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\x0a",
        b"no picture",
        CONTAINER,
        CONTAINER + struct.pack(">I4s", 3, b"ftyp") + bytes(40),
        CONTAINER + struct.pack(">I4s", 1 << 30, b"ftyp"),
    ],
)
def test_what_is_no_header_has_no_size(content: bytes) -> None:
    assert jxl_size(content) is None
