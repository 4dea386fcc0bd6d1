"""Which vectors are an erased one but for rounding."""

from __future__ import annotations

import numpy as np
import pytest

from facesieve.erasure.kernels.near import near, which_near

RNG = np.random.default_rng(3)
FACES = RNG.normal(size=(40_000, 16)).astype(np.float32)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_a_vector_is_found_in_every_precision_and_at_every_place(kind: type[np.floating]) -> None:
    others = np.delete(FACES, [0, 20_000, 39_999], axis=0)
    wanted = [tuple(map(float, FACES[place])) for place in (0, 20_000, 39_999)]
    assert near(FACES.astype(kind).ravel(), wanted, 0.9995) == 3
    assert near(others.astype(kind).ravel(), wanted, 0.9995) == 0


def test_what_is_no_vector_is_near_to_nothing() -> None:
    odd = np.array([0.0, 0.0, np.nan, 1.0, np.inf, 1.0], np.float32)
    assert near(odd, [(1.0, 0.0)], 0.99) == 0
    assert near(np.ones(5, np.float32), [(1.0, 1.0)], 0.99) == 0
    assert near(np.ones(4, np.float32), [()], 0.99) == 0


def test_which_vectors_are_near_is_told_by_all_pairs_compared_one_by_one() -> None:
    generator = np.random.default_rng(5)
    rows = generator.normal(size=(40, 6))
    vectors = [*(rows[:7] * 3).tolist(), *generator.normal(size=(9, 6)).tolist(), [1.0, 0.0], []]
    lengths = np.linalg.norm(rows, axis=1)
    wanted = [
        len(vector) == 6 and any((rows @ vector) / lengths / np.linalg.norm(vector) >= 0.999) for vector in vectors
    ]
    assert which_near(vectors, rows, 0.999).tolist() == wanted
    assert sum(wanted) == 7
    assert not which_near(vectors, rows[:0], 0.999).any()
