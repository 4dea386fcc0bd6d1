"""Preferences are the same whether votes are summed in a table or by sorting, and as they are read aloud."""

from __future__ import annotations

from collections import defaultdict
from unittest import mock

import networkx as nx
import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from facesieve.cluster.kernels import preferences as kernel
from facesieve.cluster.kernels.preferences import VotingGraph, preferences, voting_graph

Ints = npt.NDArray[np.int64]


def by_hand(edges: list[tuple[int, int, int]], labels: list[int], former: list[int], hearing: set[int]) -> list[int]:
    """Sum with dictionaries, one edge at a time."""
    sums: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for a, b, votes in edges:
        sums[a][labels[b]] += votes
        sums[b][labels[a]] += votes
    preferred = list(former)
    for face in hearing & set(sums):
        most = max(sums[face].values())
        best = [label for label, votes in sums[face].items() if votes == most]
        preferred[face] = labels[face] if labels[face] in best else min(best)
    return preferred


def _graph(faces: int, edges: list[tuple[int, int, int]]) -> VotingGraph:
    columns = np.array(edges, np.int64).reshape(-1, 3).T
    return voting_graph(faces, *columns)


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 12), st.integers(0, 40), st.integers(0, 2**32), st.sampled_from([3, 2**52, 2**60]))
def test_they_are_as_read_aloud(faces: int, number: int, seed: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = nx.gnm_random_graph(faces, number, seed=seed).edges
    edges = [(a, b, int(rng.integers(1, most))) for a, b in pairs]
    labels, former = rng.integers(0, faces, faces), rng.integers(0, faces, faces)
    hearing = np.flatnonzero(rng.random(faces) < 0.7)
    expected = by_hand(edges, labels.tolist(), former.tolist(), set(hearing.tolist()))
    graph = _graph(faces, edges)
    for cells, work in ((0, 1 << 20), (1 << 30, 1 << 20), (1 << 30, 1), (0, 1)):
        with mock.patch.multiple(kernel, _CELLS_AN_EDGE=cells, _WORK=work):
            assert preferences(labels, former, graph, hearing).tolist() == expected


def test_votes_that_a_table_would_round_are_sorted() -> None:
    edges = [(0, 1, 2**53), (0, 2, 2**53 - 1), (0, 3, 2)]
    labels = np.array([0, 1, 2, 2])
    assert preferences(labels, labels, _graph(4, edges), np.array([0])).tolist() == [2, 1, 2, 2]


def test_neighbours_are_those_with_an_edge() -> None:
    graph = _graph(5, [(0, 1, 1), (1, 2, 1), (3, 4, 1)])
    assert graph.neighbours(np.array([1])).tolist() == [0, 2]
    assert graph.neighbours(np.array([0, 3])).tolist() == [1, 4]
    assert graph.degrees(np.array([1, 3])).tolist() == [2, 1]
