"""Formats that packages beside Pillow decode: behind the same limits, upright once, and named where one is absent."""

from __future__ import annotations

import importlib.util
from typing import Any

import hostile
import icc_profiles
import numpy as np
import pytest
from PIL import Image

from facesieve.core.errors import ConfigError
from facesieve.core.reasons import Reason
from facesieve.core.sections import Embed
from facesieve.embed.decode import picture
from facesieve.embed.decoder_client import Decoder
from facesieve.embed.formats import optional_formats
from facesieve.embed.picture import Unusable

SCENE = hostile.scene(96, 64)
PLUGINS = [
    pytest.param("HEIC", marks=pytest.mark.needs("pillow_heif")),
    pytest.param("JXL", marks=pytest.mark.needs("pillow_jxl")),
]
TURNS = {
    1: [],
    2: [Image.Transpose.FLIP_LEFT_RIGHT],
    3: [Image.Transpose.ROTATE_180],
    4: [Image.Transpose.FLIP_TOP_BOTTOM],
    5: [Image.Transpose.TRANSPOSE],
    6: [Image.Transpose.ROTATE_90],
    7: [Image.Transpose.TRANSVERSE],
    8: [Image.Transpose.ROTATE_270],
}
"""What is done to a picture before it is stored, so that its orientation turns it back."""


def written(image: Image.Image, form: str, **options: object) -> bytes:
    """Encode with the package itself, nearly without loss."""
    optional_formats.ready((form,))
    best: dict[str, object] = {"HEIC": {"quality": 95, "chroma": 444}, "JXL": {"lossless": True}}[form]
    return hostile.encoded(image, {"HEIC": "HEIF"}.get(form, form), **{**best, **options})


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


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", PLUGINS)
def test_a_turn_is_undone_once(form: str, orientation: int) -> None:
    stored, exif = oriented(orientation)
    answer = picture(written(stored, form, exif=exif.tobytes()), Embed(formats=(form,)))
    assert (answer.width, answer.height) == SCENE.size
    assert np.abs(answer.pixels.astype(int) - np.asarray(SCENE)).mean() < 3


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["TIFF", "AVIF", "WEBP", "PNG"])
def test_the_formats_of_pillow_turn_once_as_well(form: str, orientation: int) -> None:
    stored, exif = oriented(orientation)
    options: dict[str, Any] = {"AVIF": {"quality": 95, "subsampling": "4:4:4"}, "WEBP": {"lossless": True}}
    answer = picture(hostile.encoded(stored, form, exif=exif, **options.get(form, {})), Embed(formats=(form,)))
    assert (answer.width, answer.height) == SCENE.size
    assert np.abs(answer.pixels.astype(int) - np.asarray(SCENE)).mean() < 3


@pytest.mark.needs("pillow_jxl")
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_jpeg_inside_of_jpeg_xl_is_turned_once(orientation: int) -> None:
    stored, exif = oriented(orientation)
    jpeg = hostile.encoded(stored, "JPEG", quality=98, subsampling=0, exif=exif)
    with Image.open(__import__("io").BytesIO(jpeg)) as opened:
        content = written(opened, "JXL", lossless_jpeg=True, exif=exif.tobytes())
    answer = picture(content, Embed(formats=("JXL",)))
    assert (answer.width, answer.height) == SCENE.size
    assert np.abs(answer.pixels.astype(int) - np.asarray(SCENE)).mean() < 3


@pytest.mark.parametrize("form", PLUGINS)
def test_display_p3_becomes_srgb(form: str) -> None:
    content = written(SCENE, form, icc_profile=icc_profiles.rgb(icc_profiles.DISPLAY_P3))
    expected = icc_profiles.p3_in_srgb(np.asarray(SCENE))
    assert np.abs(levels(content, form) - expected).mean() < 3.5
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
