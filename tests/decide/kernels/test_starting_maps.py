from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesieve.decide.kernels.starting_maps import by_frames, by_points, face_points

POINTS = np.array([[30.0, 40], [70, 41], [52, 60], [36, 82], [66, 80]])
MIRRORED = [1, 0, 2, 4, 3]


@given(st.integers(0, 3), st.floats(0.2, 5), st.floats(-50, 50), st.booleans())
def test_points_that_were_turned_scaled_and_mirrored_are_laid_on_each_other(
    turn: int, scale: float, shift: float, mirrored: bool
) -> None:
    cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[turn]
    linear = scale * np.array([[cosine, -sine], [sine, cosine]]) @ np.diag([-1 if mirrored else 1, 1])
    others = POINTS @ linear.T + (shift, 7)
    # A detector calls left what is left in the mirror image.
    named = others[MIRRORED] if mirrored else others
    there = by_points(POINTS, named, mirrored=mirrored)
    np.testing.assert_allclose(POINTS @ there[:, :2].T + there[:, 2], others, atol=1e-6)


def test_points_that_differ_a_little_are_not_turned_a_little() -> None:
    there = by_points(POINTS, POINTS + np.array([[0, 2.0], [0, -2], [0, 0], [0, 1], [0, -1]]), mirrored=False)
    assert there[0, 1] == there[1, 0] == 0


@pytest.mark.parametrize("mirrored", [False, True])
def test_frames_are_laid_on_each_other(mirrored: bool) -> None:
    corners = by_frames((100, 50), (200, 75), mirrored=mirrored) @ np.array([[0, 100], [0, 50], [1, 1]])
    assert corners.T.tolist() == ([[200, 0], [0, 75]] if mirrored else [[0, 0], [200, 75]])


@pytest.mark.parametrize("turn", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_turned_frames_are_laid_on_each_other_as_numpy_turns_pixels(turn: int, mirrored: bool) -> None:
    pixels = np.arange(15).reshape(3, 5)
    turned = np.rot90(pixels[:, ::-1] if mirrored else pixels, turn)
    there = by_frames((5, 3), (turned.shape[1], turned.shape[0]), mirrored=mirrored, turn=turn)
    for row, column in np.ndindex(3, 5):
        x, y = there @ (column + 0.5, row + 0.5, 1)
        assert turned[int(y), int(x)] == pixels[row, column]


def test_points_are_guessed_from_the_box_where_there_are_none() -> None:
    assert (face_points(POINTS.ravel().tolist(), (0, 0, 1, 1)) == POINTS).all()
    guessed = face_points(None, (10, 20, 100, 200))
    assert ((guessed > (10, 20)) & (guessed < (110, 220))).all()
    assert guessed[0, 0] < guessed[1, 0]
