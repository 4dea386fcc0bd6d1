"""Formats that packages beside Pillow decode: behind the same limits, upright once, and named where one is absent."""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path
from typing import Any

import hostile
import icc_profiles
import numpy as np
import pytest
from hostile import TURNS
from PIL import Image

from facesieve.core.errors import ConfigError
from facesieve.core.reasons import Reason
from facesieve.core.sections import Embed
from facesieve.embed.decode import picture
from facesieve.embed.decoder_client import Decoder
from facesieve.embed.formats import optional_formats
from facesieve.embed.picture import Picture, Unusable

SCENE = hostile.scene(96, 64)
PLUGINS = ["HEIC", "JXL"]


def written(image: Image.Image, form: str, **options: object) -> bytes:
    """Encode with the package itself, nearly without loss."""
    optional_formats.ready((form,))
    best: dict[str, dict[str, Any]] = {"HEIC": {"quality": 95, "chroma": 444}, "JXL": {"lossless": True}}
    return hostile.encoded(image, {"HEIC": "HEIF"}.get(form, form), **{**best[form], **options})


def levels(content: bytes, form: str) -> Any:
    return picture(content, Embed(formats=(form,))).pixels.astype(int)


def oriented(orientation: int) -> tuple[Image.Image, Image.Exif]:
    """The scene as a camera stores it that was held so, and what it notes of that."""
    stored = SCENE
    for turn in TURNS[orientation]:
        stored = stored.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    return stored, exif


@pytest.mark.parametrize("form", PLUGINS)
def test_pixels_are_those_that_were_written(form: str) -> None:
    assert np.abs(levels(written(SCENE, form), form) - np.asarray(SCENE)).mean() < 3


def same(answer: Picture, error: float = 3) -> None:
    """Turned otherwise, the scene differs by 60 and more."""
    assert (answer.width, answer.height) == SCENE.size
    assert np.abs(answer.pixels.astype(int) - np.asarray(SCENE)).mean() < error


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turn_of_heic_is_undone_once(orientation: int) -> None:
    stored, exif = oriented(orientation)
    same(picture(written(stored, "HEIC", exif=exif.tobytes()), Embed(formats=("HEIC",))))


def turned_jxl(stored: Image.Image, orientation: int, exif: Image.Exif) -> bytes:
    """A JPEG XL file whose header states the turn: the package writes headers in which all is as usual, 11 bits.

    In its place comes the same header, written out in full (ISO/IEC 18181-1, image metadata).
    """
    content = written(stored, "JXL", lossless=False, quality=97)
    assert content[2:4] == packed((1, 1), (stored.height // 8 - 1, 5), *wide(stored), (1, 1), (1, 1))[:2]
    flags = [(0, 1), (1, 1), (orientation - 1, 3), (0, 3), (0, 1), (0, 2), (1, 1), (0, 2), (1, 1), (1, 1), (1, 1)]
    header = packed((1, 1), (stored.height // 8 - 1, 5), *wide(stored), *flags, (0, 2), (1, 1))
    codestream = content[:2] + header + content[4:]
    box = bytes(4) + exif.tobytes()[6:]
    parts = [(b"JXL ", b"\r\n\x87\n"), (b"ftyp", b"jxl \0\0\0\0jxl "), (b"Exif", box), (b"jxlc", codestream)]
    return b"".join(struct.pack(">I4s", len(body) + 8, name) + body for name, body in parts)


def wide(stored: Image.Image) -> list[tuple[int, int]]:
    """The width, as the ratio 3 to 2, or in eighths."""
    return [(4, 3)] if 2 * stored.width == 3 * stored.height else [(0, 3), (stored.width // 8 - 1, 5)]


def packed(*fields: tuple[int, int]) -> bytes:
    number = place = 0
    for field, bits in fields:
        number |= field << place
        place += bits
    return number.to_bytes(-(-place // 8), "little")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turn_in_the_header_of_jpeg_xl_is_undone_once(orientation: int) -> None:
    """The header and EXIF state the same turn, as `cjxl` writes them."""
    stored, exif = oriented(orientation)
    same(picture(turned_jxl(stored, orientation, exif), Embed(formats=("JXL",))), error=10)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_inside_of_jpeg_xl_is_turned_once(tmp_path: Path, orientation: int) -> None:
    stored, exif = oriented(orientation)
    jpeg = tmp_path / "camera.jpg"
    stored.save(jpeg, "JPEG", quality=98, subsampling=0, exif=exif)
    with Image.open(jpeg) as opened:
        content = written(opened, "JXL", lossless_jpeg=True)
    assert b"jbrd" in content
    same(picture(content, Embed(formats=("JXL",))))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["TIFF", "AVIF", "WEBP", "PNG"])
def test_the_formats_of_pillow_turn_once_as_well(form: str, orientation: int) -> None:
    stored, exif = oriented(orientation)
    options: dict[str, Any] = {"AVIF": {"quality": 95, "subsampling": "4:4:4"}, "WEBP": {"lossless": True}}
    answer = picture(hostile.encoded(stored, form, exif=exif, **options.get(form, {})), Embed(formats=(form,)))
    assert (answer.width, answer.height) == SCENE.size
    assert np.abs(answer.pixels.astype(int) - np.asarray(SCENE)).mean() < 3


def test_display_p3_in_heic_becomes_srgb() -> None:
    content = written(SCENE, "HEIC", icc_profile=icc_profiles.rgb(icc_profiles.DISPLAY_P3))
    assert_p3(levels(content, "HEIC"))


def test_display_p3_in_jpeg_xl_becomes_srgb(tmp_path: Path) -> None:
    jpeg = tmp_path / "camera.jpg"
    SCENE.save(jpeg, "JPEG", quality=98, subsampling=0, icc_profile=icc_profiles.rgb(icc_profiles.DISPLAY_P3))
    with Image.open(jpeg) as opened:
        assert_p3(levels(written(opened, "JXL", lossless_jpeg=True), "JXL"))


def assert_p3(answer: Any) -> None:
    expected = icc_profiles.p3_in_srgb(np.asarray(SCENE))
    assert np.abs(answer - expected).mean() < 3.5
    assert np.abs(np.asarray(SCENE) - expected).mean() > 5


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA"])
@pytest.mark.parametrize("form", PLUGINS)
def test_grey_and_transparency(form: str, mode: str) -> None:
    layered = SCENE.convert(mode)
    if mode != "L":
        layered.paste((0,) * len(mode), (0, 0, 48, 64))
    answer = levels(written(layered, form), form)
    expected = np.asarray(SCENE.convert("RGB" if mode == "RGBA" else "L").convert("RGB"))
    assert np.abs(answer[:, 50:] - expected[:, 50:]).mean() < 4
    assert mode == "L" or (answer[:, :44] > 250).all()


@pytest.mark.parametrize("form", PLUGINS)
def test_the_limits_hold(form: str) -> None:
    content = written(SCENE, form)
    with pytest.raises(Unusable, match=r"96 x 64 pixels, embed\.max_pixels is 6143"):
        picture(content, Embed(formats=(form,), max_pixels=96 * 64 - 1))
    with pytest.raises(Unusable, match="max_aspect"):
        picture(content, Embed(formats=(form,), max_aspect=1.4))
    for share in (0.02, 0.3, 0.6, 0.9):
        with pytest.raises(Unusable) as caught:
            picture(content[: int(len(content) * share)], Embed(formats=(form,)))
        assert caught.value.reason is Reason.UNDECODABLE


@pytest.mark.parametrize("form", PLUGINS)
def test_the_decoder_process_decodes_it(form: str) -> None:
    child = Decoder(Embed(formats=(form,), max_memory=1 << 28))
    content = written(SCENE.resize((1_600, 1_200)), form)
    assert child.decode(content).pixels.shape == (1_200, 1_600, 3)
    with pytest.raises(Unusable):
        child.decode(content[: len(content) // 2])
    assert child.decode(content).width == 1_600
    child.close()


def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    optional_formats.ready.cache_clear()


@pytest.mark.parametrize(("form", "package"), [("HEIC", "pillow-heif"), ("JXL", "pillow-jxl-plugin")])
def test_an_absent_package_is_named_before_anything_is_read(
    monkeypatch: pytest.MonkeyPatch, form: str, package: str
) -> None:
    absent(monkeypatch)
    with pytest.raises(ConfigError, match=f"{form} needs the package {package}") as caught:
        optional_formats.check(("JPEG", form))
    assert caught.value.faults[0].key == "embed.formats"
    assert optional_formats.ready(("JPEG", form)) == ("JPEG",)
    content = {"HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "JXL": b"\xff\x0a\xfa\x7f"}[form]
    with pytest.raises(Unusable, match=f"{form} needs the package") as why:
        picture(content + bytes(40), Embed(formats=("JPEG", form)))
    assert why.value.reason is Reason.WRONG_TYPE
    optional_formats.ready.cache_clear()


def test_what_pillow_decodes_needs_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    absent(monkeypatch)
    optional_formats.check(("JPEG", "AVIF", "TIFF", "JPEG2000"))
    assert optional_formats.ready(("JPEG", "AVIF")) == ("JPEG", "AVIF")
    optional_formats.ready.cache_clear()
