"""Cells, probes and the rule that emits each pair once, against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facesieve.kernels import vectors as vectors_module
from facesieve.kernels import voronoi
from facesieve.kernels.vectors import half_unit, ordered_dot
from facesieve.kernels.voronoi import Members, home_pairs, id_hash, learn_pivots, nearest, tournament, visitor_pairs
from factories import faces

EVERY_PAIR = -2.0


def emitted(members: Members, cosine: float) -> list[tuple[int, int]]:
    """Pairs of row numbers that all cells together emit."""
    homes, pairs = members.probes[:, 0], []
    for cell in np.unique(members.probes):
        at_home = np.flatnonzero(homes == cell)
        visiting = np.flatnonzero((members.probes[:, 1:] == cell).any(axis=1))
        residents, visitors = (_rows(members, rows) for rows in (at_home, visiting))
        for i, j, _ in home_pairs(residents, cosine):
            pairs += [tuple(sorted(pair)) for pair in zip(at_home[i], at_home[j], strict=True)]
        for i, j, _ in visitor_pairs(residents, visitors, cosine):
            pairs += [tuple(sorted(pair)) for pair in zip(at_home[i], visiting[j], strict=True)]
    return [(int(a), int(b)) for a, b in pairs]


def _rows(members: Members, rows: np.ndarray) -> Members:
    return Members(members.ids[rows], members.probes[rows], members.vectors[rows])


def candidates(probes: np.ndarray) -> set[tuple[int, int]]:
    """The definition: one's home is among the other's probes."""
    lists = [set(row) for row in probes.tolist()]
    homes = probes[:, 0].tolist()
    count = len(lists)
    return {(a, b) for a in range(count) for b in range(a + 1, count) if homes[a] in lists[b] or homes[b] in lists[a]}


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 60), st.integers(1, 14), st.integers(1, 6), st.integers(1, 9))
def test_each_candidate_comes_once_and_no_other_pair(seed, count, cells, probes, block):
    """Random probe lists, of any length, with blocks far smaller than the cells."""
    rng = np.random.default_rng(seed)
    lists = np.array([rng.permutation(cells)[: min(probes, cells)] for _ in range(count)], np.int32)
    ids = rng.permutation(count).astype(np.int64) - count // 2
    members = Members(ids, lists, rng.normal(size=(count, 3)).astype(np.float16))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(voronoi, "BLOCK", block)
        pairs = emitted(members, EVERY_PAIR)
    assert len(set(pairs)) == len(pairs)
    assert set(pairs) == candidates(lists)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 40), st.integers(1, 4))
def test_learned_cells_emit_each_edge_of_their_candidates_once(seed, count, cells, probes):
    ids, _, rows = faces(count, 2, seed, dimension=6)
    rows[:: count // 3 + 1] = rows[0]
    halves = rows.astype(np.float16)
    pivots = learn_pivots(ids, halves, min(cells, len(ids)))
    lists = nearest(halves, pivots, min(probes, len(pivots)))
    unit = half_unit(halves)
    exact = ordered_dot(unit[:, None], unit[None]).astype(np.float32)
    expected = {(a, b) for a, b in candidates(lists) if exact[a, b] >= 0.5}
    pairs = emitted(Members(ids, lists, halves), 0.5)
    assert len(set(pairs)) == len(pairs)
    assert set(pairs) == expected


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 30), st.integers(1, 5), st.booleans())
def test_nearest_is_the_exact_order_with_ties_to_the_lower_pivot(seed, count, probes, ties):
    rng = np.random.default_rng(seed)
    pivots = half_unit(rng.normal(size=(count, 8))).astype(np.float32)
    if ties:
        pivots = np.concatenate([pivots, pivots, pivots])[rng.permutation(3 * count)]
    rows = rng.normal(size=(9, 8)).astype(np.float16)
    probes = min(probes, len(pivots))
    exact = ordered_dot(pivots.astype(float)[None], half_unit(rows)[:, None])
    expected = np.argsort(-exact, axis=1, kind="stable")[:, :probes]
    assert nearest(rows, pivots, probes).tolist() == expected.tolist()


@pytest.mark.parametrize("seed", range(5))
def test_nearest_settles_a_doubt_of_the_block_product_exactly(seed):
    """Many pivots that differ by one unit in the last place: the float32 product cannot even shortlist them."""
    rng = np.random.default_rng(seed)
    pivots = np.repeat(half_unit(rng.normal(size=(1, 128))).astype(np.float32), 100, axis=0)
    pivots[np.arange(100), rng.integers(0, 128, 100)] *= np.float32(1 + 2**-23)
    rows = (pivots[:3] + rng.normal(size=(3, 128)) / 20).astype(np.float16)
    exact = ordered_dot(pivots.astype(float)[None], half_unit(rows)[:, None])
    assert nearest(rows, pivots, 4).tolist() == np.argsort(-exact, axis=1, kind="stable")[:, :4].tolist()


def test_nearest_does_not_depend_on_its_batch():
    _, _, rows = faces(40, 10, seed=7)
    halves = rows.astype(np.float16)
    pivots = learn_pivots(np.arange(400), halves, 90)
    whole = nearest(halves, pivots, 4)
    one_by_one = np.concatenate([nearest(halves[k : k + 1], pivots, 4) for k in range(400)])
    assert (whole == one_by_one).all()


def test_pivots_depend_on_the_faces_and_not_on_their_order():
    ids, _, rows = faces(30, 10, seed=8)
    halves, order = rows.astype(np.float16), np.random.default_rng(1).permutation(300)
    pivots = learn_pivots(ids, halves, 40)
    assert pivots.tobytes() == learn_pivots(ids[order], halves[order], 40).tobytes()
    assert np.allclose(np.linalg.norm(pivots, axis=1), 1, atol=1e-6)


def test_equal_vectors_give_one_pivot():
    assert learn_pivots(np.arange(9), np.ones((9, 4), np.float16), 5).shape == (1, 4)


def test_no_faces_give_no_pivots():
    assert len(learn_pivots(np.empty(0, np.int64), np.empty((0, 0), np.float16), 1)) == 0


@pytest.mark.parametrize("cells", [1, 3, 9])
def test_tournament_makes_every_pair_a_candidate_exactly_once(cells):
    ids = np.arange(-40, 40)
    lists = tournament(ids, cells)
    assert lists.shape == (80, (cells + 1) // 2)
    pairs = emitted(Members(ids, lists, np.ones((80, 2), np.float16)), EVERY_PAIR)
    assert sorted(pairs) == [(a, b) for a in range(80) for b in range(a + 1, 80)]


def test_id_hash_spreads_and_depends_on_the_seed():
    ids = np.arange(100_000)
    assert len(np.unique(id_hash(ids, 0))) == len(ids)
    assert abs(float((id_hash(ids, 5) / 2.0**64).mean()) - 0.5) < 0.005
    assert (id_hash(ids, 0) != id_hash(ids, 1)).all()


def test_blocks_are_bounded():
    assert vectors_module.BLOCK**2 * 4 <= 1 << 24
