"""Sub-cells: every candidate pair in exactly one of them, whatever is cut and wherever it is compared."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facesieve.faces.vectors import Indices
from facesieve.link.kernels import cells
from facesieve.link.kernels.block_pairs import BlockComparison, EdgeRule
from facesieve.link.kernels.cells import (
    Cut,
    Layout,
    Members,
    assign_cells,
    candidate_count,
    cut_cells,
    emitted_here,
    sub_cells,
)
from facesieve.link.kernels.voronoi import PRUNED, Probes

EVERY_PAIR = EdgeRule(-2.0, 0, np.zeros(0, np.int64))
NO_CUT = Cut(np.zeros(0, np.int64), np.zeros(0, np.int64))
Pairs = list[tuple[int, int]]


def lists_of(rng: np.random.Generator, count: int, cells: int, probes: int) -> Probes:
    """Random probe lists: different cells, the home first, some of the others pruned."""
    lists = np.array([rng.permutation(cells)[: min(probes, cells)] for _ in range(count)], np.int32)
    lists[:, 1:][rng.random(lists[:, 1:].shape) < 0.3] = PRUNED
    return lists


def candidates(probes: Probes | Indices) -> Pairs:
    """The definition: one's home is among the other's probes."""
    lists, count = probes.tolist(), len(probes)
    return [
        (a, b) for a in range(count) for b in range(a + 1, count) if lists[a][0] in lists[b] or lists[b][0] in lists[a]
    ]


def compared(probes: Probes | Indices, layout: Layout, earlier: Probes | None = None) -> tuple[Pairs, int]:
    """Pairs of rows that all partitions together emit, sorted, and the candidates that they count."""
    ids = np.random.default_rng(len(probes)).permutation(len(probes)).astype(np.int64) - len(probes) // 2
    vectors = np.random.default_rng(1).normal(size=(len(probes), 2)).astype(np.float16)
    comparison = BlockComparison(Members(ids, ids, probes, vectors), EVERY_PAIR, earlier)
    assigned, pairs, count = assign_cells(ids, probes, layout.cut), list[tuple[int, int]](), 0
    for part in range(layout.parts):
        for residents, visitors in sub_cells(assigned.take(layout.part(assigned.cell, assigned.piece) == part), ids):
            count += candidate_count(probes, residents, visitors)
            pairs += [(min(pair), max(pair)) for pair in _rows(comparison, residents, visitors)]
    return sorted(pairs), count


def _rows(comparison: BlockComparison, residents: Indices, visitors: Indices) -> Iterator[tuple[int, int]]:
    for i, j, _ in comparison.cell(residents, visitors):
        yield from zip(i.tolist(), j.tolist(), strict=True)


@st.composite
def layouts(draw: st.DrawFn, names: Indices) -> Layout:
    """Any cut of these cells, into any number of partitions, by base or by hash."""
    pieces = np.array(draw(st.lists(st.sampled_from([1, 3, 5]), min_size=len(names), max_size=len(names))), np.int64)
    parts = draw(st.integers(1, 4))
    base = None
    if len(names) and names.max() == len(names) - 1:
        base = np.array(draw(st.lists(st.integers(0, parts - 1), min_size=len(names), max_size=len(names))), np.int64)
    return Layout(parts, Cut(names[pieces > 1], pieces[pieces > 1]), base)


@settings(deadline=None, max_examples=150)
@given(st.data(), st.integers(0, 10_000), st.integers(1, 50), st.integers(1, 12), st.integers(1, 6))
def test_each_candidate_comes_once_and_no_other_pair(
    data: st.DataObject, seed: int, count: int, cells: int, probes: int
) -> None:
    lists = lists_of(np.random.default_rng(seed), count, cells, probes)
    pairs, counted = compared(lists, data.draw(layouts(np.arange(cells))))
    assert pairs == candidates(lists)
    assert counted == len(pairs)


@settings(deadline=None, max_examples=50)
@given(st.data(), st.integers(0, 10_000), st.integers(1, 50), st.integers(1, 8))
def test_cells_may_be_named_by_hashes(data: st.DataObject, seed: int, count: int, identities: int) -> None:
    """Inside identities a face has one cell, its identity's code."""
    rng = np.random.default_rng(seed)
    codes = np.unique(rng.integers(-(2**63), 2**63 - 1, identities))
    lists = rng.choice(codes, count)[:, None]
    pairs, counted = compared(lists, data.draw(layouts(codes)))
    assert pairs == candidates(lists)
    assert counted == len(pairs)


@settings(deadline=None, max_examples=100)
@given(st.data(), st.integers(0, 10_000), st.integers(1, 50), st.integers(2, 12), st.integers(1, 6))
def test_a_second_pass_adds_what_the_first_had_not(
    data: st.DataObject, seed: int, count: int, cells: int, probes: int
) -> None:
    rng = np.random.default_rng(seed)
    wide = lists_of(rng, count, cells, probes)
    first = wide.copy()
    first[:, 1:][rng.random(first[:, 1:].shape) < 0.5] = PRUNED
    layout = data.draw(layouts(np.arange(cells)))
    added, _ = compared(wide, layout, first)
    assert sorted(added + compared(first, layout)[0]) == candidates(wide)


@settings(deadline=None, max_examples=50)
@given(st.data(), st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 12), st.integers(1, 6))
def test_each_row_is_in_a_single_sub_cell_by_ascending_id(
    data: st.DataObject, seed: int, count: int, names: int, probes: int
) -> None:
    rng = np.random.default_rng(seed)
    lists, ids = lists_of(rng, count, names, probes), rng.permutation(count) - count // 2
    cut = data.draw(layouts(np.arange(names))).cut
    assigned = assign_cells(ids, lists, cut)
    many = cut.of(np.where(lists == PRUNED, 0, lists).reshape(-1)).reshape(lists.shape)
    assert len(assigned.face) == ((many[:, 0] + 1) // 2).sum() + (many[:, 1:] * (lists[:, 1:] != PRUNED)).sum()
    keys = list(zip(assigned.face.tolist(), assigned.cell.tolist(), assigned.piece.tolist(), strict=True))
    assert len(set(keys)) == len(keys)
    seen = 0
    for residents, visitors in sub_cells(assigned, ids):
        assert (lists[residents, 0] == lists[residents[0], 0]).all()
        assert all((np.diff(ids[faces]) > 0).all() for faces in (residents, visitors))
        seen += len(residents)
    assert seen == (~assigned.visiting).sum() == count


def test_no_faces_are_in_no_cell() -> None:
    none = np.zeros(0, np.int64)
    assert list(sub_cells(assign_cells(none, np.zeros((0, 3), np.int32), NO_CUT), none)) == []


def test_cells_are_cut_by_their_residents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "MOST_RESIDENTS", 10)
    cut = cut_cells(np.arange(5), np.array([0, 10, 11, 30, 31]))
    assert cut.of(np.array([4, 3, 2, 1, 0, 9])).tolist() == [5, 3, 3, 1, 1, 1]
    ids, one_cell = np.arange(310), Cut(np.array([0]), np.array([31]))
    sizes = [
        len(residents) for residents, _ in sub_cells(assign_cells(ids, np.zeros((310, 1), np.int32), one_cell), ids)
    ]
    assert len(sizes) == 31
    assert max(sizes) <= 20


def test_pieces_of_a_cell_go_to_partitions_that_follow() -> None:
    cell, piece = np.zeros(5, np.int64), np.arange(5)
    for base in (np.array([2]), None):
        parts = Layout(4, NO_CUT, base).part(cell, piece)
        assert ((np.diff(parts) % 4) == 1).all()


def test_the_lower_home_has_the_pair() -> None:
    lists = np.array([[1, 0], [0, 1], [0, PRUNED], [1, 3], [2, 1]])
    at_home, visiting = np.array([0, 1, 0, 3]), np.array([1, 0, 4, 4])
    assert emitted_here(lists, at_home, visiting).tolist() == [False, True, True, True]


@pytest.mark.parametrize("cell", [0, 1])
def test_candidates_are_counted_without_those_of_the_lower_cell(cell: int) -> None:
    lists = np.array([[0, 1, PRUNED], [1, 0, PRUNED], [0, PRUNED, PRUNED], [1, PRUNED, PRUNED]])
    at_home, visiting = np.flatnonzero(lists[:, 0] == cell), np.flatnonzero((lists[:, 1:] == cell).any(axis=1))
    assert candidate_count(lists, at_home, visiting) == [1 + 2, 1 + 2 - 1][cell]


def test_the_worked_example_of_the_module() -> None:
    lists = np.array([[0, 1, -1], [0, -1, -1], [1, 0, -1], [1, 0, 2], [2, 1, -1], [2, -1, -1]], np.int32)
    ids, vectors = np.arange(1, 7), np.random.default_rng(0).normal(size=(6, 2)).astype(np.float16)
    comparison = BlockComparison(Members(ids, ids, lists, vectors), EVERY_PAIR)
    emitted = []
    for residents, visitors in sub_cells(assign_cells(ids, lists, NO_CUT), ids):
        pairs = sorted((min(pair) + 1, max(pair) + 1) for pair in _rows(comparison, residents, visitors))
        emitted.append((ids[residents].tolist(), ids[visitors].tolist(), pairs))
    assert emitted == [
        ([1, 2], [3, 4], [(1, 2), (1, 3), (1, 4), (2, 3), (2, 4)]),
        ([3, 4], [1, 5], [(3, 4), (3, 5), (4, 5)]),
        ([5, 6], [4], [(4, 6), (5, 6)]),
    ]
