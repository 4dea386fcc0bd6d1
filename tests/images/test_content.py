from __future__ import annotations

import io
import tarfile
import zipfile

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from facesieve.core.sections import Images
from facesieve.images.content import HEAD, suffixes_of

GREY, COLOUR, BITS = np.zeros((9, 7), np.uint8), np.zeros((9, 7, 3), np.uint8), np.zeros((9, 7), bool)


def _saved(pixels: np.ndarray, form: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


@pytest.mark.parametrize("pixels", [GREY, COLOUR, BITS], ids=["grey", "colour", "bits"])
@pytest.mark.parametrize(
    ("form", "suffix"),
    [
        ("JPEG", ".jpg"),
        ("PNG", ".png"),
        ("WEBP", ".webp"),
        ("BMP", ".bmp"),
        ("PPM", ".ppm"),
        ("GIF", ".gif"),
        ("TIFF", ".tif"),
        ("JPEG2000", ".jp2"),
    ],
)
def test_a_format_is_told_by_its_first_bytes(pixels: np.ndarray, form: str, suffix: str) -> None:
    if form in ("JPEG", "JPEG2000") and pixels is BITS:
        pixels = GREY
    assert suffixes_of(_saved(pixels, form)[:HEAD])[0] == suffix


def test_an_archive_is_told_by_its_first_bytes() -> None:
    tar, packed = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    with zipfile.ZipFile(packed, "w") as archive_of_zip:
        archive_of_zip.writestr("a", b"")
    assert [suffixes_of(file.getvalue()[:HEAD]) for file in (tar, packed)] == [(".tar",), (".zip",)]


@given(st.text(alphabet=st.characters(codec="ascii", exclude_categories=["Cc"])))
@example("BMW and Audi, a list of 100 cars of these makers")
@example("P1 is the first, P2 the second")
@example("Python notes")
@example("GIF89 is a format")
def test_words_are_no_image(text: str) -> None:
    assert suffixes_of(text.encode()) == () or text.startswith(("P", "PAR1", "GIF8", "II*", "MM"))


def test_of_formats_that_are_decoded_all_usual_suffixes_count_as_images() -> None:
    usual = {suffix for form in ("JPEG", "PNG", "WEBP", "BMP") for suffix in suffixes_of(_saved(COLOUR, form))}
    assert usual <= set(Images.suffixes)
