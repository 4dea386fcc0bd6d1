"""Aligned faces as image files: pixel by pixel what the model got."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from facesieve.core.profiles import Margin, Profile
from facesieve.core.sections import Embed
from facesieve.embed.crops import again, cut
from facesieve.embed.picture import Picture, Unusable
from facesieve.publish.face_crops import FaceCutter

BOX = {"x": 30.0, "y": 20.0, "width": 40.0, "height": 50.0}
POINTS = [40.0, 40.0, 60.0, 40.0, 50.0, 50.0, 42.0, 60.0, 58.0, 60.0]


def noise() -> Any:
    return np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)


def cutter(crop_format: str, margin: Margin | None) -> FaceCutter:
    profile = Profile("", "0" * 64, "tflite", (24, 16), "none", 2, name="any", margin=margin)
    return FaceCutter(profile, Embed(), crop_format)


def photograph(pixels: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("margin", [None, Margin("facenet"), Margin("five_point")])
@pytest.mark.parametrize("points", [POINTS, None])
def test_png_has_the_pixels_that_the_model_got(margin: Margin | None, points: list[float] | None) -> None:
    made = cutter("png", margin)(photograph(noise()), {"box": BOX, "landmarks": points})
    picture = Picture(noise(), 160, 120)
    face = again((30.0, 20.0, 40.0, 50.0), None if points is None else tuple(points), picture, margin)
    expected = cut(picture, face, (24, 16))
    image = Image.open(io.BytesIO(made))
    assert (image.format, image.size) == ("PNG", (16, 24))
    assert np.abs(np.asarray(image, np.float32) - expected).max() <= 0.5


def test_jpeg_is_near() -> None:
    smooth = np.broadcast_to(np.linspace(0, 255, 160)[None, :, None], (120, 160, 3)).astype(np.uint8)
    row = {"box": BOX, "landmarks": POINTS}
    images = [Image.open(io.BytesIO(cutter(form, None)(photograph(smooth), row))) for form in ("png", "jpeg")]
    assert [image.format for image in images] == ["PNG", "JPEG"]
    assert np.abs(np.subtract(*(np.asarray(image, np.float32) for image in images))).max() <= 4


def test_what_is_no_picture_is_unusable() -> None:
    with pytest.raises(Unusable):
        cutter("png", None)(b"no picture", {"box": BOX, "landmarks": None})
