from __future__ import annotations

import numpy as np
import pytest
from scenes import scene

from facesieve.decide.kernels.registration import Picture, registered, sample

Matrix = np.ndarray


def picture(grey: np.ndarray) -> Picture:
    return Picture(grey.astype(np.float32), np.ones(grey.shape, np.bool_))


def seen_through(there: Matrix, first: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The second picture, of which `there` says where the pixels of the first lie."""
    back = np.linalg.inv(np.vstack([there, (0, 0, 1)]))[:2]
    return sample(picture(np.zeros(shape)), picture(first), back).values


FIRST = np.asarray(scene(1).convert("L"), np.float64)
MAPS = {
    "shifted": [[1, 0, 3.3], [0, 1, -2.6]],
    "scaled": [[1.04, 0, -4], [0, 1.02, 1]],
    "turned a little": [[0.999, -0.03, 2], [0.03, 0.999, -3]],
    "mirrored": [[-1, 0, 297.4], [0, 1, 1.2]],
    "turned by a quarter": [[0, -1, 240.7], [1, 0, -0.4]],
}
STARTS = {"mirrored": [[-1, 0, 300], [0, 1, 0]], "turned by a quarter": [[0, -1, 240], [1, 0, 0]]}


@pytest.mark.parametrize("kind", MAPS)
def test_a_map_is_recovered_to_a_fraction_of_a_pixel_whatever_the_brightness(kind: str) -> None:
    there = np.array(MAPS[kind], np.float64)
    shape = (300, 240) if "quarter" in kind else (240, 300)
    second = seen_through(there, FIRST, shape)
    start = np.array(STARTS.get(kind, [[1, 0, 0], [0, 1, 0]]), np.float64)
    usable = second > 0
    answer = registered(picture(FIRST), Picture((second * 0.7 + 20).astype(np.float32), usable), start)
    assert answer is not None
    corners = np.array([[20, 280, 20, 280], [20, 20, 220, 220], [1, 1, 1, 1]])
    assert np.abs((answer - there) @ corners).max() < 0.1


def test_pictures_of_different_things_are_lost() -> None:
    other = np.asarray(scene(2).convert("L"), np.float64)
    assert registered(picture(FIRST), picture(other), np.eye(3)[:2]) is None


def test_pictures_without_anything_in_them_are_lost() -> None:
    flat = picture(np.full((100, 100), 7.0))
    assert registered(flat, flat, np.eye(3)[:2]) is None
    nowhere = np.array([[1.0, 0, 900], [0, 1, 900]])
    assert registered(picture(FIRST), picture(FIRST), nowhere) is None


def test_a_sample_is_usable_where_both_pictures_are() -> None:
    usable = np.ones(FIRST.shape, np.bool_)
    usable[100, 100] = False
    there = np.array([[1.0, 0, 0.5], [0, 1, 0]])
    seen = sample(picture(FIRST), Picture(FIRST.astype(np.float32), usable), there)
    np.testing.assert_allclose(seen.values[:, :-1], (FIRST[:, 1:] + FIRST[:, :-1]) / 2, atol=1e-3)
    assert sorted(map(tuple, np.argwhere(~seen.usable[1:-1, 1:-1]) + 1)) == [(99, 99), (99, 100), (100, 99), (100, 100)]
