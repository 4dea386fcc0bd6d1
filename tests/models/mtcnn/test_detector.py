from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from facesieve import models
from facesieve.models.mtcnn import cascade, detector


def pixels_of(path: Path) -> Any:
    return np.asarray(Image.open(path).convert("RGB"))


@pytest.fixture(scope="module")
def photographs(data: Path) -> Any:
    """Eight photographs of eight people, and what a file may be besides: small, wide, cut at the border, doubled."""
    folders = sorted((data / "lfw_colour" / "images").iterdir())[:8]
    whole = [pixels_of(sorted(folder.glob("*.jpg"))[1]) for folder in folders]
    return [*whole, whole[0][:, 120:], np.hstack(whole[1:3]), whole[3][::3, ::3].copy(), whole[4][:60]]


@pytest.fixture(scope="module")
def photograph(data: Path) -> Any:
    return Image.open(sorted((data / "lfw_colour" / "images" / "Tony_Blair").glob("*.jpg"))[1]).convert("RGB")


def largest(image: Any, side: int = 1_280) -> Any:
    (found,) = models.detect([np.asarray(image)], side, 20, 0.8)
    return max(found, key=lambda one: one.box[2] * one.box[3])


def rows(found: Any) -> Any:
    return np.array([[*one.box, one.confidence, *one.landmarks] for one in found]).reshape(-1, 15)


def test_faces_are_those_that_the_package_finds_image_by_image(photographs: Any) -> None:
    package = importlib.import_module("mtcnn").MTCNN()
    for image in photographs:
        (ours,) = models.detect([image], 1_280, 20, 0.8)
        theirs = package.detect_faces(image, fit_to_image=False, box_format="xyxy", output_type="numpy")
        assert len(ours) == len(theirs)
        for one, row in zip(rows(ours), theirs, strict=True):
            np.testing.assert_allclose(one[:4], [*row[1:3], *(row[3:5] - row[1:3])], atol=0.5)
            np.testing.assert_allclose(one[5:], row[6:16].reshape(2, 5).T.ravel(), atol=0.5)
            assert one[4] == pytest.approx(row[5], abs=1e-3)


def test_what_is_found_does_not_depend_on_the_other_images(photographs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = [rows(models.detect([image], 1_280, 20, 0.8)[0]) for image in photographs]
    assert sum(map(len, alone)) >= 10
    together = models.detect(photographs, 1_280, 20, 0.8)
    backwards = models.detect(photographs[::-1], 1_280, 20, 0.8)[::-1]
    monkeypatch.setattr(cascade, "_PATCHES", 7)
    monkeypatch.setattr(detector, "_MOST_PIXELS", 130_000)
    in_small_chunks = models.detect(photographs, 1_280, 20, 0.8)
    for way in (together, backwards, in_small_chunks):
        for one, other in zip(way, alone, strict=True):
            np.testing.assert_allclose(rows(one), other, atol=1e-2)


def test_no_image_size_makes_tensorflow_trace_again(photographs: Any) -> None:
    for image in photographs:
        models.detect([image, image[:-1, :-2]], 1_280, 20, 0.8)
    networks = detector.networks()
    functions = (networks.propose, networks.refine, networks.judge, networks.cut)
    assert [function.experimental_get_tracing_count() for function in functions] == [1, 1, 1, 1]


def test_a_face_is_found_with_its_points_where_they_belong(photograph: Any) -> None:
    found = largest(photograph)
    x, y, width, height = found.box
    left_eye, right_eye, nose, left_mouth, right_mouth = np.reshape(found.landmarks, (5, 2))
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert left_eye[1] < nose[1] < left_mouth[1]
    assert x < nose[0] < x + width
    assert y < nose[1] < y + height
    assert found.confidence > 0.9


def test_a_large_image_is_searched_small_and_answered_in_its_own_pixels(photograph: Any) -> None:
    small = largest(photograph)
    enlarged = photograph.resize((1_500, 1_500), Image.Resampling.BICUBIC)
    large = largest(enlarged, side=250)
    np.testing.assert_allclose(np.array(large.box) / 6, small.box, atol=4)
    np.testing.assert_allclose(np.array(large.landmarks) / 6, small.landmarks, atol=4)


def test_nothing_is_found_where_nothing_is() -> None:
    shapes = [(1, 1), (5, 40), (12, 12), (13, 100), (64, 64)]
    rng = np.random.default_rng(0)
    images = [np.full((*shape, 3), 128, dtype=np.uint8) for shape in shapes]
    images += [rng.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in shapes]
    assert models.detect(images, 1_280, 20, 0.8) == [[]] * 10
    assert models.detect([], 1_280, 20, 0.8) == []
