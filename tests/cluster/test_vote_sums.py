"""Where labels are many, edges are joined: those alone whose receivers have a neighbour that moved."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from facesieve.cluster import vote_blocks
from facesieve.cluster import vote_sums as module
from facesieve.cluster.frames import VOTE_STATE, VOTING_EDGES, DirectedEdges, VoteState
from facesieve.cluster.vote_sums import VoteSums
from facesieve.core import frames

EDGES = [(1, 2, 5), (2, 1, 5), (2, 3, 4), (3, 2, 4), (8, 9, 1), (9, 8, 1)]
HEARD = {(7, 2, (9,)), (7, 1, (5,)), (7, 3, (4,))}


@pytest.mark.parametrize(("most", "share"), [(2_000_000, 0.25), (0, 0.5), (0, 0.1)])
def test_neighbours_of_movers_hear(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch, most: int, share: float
) -> None:
    monkeypatch.setattr(frames, "BROADCAST_ROWS", most)
    monkeypatch.setattr(vote_blocks, "_MOST_BYTES", most)
    monkeypatch.setattr(module, "FILTER_BELOW", share)
    labels = {1: 7, 2: 7, 3: 7, 7: 7, 8: 8, 9: 9}
    rows = [(face, [label], [label], [False], [face in (1, 2)]) for face, label in labels.items()]
    state = VoteState(spark.createDataFrame(rows, VOTE_STATE))
    directed = DirectedEdges(spark.createDataFrame(EDGES, VOTING_EDGES).repartition("dst"))
    sums = VoteSums(directed, len(labels), 1)
    told = {(row.src, row.dst, tuple(row.votes)) for row in sums.of(state, 2).collect()}
    # Where most have moved, all edges are joined, which is as much work.
    others = {(8, 9, (1,)), (9, 8, (1,))} if most == 0 and share < 2 / 6 else set()
    assert told == HEARD | others
    sums.close()
