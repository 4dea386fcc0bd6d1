"""Cosines that do not depend on batches, and the medoid."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pytest
from factories import faces
from hypothesis import given, settings
from hypothesis import strategies as st

from facesieve.faces.vectors import (
    exact_cosine,
    exact_product,
    half_unit,
    hits,
    medoid,
    near_pairs,
    ordered_dot,
    pair_cosine,
    short_unit,
    slices,
    unit,
    wide_unit,
)


def by_hand(a: np.ndarray, b: np.ndarray) -> np.float32:
    """The definition, in plain Python floats."""
    rows = [[float(x) for x in row.astype(np.float16)] for row in (a, b)]
    norms = [math.sqrt(_sum(x * x for x in row)) for row in rows]
    left, right = ([x / norm for x in row] for row, norm in zip(rows, norms, strict=True))
    return np.float32(_sum(x * y for x, y in zip(left, right, strict=True)))


def _sum(terms: Iterable[float]) -> float:
    total = 0.0
    for term in terms:
        total += term
    return total


@pytest.mark.parametrize("dimension", [1, 2, 128, 513])
def test_pair_cosine_is_the_definition_to_the_bit(dimension: int) -> None:
    _, _, vectors = faces(4, 10, seed=1, dimension=dimension)
    left, right = vectors[:20], vectors[20:]
    expected = [by_hand(a, b) for a, b in zip(left, right, strict=True)]
    assert pair_cosine(left, right).tolist() == [float(x) for x in expected]


def test_sums_run_in_index_order() -> None:
    """1 is lost in 1e16 when added to it, and not when added before or after the two large terms."""
    terms = np.array([[1e16, 1.0, -1e16], [1.0, 1e16, -1e16], [1e16, -1e16, 1.0]])
    assert ordered_dot(terms, np.ones(3)).tolist() == [0.0, 0.0, 1.0]
    _, _, vectors = faces(2, 50, seed=3)
    assert ordered_dot(unit(vectors), unit(vectors)).tolist() == [
        _sum(x * x for x in row) for row in unit(vectors).tolist()
    ]


@given(st.integers(0, 1000), st.integers(1, 40))
def test_pair_cosine_does_not_depend_on_its_batch(seed: int, size: int) -> None:
    _, _, vectors = faces(4, 10, seed=seed)
    whole = pair_cosine(vectors, vectors[::-1])
    parts = [pair_cosine(vectors[part], vectors[::-1][part]) for part in slices(40, size)]
    assert np.concatenate(parts).tobytes() == whole.tobytes()
    assert pair_cosine(vectors[::-1], vectors).tobytes() == whole.tobytes()


def rows_of_any_kind(seed: int, count: int, dimension: int) -> np.ndarray:
    """Faces, zero rows, equal rows, and pairs that are at right angles but for rounding."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(count, dimension)).astype(np.float16)
    half = dimension // 2
    rows[1::4, :half], rows[1::4, half : 2 * half] = rows[0, half : 2 * half], -rows[0, :half]
    rows[2::4] = rows[0] * (rng.random((len(rows[2::4]), 1)) < 0.7)
    return rows


@settings(deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 2, 3, 64, 128, 512]), st.integers(1, 30), st.integers(0, 300))
def test_exact_cosine_is_pair_cosine_to_the_bit(seed: int, dimension: int, count: int, pairs: int) -> None:
    rows = rows_of_any_kind(seed, count, dimension)
    rng = np.random.default_rng(seed)
    others = rows[rng.permutation(count)[: 1 + count // 2]]
    i, j = rng.integers(0, count, pairs), rng.integers(0, len(others), pairs)
    assert exact_cosine(rows, i, others, j).tobytes() == pair_cosine(rows[i], others[j]).tobytes()


@settings(deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 2, 3, 64, 128, 512]), st.integers(1, 30))
def test_exact_product_is_pair_cosine_to_the_bit(seed: int, dimension: int, count: int) -> None:
    rows = rows_of_any_kind(seed, count, dimension)
    every = pair_cosine(np.repeat(rows[:7], count, axis=0), np.tile(rows, (len(rows[:7]), 1)))
    assert exact_product(rows[:7], rows, wide_unit(rows)).tobytes() == every.tobytes()


def test_right_angles_round_as_the_definition_does_whatever_the_order_of_sums() -> None:
    """Products that cancel leave the rounding alone, so a sum in another order has other bits."""
    rows = rows_of_any_kind(5, 2, 128)
    a, b = half_unit(rows[:1]), half_unit(rows[1:])
    in_order = ordered_dot(a, b)
    assert in_order != ordered_dot(a[:, ::-1], b[:, ::-1])
    assert exact_cosine(rows, np.array([0]), rows, np.array([1])).tolist() == in_order.astype(np.float32).tolist()
    assert exact_product(rows[:1], rows[1:], wide_unit(rows[1:]))[0].tolist() == in_order.astype(np.float32).tolist()


@settings(deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 3, 128, 512]), st.integers(1, 20), st.integers(1, 20))
def test_hits_are_the_pairs_at_or_above_the_cosine(seed: int, dimension: int, left: int, right: int) -> None:
    """The cosine is that of a pair, so that pairs at it count."""
    rows = rows_of_any_kind(seed, left + right, dimension)
    every = pair_cosine(np.repeat(rows[:left], right, axis=0), np.tile(rows[left:], (left, 1)))
    link = float(every[seed % len(every)])
    i, j, cosines = hits(rows[:left], rows[left:], link)
    assert (i * right + j).tolist() == np.flatnonzero(every >= link).tolist()
    assert cosines.tobytes() == every[every >= link].tobytes()
    near = np.ravel_multi_index(near_pairs(short_unit(rows[:left]), short_unit(rows[left:]), link), (left, right))
    assert set(np.flatnonzero(every >= link)) <= set(near)


def test_unit_leaves_a_zero_row() -> None:
    rows = np.array([[0.0, 0.0], [0.0, 2.0]], np.float16)
    for scale in (unit, short_unit, wide_unit):
        assert scale(rows).tolist() == [[0.0, 0.0], [0.0, 1.0]]


@given(st.integers(0, 1000))
def test_medoid_does_not_depend_on_row_order(seed: int) -> None:
    ids, _, vectors = faces(1, 9, seed=seed, dimension=8)
    order = np.random.default_rng(seed).permutation(9)
    assert ids[medoid(ids, vectors)] == ids[order][medoid(ids[order], vectors[order])]
    assert medoid(ids, vectors) == int(np.argmax(vectors.astype(float) @ vectors.astype(float).sum(axis=0)))


def test_medoid_ties_go_to_the_smaller_id() -> None:
    assert medoid(np.array([4, -2, 9]), np.ones((3, 2))) == 1
