"""Blocks of receivers tell what a join of the edges tells, but for labels that cannot win."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from graphs import graph
from pyspark.sql import SparkSession

from facesieve.cluster import vote_blocks as module
from facesieve.cluster.frames import SUMS, VOTE_STATE, VOTING_EDGES, DirectedEdges, VoteState
from facesieve.cluster.messages import summed
from facesieve.cluster.vote_blocks import fit_a_task, heard, stand, vote_blocks
from facesieve.faces.edge_frames import both_directions

COINS = 3
Rows = dict[tuple[int, int], list[int | None]]


def leaders(sums: Rows) -> Rows:
    """Leave out what has fewer votes than another label for the same vertex, coin by coin."""
    most: dict[tuple[int, int], int] = {}
    for (_, dst), votes in sums.items():
        for coin, number in enumerate(votes):
            most[dst, coin] = max(most.get((dst, coin), 0), number or 0)
    lead = {
        (src, dst): [number if number == most[dst, coin] else None for coin, number in enumerate(votes)]
        for (src, dst), votes in sums.items()
    }
    return {pair: votes for pair, votes in lead.items() if any(votes)}


@pytest.mark.parametrize("edges_of_a_block", [1 << 20, 7])
def test_they_tell_what_a_join_tells(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch, edges_of_a_block: int
) -> None:
    monkeypatch.setattr(module, "_EDGES", edges_of_a_block)
    sample, rng = graph(nx.gnm_random_graph(30, 120, seed=4), seed=4, most=3), np.random.default_rng(4)
    labels, moved = rng.choice(sample.ids[:6], (30, COINS)), rng.random((30, COINS)) < 0.03
    rows = zip(sample.ids.tolist(), labels.tolist(), labels.tolist(), moved.tolist(), moved.tolist(), strict=True)
    state = VoteState(spark.createDataFrame(list(rows), VOTE_STATE).repartition(3))
    pairs = spark.createDataFrame(np.stack(sample[1:], axis=1).tolist(), VOTING_EDGES)
    directed = DirectedEdges(both_directions(pairs, "vote").repartition(2, "dst").persist())
    ids, standing = stand(state, COINS)
    assert ids.tolist() == sorted(sample.ids.tolist())
    context = spark.sparkContext
    names = context.broadcast(ids)
    sums = heard(vote_blocks(directed, names), names, context.broadcast(standing))
    assert sums.schema == SUMS
    movers = set(sample.ids[moved.any(axis=1)].tolist())
    assert 0 < len(movers) < 6
    near = {dst for src, dst, _ in directed.collect() if src in movers}
    joined = {(row.src, row.dst): row.votes for row in summed(state, directed, 30, COINS).collect() if row.dst in near}
    assert {(row.src, row.dst): row.votes for row in sums.collect()} == leaders(joined)
    assert len(near) < 30


@pytest.mark.parametrize(("coins", "vertices"), [(1, 11_184_810), (8, 3_355_443)])
def test_labels_are_sent_to_all_tasks_up_to_128_mib(coins: int, vertices: int) -> None:
    assert fit_a_task(vertices, coins)
    assert not fit_a_task(vertices + 1, coins)
