"""Edges of a sub-cell, and the thinning of crowds, against brute force."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable

import numpy as np
import pytest
from factories import faces
from hypothesis import given, settings
from hypothesis import strategies as st

from facesieve.faces import vectors
from facesieve.faces.vectors import Hits, Indices, hits
from facesieve.link.kernels import block_pairs
from facesieve.link.kernels.block_pairs import BlockComparison, BlockPair, EdgeRule
from facesieve.link.kernels.cells import Flags, Members, assign_cells, cut_cells, sub_cells
from facesieve.link.kernels.voronoi import Probes, is_candidate, learn_pivots, route

NOBODY = np.zeros(0, np.int64)
LINK = 0.4
Edges = dict[tuple[int, int], float]


def crowd(seed: int, people: int, per_person: int, probes: int) -> Members:
    """Faces of a few people, some of them with equal vectors, and the cells that they probe."""
    ids, _, rows = faces(people, per_person, seed, dimension=12)
    halves = rows.astype(np.float16)
    halves[1::7] = halves[0]
    pivots = learn_pivots(ids, halves, 1 + people, 0.8)
    return Members(ids, np.zeros_like(ids), route(halves, pivots, min(probes, len(pivots)), 0.5), halves)


def all_edges(members: Members) -> Edges:
    """Every edge among the candidates."""
    i, j, cosine = hits(members.vectors, members.vectors, LINK)
    probes = members.probes.astype(np.int32)
    chosen = (i < j) & is_candidate(probes[i], probes[j])
    return dict(zip(zip(i[chosen].tolist(), j[chosen].tolist(), strict=True), cosine[chosen].tolist(), strict=True))


def by_row(batches: Iterable[Hits]) -> Edges:
    """Emitted edges by row numbers, none of them twice."""
    pairs = [
        ((min(pair), max(pair)), cosine)
        for i, j, cosines in batches
        for pair, cosine in zip(zip(i.tolist(), j.tolist(), strict=True), cosines.tolist(), strict=True)
    ]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def emitted(members: Members, rule: EdgeRule, earlier: Probes | None = None) -> Edges:
    """What all sub-cells together emit."""
    comparison = BlockComparison(members, rule, earlier)
    cut = cut_cells(np.arange(members.probes.max() + 1), np.bincount(members.probes[:, 0]))
    groups = sub_cells(assign_cells(members.ids, members.probes, cut), members.ids)
    return by_row(batch for residents, visitors in groups for batch in comparison.cell(residents, visitors))


def strongest(edges: Edges, ids: Indices, most: int, whole: Indices) -> set[tuple[int, int]]:
    """Edges that an end has among its `most` strongest, ties to the smaller id, and all edges of the `whole` faces."""
    neighbours: dict[int, list[tuple[float, int, int]]] = {}
    for (a, b), cosine in edges.items():
        neighbours.setdefault(a, []).append((-cosine, int(ids[b]), b))
        neighbours.setdefault(b, []).append((-cosine, int(ids[a]), a))
    strong = set()
    for face, others in neighbours.items():
        first = len(others) if ids[face] in whole else most
        strong |= {(min(face, other), max(face, other)) for _, _, other in sorted(others)[:first]}
    return strong


@pytest.fixture(params=["whole", "flushed", "crowds"])
def small(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Blocks and limits far smaller than the cells; in `crowds` all with a cap is searched for the strongest."""
    for module in (block_pairs, vectors):
        monkeypatch.setattr(module, "ROWS", 5)
        monkeypatch.setattr(module, "COLUMNS", 11)
    monkeypatch.setattr(block_pairs, "_ROWS_OF_A_CROWD", 4)
    monkeypatch.setattr(block_pairs, "MOST_RESIDENTS", 9)
    monkeypatch.setattr("facesieve.link.kernels.cells.MOST_RESIDENTS", 12)
    monkeypatch.setattr(block_pairs, "PAIRS_AT_A_TIME", 1 << 20 if request.param == "whole" else 6)
    if request.param == "crowds":
        monkeypatch.setattr(BlockComparison, "_is_crowd", lambda comparison, pair: bool(comparison.rule.most))
    return str(request.param)


@pytest.mark.parametrize("seed", range(8))
def test_cells_emit_each_edge_of_their_candidates_once(small: str, seed: int) -> None:
    members = crowd(seed, people=4 + seed, per_person=9, probes=1 + seed % 4)
    assert emitted(members, EdgeRule(LINK, 0, NOBODY)) == all_edges(members)


@pytest.mark.parametrize("seed", range(12))
def test_thinning_keeps_the_strongest_of_every_face_and_shows_who_has_more(small: str, seed: int) -> None:
    members, most = crowd(seed, people=1 + seed % 4, per_person=16, probes=3), 1 + seed % 6
    whole = np.sort(members.ids[:: 1 + seed])[: seed % 3]
    every, edges = all_edges(members), emitted(members, EdgeRule(LINK, most, whole))
    assert strongest(every, members.ids, most, whole) <= set(edges)
    assert edges.items() <= every.items()
    degrees, left = (
        np.bincount(np.array([*pairs]).reshape(-1), minlength=len(members.ids)) for pairs in (every, edges)
    )
    assert (left >= np.minimum(degrees, most + 1)).all()
    assert small != "whole" or len(edges) < len(every)


@pytest.mark.parametrize("seed", range(12))
def test_a_second_pass_completes_the_strongest(small: str, seed: int) -> None:
    members, most = crowd(seed, people=5, per_person=12, probes=5), seed % 5
    first = np.where(np.arange(members.probes.shape[1]) < 2, members.probes, -1).astype(np.int32)
    rule = EdgeRule(LINK, most, members.ids[:0])
    before = emitted(Members(members.ids, members.codes, first, members.vectors), rule)
    added, every = emitted(members, rule, first), all_edges(members)
    assert not before.keys() & added.keys()
    assert (
        strongest(every, members.ids, most or len(members.ids), NOBODY) <= before.keys() | added.keys() <= every.keys()
    )


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 12), st.booleans())
def test_a_crowd_keeps_exactly_the_strongest_of_each_and_one_more(
    seed: int, count: int, most: int, alike: bool
) -> None:
    rng = np.random.default_rng(seed)
    halves = (1 + rng.normal(size=(count, 6)) * (0 if alike else 0.5)).astype(np.float16)
    ids = rng.permutation(count) - count // 2
    members = Members(ids, ids * 0, np.zeros((count, 1), np.int32), halves)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block_pairs, "_ROWS_OF_A_CROWD", 1 + seed % 9)
        patch.setattr(BlockComparison, "_is_crowd", lambda comparison, pair: pair.own)
        edges = emitted(members, EdgeRule(LINK, most, NOBODY))
    assert set(edges) == strongest(all_edges(members), ids, most + 1, NOBODY)


def test_a_crowd_has_edges_at_the_cosine_itself() -> None:
    members = crowd(3, people=1, per_person=30, probes=1)
    i, j, cosine = hits(members.vectors, members.vectors, -1.0)
    every = cosine[i < j].astype(float)
    for link in np.sort(every)[::40]:
        batches: list[Hits] = []
        for rule in (EdgeRule(link, 29, NOBODY), EdgeRule(np.nextafter(link, 1), 29, NOBODY)):
            batches += BlockComparison(members, rule)._strongest(BlockPair(np.arange(30), np.arange(30), own=True))
        assert sum(len(i) for i, _, _ in batches) == (every >= link).sum() + (every > link).sum()


def test_a_crowd_is_one_whose_faces_have_more_neighbours_than_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_pairs, "PAIRS_AT_A_TIME", 1_000)
    members = crowd(0, people=1, per_person=60, probes=1)
    rows = np.arange(60)
    many = BlockPair(rows, rows, own=True)
    for most, crowded in ((30, True), (59, False), (0, False)):
        assert BlockComparison(members, EdgeRule(LINK, most, NOBODY))._is_crowd(many) is crowded
    few = BlockPair(rows[:10], rows[:10], own=True)
    assert not BlockComparison(members, EdgeRule(LINK, 2, NOBODY))._is_crowd(few)


@pytest.mark.parametrize("seed", range(4))
def test_block_pairs_may_be_any_groups_of_a_cell(small: str, seed: int) -> None:
    """New residents with each other, with old residents and old visitors; old residents with new visitors."""
    members = crowd(seed, people=6, per_person=12, probes=4)
    new = np.random.default_rng(seed).random(len(members.ids)) < 0.3
    comparison = BlockComparison(members, EdgeRule(LINK, 0, NOBODY))
    batches: list[Hits] = []
    for cell in np.unique(members.probes[:, 0]):
        here = members.probes[:, 0] == cell
        visits = (members.probes[:, 1:] == cell).any(axis=1)
        rows = {name: np.flatnonzero(flags) for name, flags in _groups(here, visits, new).items()}
        batches += comparison.edges(
            [
                BlockPair(rows["new"], rows["new"], own=True),
                BlockPair(rows["new"], rows["old"]),
                BlockPair(rows["new"], rows["old visitors"]),
                BlockPair(rows["new"], rows["new visitors"]),
                BlockPair(rows["old"], rows["new visitors"]),
            ]
        )
    assert by_row(batches) == {(a, b): x for (a, b), x in all_edges(members).items() if new[a] or new[b]}


def _groups(here: Flags, visits: Flags, new: Flags) -> dict[str, Flags]:
    return {
        "new": here & new,
        "old": here & ~new,
        "new visitors": visits & new,
        "old visitors": visits & ~new,
    }


def test_an_empty_group_is_compared_with_nobody() -> None:
    members = crowd(0, people=2, per_person=4, probes=2)
    comparison, some = BlockComparison(members, EdgeRule(LINK, 3, NOBODY)), np.arange(3)
    assert (
        list(comparison.edges([BlockPair(some, NOBODY), BlockPair(NOBODY, some), BlockPair(NOBODY, NOBODY, own=True)]))
        == []
    )
    assert list(comparison.edges([])) == []


@pytest.mark.parametrize(("count", "noise"), [(10_000, 0.0), (4_000, 1e-4)])
def test_ten_thousand_copies_of_a_face_take_little_memory(count: int, noise: float) -> None:
    """Fifty million pairs: a gigabyte, if all were in memory."""
    most = 100
    rng = np.random.default_rng(0)
    halves = (rng.normal(size=(1, 32)) + noise * rng.normal(size=(count, 32))).astype(np.float16)
    ids = np.arange(count)
    members = Members(ids, ids, np.zeros((count, 1), np.int32), halves)
    comparison = BlockComparison(members, EdgeRule(LINK, most, NOBODY))
    tracemalloc.start()
    degrees = np.zeros(count, np.int64)
    for i, j, _ in comparison.cell(ids, NOBODY):
        degrees += np.bincount(i, minlength=count) + np.bincount(j, minlength=count)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 48 << 20
    assert degrees.min() > most
    assert degrees.sum() <= 2 * count * (most + 1)


def test_without_a_cap_a_crowd_comes_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_pairs, "PAIRS_AT_A_TIME", 10_000)
    count = 2_000
    ids = np.arange(count)
    members = Members(ids, ids, np.zeros((count, 1), np.int32), np.ones((count, 4), np.float16))
    sizes = [len(i) for i, _, _ in BlockComparison(members, EdgeRule(LINK, 0, NOBODY)).cell(ids, NOBODY)]
    assert sum(sizes) == count * (count - 1) // 2
    assert max(sizes) <= 10_000 + vectors.ROWS * vectors.COLUMNS


def test_the_worked_example_of_the_module() -> None:
    """Vectors with the cosines of the six faces; every other pair is below 0.6."""
    cosines = {(1, 2): 0.8, (1, 3): 0.75, (2, 5): 0.75, (3, 6): 0.8, (1, 4): 0.7, (2, 3): 0.65}
    cosines |= {(1, 5): 0.55, (1, 6): 0.55, (3, 5): 0.4, (2, 6): 0.5, (2, 4): 0.55, (3, 4): 0.55}
    gram = np.eye(6)
    for (a, b), cosine in (cosines | {(4, 5): 0.3, (4, 6): 0.4, (5, 6): 0.35}).items():
        gram[a - 1, b - 1] = gram[b - 1, a - 1] = cosine
    values, axes = np.linalg.eigh(gram)
    assert values.min() > 0
    halves = (axes * np.sqrt(values)).astype(np.float16)
    ids, homes = np.arange(1, 7), np.array([[0, -1]] * 4 + [[1, 0]] * 2, np.int32)
    comparison = BlockComparison(Members(ids, ids, homes, halves), EdgeRule(0.6, 1, NOBODY))
    edges = by_row(comparison.cell(np.arange(4), np.arange(4, 6)))
    assert {(a + 1, b + 1) for a, b in edges} == {(1, 2), (1, 3), (1, 4), (2, 5), (3, 6)}
