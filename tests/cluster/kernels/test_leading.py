"""The labels that lead are those of the most votes, counted one edge at a time."""

from __future__ import annotations

from collections import defaultdict
from unittest import mock

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from facesieve.cluster.kernels import leading as kernel
from facesieve.cluster.kernels.leading import leading
from facesieve.cluster.kernels.preferences import voting_graph

Pair = tuple[int, int, int]


def by_hand(edges: list[Pair], labels: list[int], faces: list[int]) -> list[Pair]:
    sums: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for a, b, votes in edges:
        sums[a][labels[b]] += votes
        sums[b][labels[a]] += votes
    return [
        (face, label, votes)
        for face in faces
        for label, votes in sorted(sums[face].items())
        if votes == max(sums[face].values())
    ]


@settings(deadline=None, max_examples=200)
@given(st.integers(2, 12), st.integers(1, 40), st.integers(0, 2**32), st.sampled_from([3, 2**52, 2**58]))
def test_they_are_as_counted_by_hand(faces: int, number: int, seed: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = nx.gnm_random_graph(faces, number, seed=seed).edges
    edges = [(a, b, int(rng.integers(1, most))) for a, b in pairs]
    labels = rng.integers(0, faces, faces)
    graph = voting_graph(faces, *np.array(edges, np.int64).reshape(-1, 3).T)
    asked = np.flatnonzero((np.diff(graph.starts) > 0) & (rng.random(faces) < 0.7))
    for cells, at_once in ((0, 1 << 20), (1 << 30, 1 << 20), (1 << 30, 2), (0, 2)):
        with mock.patch.multiple(kernel, _CELLS_AN_EDGE=cells, _EDGES=at_once):
            rows = leading(asked, labels, graph)
        assert list(zip(*(column.tolist() for column in rows), strict=True)) == by_hand(
            edges, labels.tolist(), asked.tolist()
        )
