from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from facesieve.models.mtcnn.proposals import Windows, proposals, squares, surest_first, survivors


def windows(seed: int, count: int) -> Windows:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 60, (count, 2))
    sides = rng.uniform(0, 40, (count, 2))
    confidence = np.sort(rng.uniform(size=(count, 1)), axis=0)[::-1]
    return np.hstack([corners, corners + sides, confidence])


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([0, 1, 2, 50, 255, 256, 257, 600]),
    st.sampled_from([0.3, 0.5, 0.7]),
    st.booleans(),
)
def test_survivors_are_those_of_the_package(seed: int, count: int, overlap: float, of_smaller: bool) -> None:
    bboxes = importlib.import_module("mtcnn.utils.bboxes")
    given_windows = windows(seed, count)
    of_one_image = np.insert(given_windows, 0, 0.0, axis=1)
    method = "min" if of_smaller else "union"
    expected = bboxes.smart_nms_from_bboxes(of_one_image, threshold=overlap, method=method, initial_sort=False)
    assert np.array_equal(survivors(given_windows, overlap, of_smaller=of_smaller), expected[:, 1:])


def test_a_crowd_of_windows_is_bounded() -> None:
    def everywhere(stacked: Any, size: Any) -> Any:
        """As if each window of the image held a face."""
        places = np.argwhere(np.ones((len(stacked), *(np.asarray(size) // 2 - 5))))
        return places, np.zeros((len(places), 4)), np.linspace(0.7, 0.9, len(places))

    images = [np.zeros((200, 200, 3), dtype=np.uint8)] * 2
    single, other = proposals(images, 20, everywhere)
    assert 0 < len(single) <= 1_000
    assert len(single) == len(other)


def test_squares_keep_the_centre_and_the_longer_side() -> None:
    wide = windows(3, 40)
    square = squares(wide)
    sides = square[:, 2:4] - square[:, :2]
    np.testing.assert_allclose(sides[:, 0], sides[:, 1])
    np.testing.assert_allclose(sides.max(axis=1), (wide[:, 2:4] - wide[:, :2]).max(axis=1))
    np.testing.assert_allclose(square[:, :2] + square[:, 2:4], wide[:, :2] + wide[:, 2:4])
    assert np.array_equal(square[:, 4], wide[:, 4])


def test_surest_windows_come_first() -> None:
    shuffled = np.random.default_rng(0).permutation(windows(1, 50))
    assert np.array_equal(surest_first(shuffled), windows(1, 50))
