"""Pivots, and the cells to which faces go, against brute force in float64."""

from __future__ import annotations

import numpy as np
import pytest
from factories import faces
from hypothesis import given, settings
from hypothesis import strategies as st

from facesieve.faces.hashing import id_hash
from facesieve.faces.vectors import half_unit, ordered_dot
from facesieve.link.kernels import voronoi
from facesieve.link.kernels.voronoi import NO_MARGIN, PRUNED, is_candidate, learn_pivots, pivot_count, route


def brute(vectors: np.ndarray, pivots: np.ndarray, probes: int, margin: float) -> list[list[int]]:
    """The definition: sums in index order, the home first, the others within the margin by number, then PRUNED."""
    near = ordered_dot(pivots.astype(float)[None], half_unit(vectors)[:, None])
    lists = []
    for row in near:
        home, *others = np.argsort(-row, kind="stable")[:probes].tolist()
        inside = sorted(cell for cell in others if row[home] - row[cell] <= margin)
        lists.append([home, *inside, *[PRUNED] * (probes - 1 - len(inside))])
    return lists


def pivots_of(rng: np.random.Generator, count: int, kind: str, dimension: int) -> np.ndarray:
    """Random pivots; the same ones three times; or ones that differ by a unit in the last place."""
    pivots = half_unit(rng.normal(size=(count, dimension))).astype(np.float32)
    if kind == "ties":
        return np.concatenate([pivots, pivots, pivots])[rng.permutation(3 * count)]
    if kind == "nearly":
        pivots = np.repeat(pivots[:1], count, axis=0)
        pivots[np.arange(count), rng.integers(0, dimension, count)] *= np.float32(1 + 2**-23)
    return pivots


@settings(deadline=None, max_examples=150)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(1, 40),
    kind=st.sampled_from(["random", "ties", "nearly"]),
    dimension=st.sampled_from([1, 2, 8, 128]),
    probes=st.integers(1, 40),
    margin=st.sampled_from([0.0, 1e-6, 0.1, 0.5, NO_MARGIN, None]),
)
def test_route_is_the_exact_order_with_ties_to_the_lower_pivot(
    seed: int, count: int, kind: str, dimension: int, probes: int, margin: float | None
) -> None:
    """Margin None: one that is exactly the gap of some cell."""
    rng = np.random.default_rng(seed)
    pivots = pivots_of(rng, count, kind, dimension)
    rows = rng.normal(size=(9, dimension)).astype(np.float16)
    rows[::3] = rows[0]
    probes = min(probes, len(pivots))
    if margin is None:
        near = np.sort(ordered_dot(pivots.astype(float), half_unit(rows[4:5])))[::-1]
        margin = float(near[0] - near[min(probes, len(near)) // 2])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(voronoi, "_ROUTED", 1 + seed % 10)
        assert route(rows, pivots, probes, margin).tolist() == brute(rows, pivots, probes, margin)


@pytest.mark.parametrize("margin", [0.05, NO_MARGIN])
def test_route_settles_crowds_of_pivots_that_a_block_product_cannot_tell_apart(margin: float) -> None:
    rng = np.random.default_rng(3)
    pivots = pivots_of(rng, 100, "nearly", 128)
    rows = (pivots[:20] + rng.normal(size=(20, 128)) / 20).astype(np.float16)
    assert route(rows, pivots, 4, margin).tolist() == brute(rows, pivots, 4, margin)


def test_route_settles_what_is_in_doubt_at_the_margin_and_at_the_last_probe() -> None:
    """The home is clear; of three cells that look alike two are probed, or one lies at the margin to the last bit."""
    rng = np.random.default_rng(4)
    for row in rng.normal(size=(60, 1, 128)).astype(np.float16):
        beside = half_unit(half_unit(row) + half_unit(rng.normal(size=(1, 128)))).repeat(3, axis=0).astype(np.float32)
        beside[np.arange(3), rng.integers(0, 128, 3)] *= np.float32(1 + 2**-23)
        others = half_unit(rng.normal(size=(20, 128)))
        pivots = np.concatenate([others, half_unit(row), beside]).astype(np.float32)
        assert route(row, pivots, 3, NO_MARGIN).tolist() == brute(row, pivots, 3, NO_MARGIN)
        near = ordered_dot(pivots.astype(float), half_unit(row))
        margin = float(near[20] - near[21])
        assert route(row, pivots, 8, margin).tolist() == brute(row, pivots, 8, margin)


@pytest.mark.parametrize("margin", [0.02, 0.1, NO_MARGIN])
def test_route_does_not_depend_on_the_other_faces(margin: float) -> None:
    _, _, rows = faces(40, 10, seed=7)
    halves = rows.astype(np.float16)
    pivots = learn_pivots(np.arange(400), halves, 90, 0.7)
    whole = route(halves, pivots, 12, margin)
    assert (whole == np.concatenate([route(halves[k : k + 1], pivots, 12, margin) for k in range(400)])).all()
    assert (whole[::-1] == route(halves[::-1], pivots, 12, margin)).all()


def test_a_zero_vector_is_at_home_in_the_first_cell() -> None:
    pivots = pivots_of(np.random.default_rng(0), 9, "random", 8)
    assert route(np.zeros((1, 8), np.float16), pivots, 3, 0.1).tolist() == [[0, 1, 2]]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 300), st.sampled_from([0.3, 0.6, 0.99]), st.sampled_from([1, 7, 256]))
def test_pivots_are_the_first_faces_by_hash_that_are_apart(seed: int, count: int, apart: float, block: int) -> None:
    ids, _, rows = faces(40, 5, seed, dimension=16)
    halves = rows.astype(np.float16)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(voronoi, "LLOYD_STEPS", 0)
        patch.setattr(voronoi, "_TRIED", block)
        pivots = learn_pivots(ids, halves, count, apart)
    taken: list[np.ndarray] = []
    for row in half_unit(halves)[np.argsort(id_hash(ids, 0))]:
        if len(taken) < count and all(row @ other < apart for other in taken):
            taken.append(row)
    assert pivots.shape == (len(taken), 16)
    assert np.allclose(pivots, taken, atol=1e-6)
    assert (pivots @ pivots.T - 2 * np.eye(len(pivots)) < apart).all()


def test_two_lloyd_steps_move_pivots_to_the_mean_directions_of_their_cells() -> None:
    ids, _, rows = faces(300, 1, seed=8, dimension=6)
    halves = rows.astype(np.float16)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(voronoi, "LLOYD_STEPS", 0)
        expected = learn_pivots(ids, halves, 40, 0.9).astype(float)
    units = half_unit(halves)
    for _ in range(2):
        homes = np.argmax(units @ expected.T, axis=1)
        means = np.array([units[homes == cell].sum(axis=0) for cell in range(len(expected))])
        expected = means / np.linalg.norm(means, axis=1, keepdims=True)
    assert np.allclose(learn_pivots(ids, halves, 40, 0.9), expected, atol=1e-6)


def test_pivots_depend_on_the_faces_and_not_on_their_order() -> None:
    ids, _, rows = faces(30, 10, seed=8)
    halves, order = rows.astype(np.float16), np.random.default_rng(1).permutation(300)
    pivots = learn_pivots(ids, halves, 40, 0.7)
    assert pivots.tobytes() == learn_pivots(ids[order], halves[order], 40, 0.7).tobytes()
    assert np.allclose(np.linalg.norm(pivots, axis=1), 1, atol=1e-6)


def test_equal_vectors_give_one_pivot_and_few_faces_few() -> None:
    assert learn_pivots(np.arange(900), np.ones((900, 4), np.float16), 5, 0.7).tolist() == [[0.5] * 4]
    assert learn_pivots(np.arange(3), np.eye(3, dtype=np.float16), 8, 0.7).shape == (3, 3)


def test_cells_grow_like_the_root_of_the_faces() -> None:
    assert [pivot_count(faces) for faces in (0, 1, 4, 10_000, 1_000_000)] == [1, 1, 4, 250, 2_500]


@given(st.integers(0, 10_000))
def test_two_faces_meet_where_one_is_at_home_and_the_other_probes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lists = np.array([rng.permutation(6)[:3] for _ in range(20)], np.int32)
    lists[:, 1:][rng.random((20, 2)) < 0.3] = PRUNED
    a, b = lists[:10], lists[10:]
    expected = [x[0] in y or y[0] in x for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    assert is_candidate(a, b).tolist() == expected
