"""How well members hold together."""

from __future__ import annotations

import numpy as np
import pytest
from factories import faces

from facesieve.cluster.kernels.cohesion import cohesion


def test_mean_cosine_of_the_others_to_the_medoid() -> None:
    vectors = np.array([[1.0, 0.0], [0.6, 0.8], [0.8, 0.6], [0.28, 0.96]])
    centre, held = cohesion(np.arange(4), vectors)
    assert centre == 2
    assert held == pytest.approx((0.8 + 0.96 + 0.8) / 3, abs=1e-3)


def test_a_single_face_holds_together() -> None:
    assert cohesion(np.array([5]), np.array([[0.6, 0.8]])) == (0, 1.0)


def test_two_equal_faces_have_the_smaller_id_as_medoid() -> None:
    assert cohesion(np.array([9, 2]), np.ones((2, 3))) == (1, pytest.approx(1.0))


def test_row_order_changes_no_bit() -> None:
    ids, _, vectors = faces(1, 50, seed=4)
    order = np.random.default_rng(0).permutation(50)
    centre, held = cohesion(ids, vectors)
    shuffled_centre, shuffled = cohesion(ids[order], vectors[order])
    assert (order[shuffled_centre], shuffled) == (centre, held)


def test_one_person_holds_together_better_than_two() -> None:
    one, two = faces(1, 20, seed=6), faces(2, 10, seed=6)
    assert cohesion(one[0], one[2])[1] > 0.7
    assert cohesion(two[0], two[2])[1] < 0.5
