"""Cosines that do not depend on batches, and the medoid."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesieve.kernels.vectors import half_unit, hits, medoid, ordered_dot, pair_cosine, slices, unit
from factories import faces


def by_hand(a: np.ndarray, b: np.ndarray) -> np.float32:
    """The definition, in plain Python floats."""
    rows = [[float(x) for x in row.astype(np.float16)] for row in (a, b)]
    norms = [math.sqrt(_sum(x * x for x in row)) for row in rows]
    left, right = ([x / norm for x in row] for row, norm in zip(rows, norms, strict=True))
    return np.float32(_sum(x * y for x, y in zip(left, right, strict=True)))


def _sum(terms) -> float:
    total = 0.0
    for term in terms:
        total += term
    return total


@pytest.mark.parametrize("dimension", [1, 2, 128, 513])
def test_pair_cosine_is_the_definition_to_the_bit(dimension):
    _, _, vectors = faces(4, 10, seed=1, dimension=dimension)
    left, right = vectors[:20], vectors[20:]
    expected = [by_hand(a, b) for a, b in zip(left, right, strict=True)]
    assert pair_cosine(left, right).tolist() == [float(x) for x in expected]


def test_sums_run_in_index_order():
    """1 is lost in 1e16 when added to it, and not when added before or after the two large terms."""
    terms = np.array([[1e16, 1.0, -1e16], [1.0, 1e16, -1e16], [1e16, -1e16, 1.0]])
    assert ordered_dot(terms, np.ones(3)).tolist() == [0.0, 0.0, 1.0]
    _, _, vectors = faces(2, 50, seed=3)
    assert ordered_dot(unit(vectors), unit(vectors)).tolist() == [
        _sum(x * x for x in row) for row in unit(vectors).tolist()
    ]


@given(st.integers(0, 1000), st.integers(1, 40))
def test_pair_cosine_does_not_depend_on_its_batch(seed, size):
    _, _, vectors = faces(4, 10, seed=seed)
    whole = pair_cosine(vectors, vectors[::-1])
    parts = [pair_cosine(vectors[part], vectors[::-1][part]) for part in slices(40, size)]
    assert np.concatenate(parts).tobytes() == whole.tobytes()
    assert pair_cosine(vectors[::-1], vectors).tobytes() == whole.tobytes()


def test_hits_are_the_pairs_at_or_above_the_cosine():
    _, _, vectors = faces(5, 6, seed=2)
    rows = half_unit(vectors)
    every = pair_cosine(np.repeat(vectors, 30, axis=0), np.tile(vectors, (30, 1)))
    link = float(np.sort(every)[500])
    i, j, cosines = hits(rows, rows, link)
    assert (i * 30 + j).tolist() == np.flatnonzero(every >= link).tolist()
    assert cosines.tobytes() == every[every >= link].tobytes()


def test_unit_leaves_a_zero_row():
    assert unit(np.array([[0.0, 0.0], [0.0, 2.0]])).tolist() == [[0.0, 0.0], [0.0, 1.0]]


@given(st.integers(0, 1000))
def test_medoid_does_not_depend_on_row_order(seed):
    ids, _, vectors = faces(1, 9, seed=seed, dimension=8)
    order = np.random.default_rng(seed).permutation(9)
    assert ids[medoid(ids, vectors)] == ids[order][medoid(ids[order], vectors[order])]
    assert medoid(ids, vectors) == int(np.argmax(vectors.astype(float) @ vectors.astype(float).sum(axis=0)))


def test_medoid_ties_go_to_the_smaller_id():
    assert medoid(np.array([4, -2, 9]), np.ones((3, 2))) == 1
