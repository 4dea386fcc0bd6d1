"""Pictures of other colours than sRGB, against colours that are worked out by the definitions."""

from __future__ import annotations

from typing import Any

import hostile
import icc_profiles
import numpy as np
import pytest
from PIL import Image, ImageCms

from facesieve.core.reasons import Reason
from facesieve.core.sections import Embed
from facesieve.embed.decode import picture
from facesieve.embed.formats.icc import in_srgb

EMBED = Embed(formats=("JPEG", "PNG", "WEBP", "TIFF", "AVIF"))
SCENE = hostile.scene(96, 64)
P3 = icc_profiles.rgb(icc_profiles.DISPLAY_P3)


def levels(image: Image.Image, form: str, profile: bytes, **options: object) -> Any:
    return picture(hostile.encoded(image, form, icc_profile=profile, **options), EMBED).pixels.astype(int)


@pytest.mark.parametrize(
    ("form", "options"),
    [("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {}), ("JPEG", {"quality": 100, "subsampling": 0})],
)
def test_display_p3_becomes_srgb(form: str, options: dict[str, object]) -> None:
    expected = icc_profiles.p3_in_srgb(np.asarray(SCENE))
    differences = np.abs(levels(SCENE, form, P3, **options) - expected)
    assert differences.mean() < (1.5 if form == "JPEG" else 0.7)
    assert np.abs(np.asarray(SCENE) - expected).mean() > 5, "the profile makes a difference"


def test_a_profile_of_srgb_changes_no_pixel() -> None:
    own = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (own, icc_profiles.rgb(icc_profiles.SRGB)):
        assert np.array_equal(levels(SCENE, "PNG", profile), np.asarray(SCENE))


def test_grey_has_its_own_gamma() -> None:
    shades = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16))
    answer = levels(shades, "PNG", icc_profiles.grey(1.8))
    assert np.abs(answer[..., 0] - icc_profiles.gamma_in_srgb(np.asarray(shades), 1.8)).max() <= 1.5
    deep = Image.fromarray(np.asarray(shades).astype(np.uint16) * 257)
    assert np.array_equal(levels(deep, "PNG", icc_profiles.grey(1.8)), answer)


def test_the_profile_of_a_paper_gives_the_colours_of_the_inks() -> None:
    def lab(inked: tuple[int, ...]) -> tuple[float, float, float]:
        if inked[3]:
            return 0.0, 0.0, 0.0
        colours: dict[tuple[int, ...], tuple[float, float, float]] = {
            (0, 0, 0): (100.0, 0.0, 0.0),
            (0, 1, 0): (65.0, 50.0, 60.0),
        }
        return colours.get(inked[:3], (50.0, -30.0, 20.0))

    profile = icc_profiles.inks(lab)
    for colour, corner in (((0, 255, 0, 0), (0, 1, 0, 0)), ((255, 0, 0, 0), (1, 0, 0, 0)), ((0,) * 4, (0,) * 4)):
        patch = Image.new("CMYK", (32, 32), colour)
        expected = icc_profiles.lab_in_srgb(lab(corner))
        assert np.abs(levels(patch, "TIFF", profile)[5, 5] - expected).max() <= 3
        assert np.abs(levels(patch, "JPEG", profile, quality=100)[5, 5] - expected).max() <= 5


def test_transparent_pixels_stay_white_and_others_are_turned_into_srgb() -> None:
    layered = SCENE.convert("RGBA")
    layered.paste((10, 20, 30, 0), (0, 0, 48, 64))
    answer = levels(layered, "PNG", P3)
    assert (answer[:, :48] == 255).all()
    assert np.abs(answer[:, 48:] - icc_profiles.p3_in_srgb(np.asarray(SCENE)[:, 48:])).mean() < 0.7


@pytest.mark.parametrize("mode", ["P", "1", "LA", "RGBA"])
def test_every_mode_that_has_a_profile_gives_a_picture(mode: str) -> None:
    profile = P3 if mode in ("P", "RGBA") else icc_profiles.grey(1.8)
    assert levels(SCENE.convert(mode), "PNG", profile).shape == (64, 96, 3)


@pytest.mark.parametrize("profile", [b"no profile", P3[:200], P3[:128] + bytes(300), icc_profiles.grey(1.8)])
def test_a_profile_that_is_damaged_or_of_other_colours_counts_as_none(profile: bytes) -> None:
    answer = picture(hostile.encoded(SCENE, "PNG", icc_profile=profile), EMBED)
    assert np.array_equal(answer.pixels, np.asarray(SCENE))
    assert Reason.RECOLOURED not in answer.notes


def test_without_a_profile_there_is_nothing_to_do() -> None:
    assert in_srgb(SCENE) is None
