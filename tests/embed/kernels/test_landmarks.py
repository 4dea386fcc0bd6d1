from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesieve.embed.kernels import landmarks
from facesieve.faces import pixels

TEMPLATE = np.array([[38.3, 51.7], [73.5, 51.5], [56.0, 71.7], [41.5, 92.4], [70.7, 92.2]])
numbers = st.floats(-50, 50)


def waves(height: int, width: int) -> np.ndarray:
    """A smooth picture, so that two ways of filtering it agree."""
    y, x = np.mgrid[:height, :width]
    planes = [128 + 100 * np.sin(x / a) * np.cos(y / b) for a, b in ((9, 14), (20, 11), (13, 30))]
    return np.stack(planes, axis=-1).astype(np.uint8)


def moved(points: np.ndarray, angle: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return points @ turn.T + shift


def applied(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])


def umeyama(points: np.ndarray, template: np.ndarray) -> np.ndarray:
    """The paper's own way: singular values of the covariance, reflections excluded."""
    x, y = points - points.mean(axis=0), template - template.mean(axis=0)
    u, singular, vt = np.linalg.svd(y.T @ x / len(x))
    signs = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    turn = u @ np.diag(signs) @ vt * (singular * signs).sum() / x.var(axis=0).sum()
    return np.column_stack([turn, template.mean(axis=0) - turn @ points.mean(axis=0)])


@given(st.floats(-np.pi, np.pi), st.floats(0.1, 10), st.tuples(numbers, numbers))
def test_rotation_scale_and_shift_are_recovered_exactly(angle: float, scale: float, shift: Any) -> None:
    points = moved(TEMPLATE, angle, scale, shift)
    matrix = landmarks.similarity(points, TEMPLATE)
    np.testing.assert_allclose(applied(matrix, points), TEMPLATE, atol=1e-9)
    assert landmarks.pitch(matrix) == pytest.approx(scale)


@given(st.integers(0, 10_000), st.floats(-np.pi, np.pi))
def test_noisy_points_are_fitted_as_umeyama_does_without_reflection(seed: int, angle: float) -> None:
    noise = np.random.default_rng(seed).normal(0, 6, (5, 2))
    points = moved(TEMPLATE, angle, 1.7, (30, 40)) + noise
    matrix = landmarks.similarity(points, TEMPLATE)
    np.testing.assert_allclose(matrix, umeyama(points, TEMPLATE), atol=1e-9)
    assert np.linalg.det(matrix[:, :2]) > 0


def test_points_without_the_templates_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        landmarks.similarity(np.ones((5, 2)), TEMPLATE)
    triangle = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(3) / 2]])
    with pytest.raises(ValueError, match="shape"):
        landmarks.similarity(triangle * (-1, 1), triangle)
    with pytest.raises(ValueError, match="shape"):
        landmarks.similarity(np.full((5, 2), np.nan), TEMPLATE)


def test_room_leaves_the_middle_where_it_is() -> None:
    points = np.array([[0.5, 0.5], [0.0, 1.0]])
    assert landmarks.roomy(points, 0.0).tolist() == points.tolist()
    assert landmarks.roomy(points, 1.0).tolist() == [[0.5, 0.5], [0.25, 0.75]]


def brute(image: np.ndarray, matrix: np.ndarray, size: tuple[int, int], fine: int) -> np.ndarray:
    """Each pixel of the crop: the mean of `fine` x `fine` bilinear samples spread over it."""
    back = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))
    height, width = image.shape[:2]
    crop = np.zeros((*size, 3))
    for row, column in np.ndindex(*size):
        for down, right in np.ndindex(fine, fine):
            x, y, _ = back @ (column + (right + 0.5) / fine, row + (down + 0.5) / fine, 1) - 0.5
            x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
            left, top = min(int(x), width - 2), min(int(y), height - 2)
            a, b = x - left, y - top
            four = image[top : top + 2, left : left + 2].astype(float)
            crop[row, column] += np.tensordot(np.outer((1 - b, b), (1 - a, a)), four, axes=2)
    return crop / fine**2


@pytest.mark.parametrize("angle", [0.0, 0.4, -2.0])
def test_enlarging_is_bilinear(angle: float) -> None:
    image = np.random.default_rng(1).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    points = moved(TEMPLATE / 112 * 24, angle, 0.9, (12, 14))
    matrix = landmarks.similarity(points, TEMPLATE / 112 * 24)
    np.testing.assert_allclose(landmarks.warp(image, matrix, (24, 24)), brute(image, matrix, (24, 24), 1), atol=1e-3)


@pytest.mark.parametrize(("angle", "scale"), [(0.0, 1.5), (0.4, 2.0), (-2.0, 4.0)])
def test_shrinking_averages_what_a_pixel_covers(angle: float, scale: float) -> None:
    image = waves(160, 160)
    points = moved((TEMPLATE - 56) / 112 * 20, angle, scale, (80, 75))
    matrix = landmarks.similarity(points, TEMPLATE / 112 * 20)
    difference = landmarks.warp(image, matrix, (20, 20)) - brute(image, matrix, (20, 20), 4)
    assert np.abs(difference).mean() < 0.06 * 100


def test_shrinking_does_not_alias() -> None:
    board = np.zeros((260, 260, 3), dtype=np.uint8)
    board[np.add.outer(np.arange(260), np.arange(260)) % 2 == 0] = 255
    matrix = landmarks.similarity(moved(TEMPLATE, 0.3, 3.3, (60, 10)), TEMPLATE)
    assert np.abs(landmarks.warp(board, matrix, (40, 40)) - 127.5).max() < 16


def test_without_rotation_the_warp_is_the_resize() -> None:
    image = waves(120, 120)
    matrix = np.array([[0.5, 0, -10], [0, 0.5, -5]])
    expected = pixels.resample(image, (20, 10, 80, 80), (40, 40))
    np.testing.assert_allclose(landmarks.warp(image, matrix, (40, 40)), expected, atol=1e-3)


@given(st.floats(-np.pi, np.pi), st.floats(0.2, 5), st.tuples(numbers, numbers), st.sampled_from([(9, 9), (5, 12)]))
def test_one_colour_stays_that_colour_also_beyond_the_border(angle: float, scale: float, shift: Any, size: Any) -> None:
    matrix = landmarks.similarity(moved(TEMPLATE / 10, angle, scale, shift), TEMPLATE / 10)
    crop = landmarks.warp(np.full((7, 1, 3), 77, dtype=np.uint8), matrix, size)
    assert crop.shape == (*size, 3)
    np.testing.assert_allclose(crop, 77, rtol=1e-5)
