"""Belonging against sums over all pairs, and its laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesieve.decide.kernels.membership import Scale, likeness, main_cluster, membership
from facesieve.faces.vectors import half_unit

SCALE = Scale(0.04, 0.16, 0.77)


def made(seed: int, count: int, spread: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    vectors = draw.normal(size=8) + spread * draw.normal(size=(count, 8))
    return draw.permutation(count).astype(np.int64), vectors.astype(np.float32), draw.random(count) < 0.6


@given(st.integers(0, 10_000), st.integers(2, 30))
def test_it_is_the_mean_over_pairs(seed: int, count: int) -> None:
    ids, vectors, core = made(seed, count)
    rows = half_unit(vectors)
    cosines = rows @ rows.T
    members = np.flatnonzero(core)
    pairs = [cosines[i, j] for i in members for j in members if i < j]
    within = np.mean(pairs) if pairs else SCALE.typical
    unit = (SCALE.typical - SCALE.intercept) / SCALE.slope
    for row, scores in enumerate(membership(ids, vectors, core, SCALE)):
        others = [cosines[row, j] for j in members if j != row]
        if not others or within <= SCALE.intercept:
            assert np.isnan(scores)
        else:
            expected = (np.mean(others) - SCALE.intercept) / (within - SCALE.intercept) * unit
            assert scores == pytest.approx(expected, rel=1e-5, abs=1e-5)


@given(st.integers(0, 10_000))
def test_the_order_of_rows_changes_no_bit(seed: int) -> None:
    ids, vectors, core = made(seed, 20)
    order = np.random.default_rng(seed).permutation(20)
    scores = membership(ids, vectors, core, SCALE)
    np.testing.assert_array_equal(membership(ids[order], vectors[order], core[order], SCALE), scores[order])


def test_two_models_agree_on_the_same_faces() -> None:
    """Cosines of the one are those of the other, stretched: what is typical of a person is stretched with them."""
    faces = np.array([[1.0, 0.0, 0.0], [0.8, 0.6, 0.0], [0.8, 0.0, 0.6], [0.0, 0.0, 1.0]])
    core = np.array([True, True, True, False])
    scores = membership(np.arange(4), faces, core, Scale(0.0, 0.1, 0.5))
    stretched = membership(np.arange(4), faces, core, Scale(0.0, 0.2, 1.0))
    np.testing.assert_allclose(scores, stretched, rtol=1e-6)


@pytest.mark.parametrize("core", [[False] * 3, [True, False, False]])
def test_without_a_core_of_others_nothing_is_known(core: list[bool]) -> None:
    scores = membership(np.arange(3), np.eye(3), np.array(core), SCALE)
    assert np.isnan(scores).tolist() == [
        not any(core) or row for row in ([True, False, False] if any(core) else [1] * 3)
    ]


def test_likeness_of_halves_and_of_impostors() -> None:
    ids, vectors, _ = made(3, 40, spread=0.3)
    _, impostors, _ = made(4, 40, spread=0.3)
    halves = likeness((ids[:20], ids[20:]), (vectors[:20], vectors[20:]), SCALE)
    assert halves.ratio == pytest.approx(1.0, abs=0.1)
    other = likeness((ids, ids), (vectors, impostors), SCALE)
    assert other.ratio < 0.7
    rows, theirs = half_unit(vectors), half_unit(impostors)
    assert other.cosine == pytest.approx((rows @ theirs.T).mean(), abs=1e-6)


def test_home_is_where_most_are() -> None:
    clusters = np.array([3, 3, 9, 9, 9, 1])
    assert main_cluster(clusters, np.ones(6, bool)) == 9
    assert main_cluster(clusters, np.array([True, True, True, True, False, False])) == 3
    assert main_cluster(clusters, np.zeros(6, bool)) is None
