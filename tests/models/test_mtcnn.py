import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from facesieve import models
from facesieve.models.proposals import survivors


@pytest.fixture
def photograph(data):
    return Image.open(sorted((data / "lfw_colour" / "images" / "Tony_Blair").glob("*.jpg"))[1]).convert("RGB")


def largest(image, side=1_280):
    return max(models.detect(np.asarray(image), side, 20, 0.8), key=lambda found: found.box[2] * found.box[3])


def windows(seed, count):
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 60, (count, 2))
    sides = rng.uniform(0, 40, (count, 2))
    confidence = np.sort(rng.uniform(size=(count, 1)), axis=0)[::-1]
    return np.hstack([np.zeros((count, 1)), corners, corners + sides, confidence])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0, 1, 2, 50, 255, 256, 257, 600]), st.sampled_from([0.3, 0.5, 0.7]))
def test_survivors_are_those_of_the_package(seed, count, overlap):
    bboxes = pytest.importorskip("mtcnn.utils.bboxes")
    given_windows = windows(seed, count)
    expected = bboxes.smart_nms_from_bboxes(given_windows, threshold=overlap, initial_sort=False)
    assert np.array_equal(survivors(given_windows, overlap), expected)


def test_a_face_is_found_with_its_points_where_they_belong(photograph):
    found = largest(photograph)
    x, y, width, height = found.box
    left_eye, right_eye, nose, left_mouth, right_mouth = np.reshape(found.landmarks, (5, 2))
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert left_eye[1] < nose[1] < left_mouth[1]
    assert x < nose[0] < x + width
    assert y < nose[1] < y + height
    assert found.confidence > 0.9


def test_a_large_image_is_searched_small_and_answered_in_its_own_pixels(photograph):
    small = largest(photograph)
    enlarged = photograph.resize((1_500, 1_500), Image.Resampling.BICUBIC)
    large = largest(enlarged, side=250)
    np.testing.assert_allclose(np.array(large.box) / 6, small.box, atol=4)
    np.testing.assert_allclose(np.array(large.landmarks) / 6, small.landmarks, atol=4)


@pytest.mark.parametrize("shape", [(1, 1), (5, 40), (12, 12), (13, 100), (64, 64)])
def test_nothing_is_found_where_nothing_is(shape):
    rng = np.random.default_rng(0)
    assert models.detect(np.full((*shape, 3), 128, dtype=np.uint8), 1_280, 20, 0.8) == []
    assert models.detect(rng.integers(0, 256, (*shape, 3), dtype=np.uint8), 1_280, 20, 0.8) == []
