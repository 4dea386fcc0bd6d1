"""How well members hold together."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from factories import faces
from hypothesis import given
from hypothesis import strategies as st

from facesieve.cluster.kernels.cohesion import cohesion, streamed_cohesion


def test_mean_cosine_of_the_others_to_the_medoid() -> None:
    vectors = np.array([[1.0, 0.0], [0.6, 0.8], [0.8, 0.6], [0.28, 0.96]])
    centre, mean = cohesion(np.arange(4), vectors)
    assert centre == 2
    assert mean == pytest.approx((0.8 + 0.96 + 0.8) / 3, abs=1e-3)


def test_a_single_face_holds_together() -> None:
    assert cohesion(np.array([5]), np.array([[0.6, 0.8]])) == (0, 1.0)


def test_two_equal_faces_have_the_smaller_id_as_medoid() -> None:
    assert cohesion(np.array([9, 2]), np.ones((2, 3))) == pytest.approx((1, 1.0))


def test_row_order_changes_no_bit() -> None:
    ids, _, vectors = faces(1, 50, seed=4)
    order = np.random.default_rng(0).permutation(50)
    centre, mean = cohesion(ids, vectors)
    shuffled_centre, shuffled = cohesion(ids[order], vectors[order])
    assert (order[shuffled_centre], shuffled) == (centre, mean)


def test_one_person_holds_together_better_than_two() -> None:
    single, two = faces(1, 20, seed=6), faces(2, 10, seed=6)
    assert cohesion(single[0], single[2])[1] > 0.7
    assert cohesion(two[0], two[2])[1] < 0.5


@given(st.integers(1, 40), st.sampled_from([1, 3, 64]), st.integers(0, 2**32), st.lists(st.integers(0, 40), max_size=5))
def test_equals_the_held_cluster_to_the_bit(rows: int, dimension: int, seed: int, cuts: list[int]) -> None:
    vectors = np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)
    vectors[rows // 2] = vectors[0]
    bounds = sorted({0, rows, *(cut for cut in cuts if cut < rows)})
    blocks = [vectors[start:end] for start, end in pairwise(bounds)]
    assert streamed_cohesion(lambda: blocks) == cohesion(np.arange(rows), vectors)


def test_a_cluster_has_a_face() -> None:
    with pytest.raises(ValueError, match="at least one"):
        streamed_cohesion(lambda: [])
