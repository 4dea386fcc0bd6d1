"""Edges of a sub-cell, and the thinning of crowds, against brute force."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable

import numpy as np
import pytest
from factories import faces
from hypothesis import given, settings
from hypothesis import strategies as st

from facesieve.faces.vectors import Hits, hits
from facesieve.link.kernels import block_pairs
from facesieve.link.kernels.block_pairs import Asked, Encounter, Meeting
from facesieve.link.kernels.cells import Members, cut_cells, groups, stays
from facesieve.link.kernels.voronoi import learn_pivots, meet, route

NOBODY = np.zeros(0, np.int64)
LINK = 0.4
Edges = dict[tuple[int, int], float]


def heap(seed: int, people: int, per_person: int, probes: int) -> Members:
    """Faces of a few people, some of them with equal vectors, and the cells that they probe."""
    ids, _, vectors = faces(people, per_person, seed, dimension=12)
    halves = vectors.astype(np.float16)
    halves[1::7] = halves[0]
    pivots = learn_pivots(ids, halves, 1 + people, 0.8)
    return Members(ids, np.zeros_like(ids), route(halves, pivots, min(probes, len(pivots)), 0.5), halves)


def all_edges(members: Members) -> Edges:
    """Every edge among the candidates."""
    i, j, cosine = hits(members.vectors, members.vectors, LINK)
    kept = (i < j) & meet(members.probes[i], members.probes[j])
    return dict(zip(zip(i[kept].tolist(), j[kept].tolist(), strict=True), cosine[kept].tolist(), strict=True))


def by_row(found: Iterable[Hits]) -> Edges:
    """Emitted edges by row numbers, none of them twice."""
    pairs = [
        (tuple(sorted(pair)), cosine)
        for i, j, cosines in found
        for pair, cosine in zip(zip(i.tolist(), j.tolist(), strict=True), cosines.tolist(), strict=True)
    ]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def emitted(members: Members, asked: Asked, earlier: np.ndarray | None = None) -> Edges:
    """What all sub-cells together emit."""
    meeting = Meeting(members, asked, earlier)
    cut = cut_cells(np.arange(members.probes.max() + 1), np.bincount(members.probes[:, 0]))
    met = groups(stays(members.ids, members.probes, cut), members.ids)
    return by_row(found for residents, visitors in met for found in meeting.cell(residents, visitors))


def strongest(edges: Edges, ids: np.ndarray, most: int, whole: np.ndarray) -> set[tuple[int, int]]:
    """Edges that an end has among its `most` strongest, ties to the smaller id, and all edges of the `whole` faces."""
    neighbours: dict[int, list[tuple[float, int, int]]] = {}
    for (a, b), cosine in edges.items():
        neighbours.setdefault(a, []).append((-cosine, int(ids[b]), b))
        neighbours.setdefault(b, []).append((-cosine, int(ids[a]), a))
    kept = set()
    for face, others in neighbours.items():
        first = len(others) if ids[face] in whole else most
        kept |= {(min(face, other), max(face, other)) for _, _, other in sorted(others)[:first]}
    return kept


@pytest.fixture(params=["held", "flushed", "crowds"])
def small(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Blocks and limits far smaller than the groups; in `crowds` all with a cap is searched for the strongest."""
    monkeypatch.setattr(block_pairs, "ROWS", 5)
    monkeypatch.setattr(block_pairs, "COLUMNS", 11)
    monkeypatch.setattr(block_pairs, "_ROWS_OF_A_CROWD", 4)
    monkeypatch.setattr(block_pairs, "MOST_RESIDENTS", 9)
    monkeypatch.setattr("facesieve.link.kernels.cells.MOST_RESIDENTS", 12)
    monkeypatch.setattr(block_pairs, "HELD", 1 << 20 if request.param == "held" else 6)
    if request.param == "crowds":
        monkeypatch.setattr(Meeting, "_is_crowd", lambda meeting, met: bool(meeting.asked.most))
    return str(request.param)


@pytest.mark.parametrize("seed", range(8))
def test_cells_emit_each_edge_of_their_candidates_once(small: str, seed) -> None:
    members = heap(seed, people=4 + seed, per_person=9, probes=1 + seed % 4)
    assert emitted(members, Asked(LINK, 0, NOBODY)) == all_edges(members)


@pytest.mark.parametrize("seed", range(12))
def test_thinning_keeps_the_strongest_of_every_face_and_shows_who_has_more(small: str, seed) -> None:
    members, most = heap(seed, people=1 + seed % 4, per_person=16, probes=3), 1 + seed % 6
    whole = np.sort(members.ids[:: 1 + seed])[: seed % 3]
    every, found = all_edges(members), emitted(members, Asked(LINK, most, whole))
    assert strongest(every, members.ids, most, whole) <= set(found)
    assert found.items() <= every.items()
    degrees, left = (
        np.bincount(np.array([*edges]).reshape(-1), minlength=len(members.ids)) for edges in (every, found)
    )
    assert (left >= np.minimum(degrees, most + 1)).all()
    assert small != "held" or len(found) < len(every)


@pytest.mark.parametrize("seed", range(12))
def test_a_second_pass_completes_the_strongest(small: str, seed) -> None:
    members, most = heap(seed, people=5, per_person=12, probes=5), seed % 5
    first = np.where(np.arange(members.probes.shape[1]) < 2, members.probes, -1).astype(np.int32)
    asked = Asked(LINK, most, members.ids[:0])
    before = emitted(Members(members.ids, members.codes, first, members.vectors), asked)
    added, every = emitted(members, asked, first), all_edges(members)
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
    vectors = (1 + rng.normal(size=(count, 6)) * (0 if alike else 0.5)).astype(np.float16)
    ids = rng.permutation(count) - count // 2
    members = Members(ids, ids * 0, np.zeros((count, 1), np.int32), vectors)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block_pairs, "_ROWS_OF_A_CROWD", 1 + seed % 9)
        patch.setattr(Meeting, "_is_crowd", lambda meeting, met: met.own)
        found = emitted(members, Asked(LINK, most, NOBODY))
    assert set(found) == strongest(all_edges(members), ids, most + 1, NOBODY)


def test_a_crowd_has_edges_at_the_cosine_itself() -> None:
    members = heap(3, people=1, per_person=30, probes=1)
    i, j, cosine = hits(members.vectors, members.vectors, -1.0)
    every = cosine[i < j].astype(float)
    for link in np.sort(every)[::40]:
        found: list[Hits] = []
        for asked in (Asked(link, 29, NOBODY), Asked(np.nextafter(link, 1), 29, NOBODY)):
            found += Meeting(members, asked)._strongest(Encounter(np.arange(30), np.arange(30), own=True))
        assert sum(len(i) for i, _, _ in found) == (every >= link).sum() + (every > link).sum()


def test_a_crowd_is_one_whose_faces_have_more_neighbours_than_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_pairs, "HELD", 1_000)
    members = heap(0, people=1, per_person=60, probes=1)
    rows = np.arange(60)
    crowd = Encounter(rows, rows, own=True)
    for most, is_one in ((30, True), (59, False), (0, False)):
        assert Meeting(members, Asked(LINK, most, NOBODY))._is_crowd(crowd) is is_one
    few = Encounter(rows[:10], rows[:10], own=True)
    assert not Meeting(members, Asked(LINK, 2, NOBODY))._is_crowd(few)


@pytest.mark.parametrize("seed", range(4))
def test_encounters_may_be_any_groups_of_a_cell(small: str, seed) -> None:
    """New residents with each other, with known residents and known visitors; known residents with new visitors."""
    members = heap(seed, people=6, per_person=12, probes=4)
    new = np.random.default_rng(seed).random(len(members.ids)) < 0.3
    meeting = Meeting(members, Asked(LINK, 0, NOBODY))
    found: list[Hits] = []
    for cell in np.unique(members.probes[:, 0]):
        here = members.probes[:, 0] == cell
        visits = (members.probes[:, 1:] == cell).any(axis=1)
        rows = {name: np.flatnonzero(flags) for name, flags in _groups(here, visits, new).items()}
        found += meeting.edges(
            [
                Encounter(rows["new"], rows["new"], own=True),
                Encounter(rows["new"], rows["known"]),
                Encounter(rows["new"], rows["known visitors"]),
                Encounter(rows["new"], rows["new visitors"]),
                Encounter(rows["known"], rows["new visitors"]),
            ]
        )
    assert by_row(found) == {(a, b): x for (a, b), x in all_edges(members).items() if new[a] or new[b]}


def _groups(here: np.ndarray, visits: np.ndarray, new: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "new": here & new,
        "known": here & ~new,
        "new visitors": visits & new,
        "known visitors": visits & ~new,
    }


def test_an_empty_group_meets_nobody() -> None:
    members = heap(0, people=2, per_person=4, probes=2)
    meeting, some = Meeting(members, Asked(LINK, 3, NOBODY)), np.arange(3)
    assert (
        list(meeting.edges([Encounter(some, NOBODY), Encounter(NOBODY, some), Encounter(NOBODY, NOBODY, own=True)]))
        == []
    )
    assert list(meeting.edges([])) == []


@pytest.mark.parametrize(("count", "noise"), [(10_000, 0.0), (4_000, 1e-4)])
def test_ten_thousand_copies_of_a_face_take_little_memory(count: int, noise: float) -> None:
    """Fifty million pairs: a gigabyte, if they were held."""
    most = 100
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(1, 32)) + noise * rng.normal(size=(count, 32))).astype(np.float16)
    ids = np.arange(count)
    meeting = Meeting(Members(ids, ids, np.zeros((count, 1), np.int32), vectors), Asked(LINK, most, NOBODY))
    tracemalloc.start()
    degrees = np.zeros(count, np.int64)
    for i, j, _ in meeting.cell(ids, NOBODY):
        degrees += np.bincount(i, minlength=count) + np.bincount(j, minlength=count)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 48 << 20
    assert degrees.min() > most
    assert degrees.sum() <= 2 * count * (most + 1)


def test_without_a_cap_a_crowd_comes_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_pairs, "HELD", 10_000)
    count = 2_000
    ids = np.arange(count)
    members = Members(ids, ids, np.zeros((count, 1), np.int32), np.ones((count, 4), np.float16))
    sizes = [len(i) for i, _, _ in Meeting(members, Asked(LINK, 0, NOBODY)).cell(ids, NOBODY)]
    assert sum(sizes) == count * (count - 1) // 2
    assert max(sizes) <= 10_000 + block_pairs.ROWS * block_pairs.COLUMNS
