"""Sub-cells: every candidate pair in exactly one of them, whatever is cut and wherever it is compared."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facesieve.link.kernels import cells
from facesieve.link.kernels.block_pairs import Asked, Meeting
from facesieve.link.kernels.cells import Cut, Layout, Members, candidate_count, cut_cells, groups, met_here, stays
from facesieve.link.kernels.voronoi import PRUNED

EVERY_PAIR = Asked(-2.0, 0, np.zeros(0, np.int64))
NO_CUT = Cut(np.zeros(0, np.int64), np.zeros(0, np.int64))
Pairs = list[tuple[int, int]]


def lists_of(rng: np.random.Generator, count: int, cells: int, probes: int) -> np.ndarray:
    """Random probe lists: different cells, the home first, some of the others pruned."""
    lists = np.array([rng.permutation(cells)[: min(probes, cells)] for _ in range(count)], np.int32)
    lists[:, 1:][rng.random(lists[:, 1:].shape) < 0.3] = PRUNED
    return lists


def candidates(probes: np.ndarray) -> Pairs:
    """The definition: one's home is among the other's probes."""
    lists, count = probes.tolist(), len(probes)
    return [
        (a, b) for a in range(count) for b in range(a + 1, count) if lists[a][0] in lists[b] or lists[b][0] in lists[a]
    ]


def compared(probes: np.ndarray, layout: Layout, earlier: np.ndarray | None = None) -> tuple[Pairs, int]:
    """Pairs of rows that all partitions together emit, sorted, and the candidates that they count."""
    ids = np.random.default_rng(len(probes)).permutation(len(probes)).astype(np.int64) - len(probes) // 2
    vectors = np.random.default_rng(1).normal(size=(len(probes), 2)).astype(np.float16)
    meeting = Meeting(Members(ids, ids, probes, vectors), EVERY_PAIR, earlier)
    stay, found, count = stays(ids, probes, layout.cut), [], 0
    for part in range(layout.parts):
        for residents, visitors in groups(stay.take(layout.part(stay.cell, stay.piece) == part), ids):
            count += candidate_count(probes, residents, visitors)
            found += [tuple(sorted(pair)) for pair in _rows(meeting, residents, visitors)]
    return sorted(found), count


def _rows(meeting: Meeting, residents: np.ndarray, visitors: np.ndarray) -> Iterator[tuple[int, int]]:
    for i, j, _ in meeting.cell(residents, visitors):
        yield from zip(i.tolist(), j.tolist(), strict=True)


@st.composite
def layouts(draw: st.DrawFn, names: np.ndarray) -> Layout:
    """Any cut of these cells, into any number of partitions, by base or by hash."""
    pieces = np.array(draw(st.lists(st.sampled_from([1, 3, 5]), min_size=len(names), max_size=len(names))), np.int64)
    parts = draw(st.integers(1, 4))
    base = None
    if len(names) and names.max() == len(names) - 1:
        base = np.array(draw(st.lists(st.integers(0, parts - 1), min_size=len(names), max_size=len(names))), np.int64)
    return Layout(parts, Cut(names[pieces > 1], pieces[pieces > 1]), base)


@settings(deadline=None, max_examples=150)
@given(st.data(), st.integers(0, 10_000), st.integers(1, 50), st.integers(1, 12), st.integers(1, 6))
def test_each_candidate_comes_once_and_no_other_pair(data, seed: int, count: int, cells: int, probes: int) -> None:
    lists = lists_of(np.random.default_rng(seed), count, cells, probes)
    pairs, counted = compared(lists, data.draw(layouts(np.arange(cells))))
    assert pairs == candidates(lists)
    assert counted == len(pairs)


@settings(deadline=None, max_examples=50)
@given(st.data(), st.integers(0, 10_000), st.integers(1, 50), st.integers(1, 8))
def test_cells_may_be_named_by_hashes(data, seed: int, count: int, identities: int) -> None:
    """Inside identities a face has one cell, its identity's code."""
    rng = np.random.default_rng(seed)
    codes = np.unique(rng.integers(-(2**63), 2**63 - 1, identities))
    lists = rng.choice(codes, count)[:, None]
    pairs, counted = compared(lists, data.draw(layouts(codes)))
    assert pairs == candidates(lists)
    assert counted == len(pairs)


@settings(deadline=None, max_examples=100)
@given(st.data(), st.integers(0, 10_000), st.integers(1, 50), st.integers(2, 12), st.integers(1, 6))
def test_a_second_pass_adds_what_the_first_had_not(data, seed: int, count: int, cells: int, probes: int) -> None:
    rng = np.random.default_rng(seed)
    wide = lists_of(rng, count, cells, probes)
    first = wide.copy()
    first[:, 1:][rng.random(first[:, 1:].shape) < 0.5] = PRUNED
    layout = data.draw(layouts(np.arange(cells)))
    added, _ = compared(wide, layout, first)
    assert sorted(added + compared(first, layout)[0]) == candidates(wide)


@settings(deadline=None, max_examples=50)
@given(st.data(), st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 12), st.integers(1, 6))
def test_each_stay_is_in_one_group_by_ascending_id(data, seed: int, count: int, names: int, probes: int) -> None:
    rng = np.random.default_rng(seed)
    lists, ids = lists_of(rng, count, names, probes), rng.permutation(count) - count // 2
    cut = data.draw(layouts(np.arange(names))).cut
    stay = stays(ids, lists, cut)
    many = cut.of(np.where(lists == PRUNED, 0, lists).reshape(-1)).reshape(lists.shape)
    assert len(stay.face) == ((many[:, 0] + 1) // 2).sum() + (many[:, 1:] * (lists[:, 1:] != PRUNED)).sum()
    keys = list(zip(stay.face.tolist(), stay.cell.tolist(), stay.piece.tolist(), strict=True))
    assert len(set(keys)) == len(keys)
    seen = 0
    for residents, visitors in groups(stay, ids):
        assert (lists[residents, 0] == lists[residents[0], 0]).all()
        assert all((np.diff(ids[faces]) > 0).all() for faces in (residents, visitors))
        seen += len(residents)
    assert seen == (~stay.visiting).sum() == count


def test_no_faces_stay_nowhere() -> None:
    none = np.zeros(0, np.int64)
    assert list(groups(stays(none, np.zeros((0, 3), np.int32), NO_CUT), none)) == []


def test_cells_are_cut_by_their_residents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "MOST_RESIDENTS", 10)
    cut = cut_cells(np.arange(5), np.array([0, 10, 11, 30, 31]))
    assert cut.of(np.array([4, 3, 2, 1, 0, 9])).tolist() == [5, 3, 3, 1, 1, 1]
    sizes = [
        len(residents)
        for residents, _ in groups(
            stays(np.arange(310), np.zeros((310, 1), np.int32), Cut(np.array([0]), np.array([31]))), np.arange(310)
        )
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
    assert met_here(lists, at_home, visiting).tolist() == [False, True, True, True]


@pytest.mark.parametrize("cell", [0, 1])
def test_candidates_are_counted_without_those_of_the_lower_cell(cell: int) -> None:
    lists = np.array([[0, 1, PRUNED], [1, 0, PRUNED], [0, PRUNED, PRUNED], [1, PRUNED, PRUNED]])
    at_home, visiting = np.flatnonzero(lists[:, 0] == cell), np.flatnonzero((lists[:, 1:] == cell).any(axis=1))
    assert candidate_count(lists, at_home, visiting) == [1 + 2, 1 + 2 - 1][cell]
