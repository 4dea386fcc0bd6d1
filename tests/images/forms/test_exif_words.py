from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from facesieve.images.forms.exif_words import turn_of, with_turn

WORDS = {
    2: "Mirrored horizontal",
    3: "Rotated 180",
    4: "Mirrored vertical",
    5: "Mirrored horizontal then rotated 90 CCW",
    6: "Rotated 90 CW",
    7: "Mirrored horizontal then rotated 90 CW",
    8: "Rotated 90 CCW",
}
FORMS = [("JPEG", {}), ("PNG", {}), ("WEBP", {"lossless": True}), ("WEBP", {"quality": 90})]


def _encoded(form: str, mode: str = "RGB", **options: Any) -> bytes:
    pixels = np.random.default_rng(5).integers(0, 256, (24, 33, len(mode)), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels, mode).save(out, form, **options)
    return out.getvalue()


def _upright(content: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(ImageOps.exif_transpose(image))


@pytest.mark.parametrize("turn", WORDS)
def test_words_are_the_value_of_the_tag(turn: int) -> None:
    assert turn_of(json.dumps({"Image Make": "x", "Image Orientation": WORDS[turn]})) == turn


@pytest.mark.parametrize("text", ["", "{", "[]", '["Image Orientation"]', '{"Image Orientation": 6}'])
def test_what_says_nothing_is_upright(text: str) -> None:
    assert turn_of(text) == 1


@pytest.mark.parametrize(("form", "options"), FORMS)
@pytest.mark.parametrize("turn", WORDS)
def test_a_turn_is_undone_by_whoever_reads_exif(form: str, options: dict[str, Any], turn: int) -> None:
    content = _encoded(form, **options)
    tagged = with_turn(content, turn)
    with Image.open(io.BytesIO(content)) as image:
        image.getexif()[0x0112] = turn
        expected = np.asarray(ImageOps.exif_transpose(image))
    assert np.array_equal(_upright(tagged), expected)
    assert not np.array_equal(_upright(tagged), _upright(content))


@pytest.mark.parametrize(("form", "options"), FORMS)
def test_a_picture_with_exif_of_its_own_is_left_alone(form: str, options: dict[str, Any]) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = _encoded(form, exif=exif.tobytes(), **options)
    assert with_turn(content, 8) == content
    once = with_turn(_encoded(form, **options), 8)
    assert with_turn(once, 6) == once


def test_a_webp_keeps_its_alpha() -> None:
    content = _encoded("WEBP", "RGBA", lossless=True, exact=True)
    with Image.open(io.BytesIO(with_turn(content, 3))) as turned, Image.open(io.BytesIO(content)) as plain:
        assert turned.mode == "RGBA"
        assert np.array_equal(np.asarray(ImageOps.exif_transpose(turned)), np.asarray(plain)[::-1, ::-1])


@pytest.mark.parametrize("content", [b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"RIFF", b"RIFF....WEBPVP8X", b"GIF89a"])
def test_what_is_no_whole_picture_ends_in_no_error(content: bytes) -> None:
    assert content[:4] in with_turn(content, 6)


def test_upright_pictures_keep_their_bytes() -> None:
    content = _encoded("JPEG")
    assert with_turn(content, 1) is content
