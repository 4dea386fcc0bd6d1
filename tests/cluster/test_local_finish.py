"""The edges that one task needs to finish a vote, and its end, against networkx and the kernel."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from graphs import Graph, graph
from pyspark.sql import SparkSession

from facesieve.cluster import local_finish
from facesieve.cluster.frames import VOTE_STATE, VOTING_EDGES, DirectedEdges, VoteState
from facesieve.cluster.kernels.whispers import Coin, Start, finish
from facesieve.cluster.local_finish import Unfinished, finished, unfinished_edges
from facesieve.faces.edge_frames import both_directions

PATHS = graph(nx.disjoint_union_all([nx.path_graph(6), nx.path_graph(5), nx.complete_graph(4)]), seed=5, most=9)


def frames(spark: SparkSession, sample: Graph, wanting: set[int]) -> tuple[VoteState, DirectedEdges]:
    rows = [(face, [face] * 2, [face] * 2, [False, face in wanting], [False] * 2) for face in sample.ids.tolist()]
    pairs = np.stack(sample[1:], axis=1).tolist()
    directed = both_directions(spark.createDataFrame(pairs, VOTING_EDGES), "vote")
    return VoteState(spark.createDataFrame(rows, VOTE_STATE)), DirectedEdges(directed)


def test_whole_components_of_unsettled_vertices_and_the_kernels_end(spark: SparkSession) -> None:
    unsettled = {int(PATHS.ids[0]), int(PATHS.ids[12])}
    state, directed = frames(spark, PATHS, unsettled)
    edges = unfinished_edges(state, directed, most=11)
    assert edges is not None
    inside = np.isin(PATHS.src, np.append(PATHS.ids[:6], PATHS.ids[11:]))
    expected = np.stack([column[inside] for column in PATHS[1:]], axis=1)
    assert sorted(map(tuple, edges.collect())) == sorted(map(tuple, expected.tolist()))
    # The first coin has settled, and stays as it is.
    end = finished(state, edges, Unfinished(2, [None, Coin(0.75, 0)], 500))
    ids = np.sort(np.append(PATHS.ids[:6], PATHS.ids[11:]))
    src, dst, votes = expected.T
    truth = finish(ids, (src, dst, votes), Start(ids, 2), Coin(0.75, 0), 500)
    rows = {row["id"]: (row["labels"], row["wanting"]) for row in end.vertices.collect()}
    ends = zip(ids.tolist(), truth.labels.tolist(), truth.wanting.tolist(), strict=True)
    assert rows == {face: ([face, label], [False, wants]) for face, label, wants in ends}
    assert end.histories == [[], truth.unsettled]


def test_too_many_edges_or_too_wide_components_are_not_finished(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, directed = frames(spark, PATHS, {int(PATHS.ids[0])})
    assert unfinished_edges(state, directed, most=4) is None
    monkeypatch.setattr(local_finish, "HOPS", 3)
    assert unfinished_edges(state, directed, most=100) is None
