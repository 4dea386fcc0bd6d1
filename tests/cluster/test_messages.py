"""Messages by hand: what each vertex gets from its neighbours."""

from __future__ import annotations

from pyspark.sql import SparkSession

from facesieve.cluster.frames import RANKS, VOTE_STATE, VOTING_EDGES, DirectedEdges, Ranks, VoteState
from facesieve.cluster.messages import best_labels, least_ranks, summed


def test_votes_of_one_label_are_summed_and_ties_go_to_the_own_then_the_smallest(spark: SparkSession) -> None:
    labels = {1: 1, 2: 1, 3: 1, 4: 4, 8: 8, 9: 9, -7: -7}
    # In the second coin face 3 has label 4, and the others as before.
    rows = [(face, [label, 4 if face == 3 else label]) for face, label in labels.items()]
    state = VoteState(spark.createDataFrame([(*row, row[1], [False, False], [True, True]) for row in rows], VOTE_STATE))
    sums = [(2, 9, 3), (3, 9, 2), (4, 9, 4)]
    own_tie = [(2, 1, 5), (9, 1, 5)]
    tie = [(9, 8, 2), (4, 8, 2)]
    negative = [(-7, 4, 1), (1, 4, 1)]
    edges = DirectedEdges(spark.createDataFrame(sums + own_tie + tie + negative, VOTING_EDGES))
    best = {
        row["id"]: row["best"]
        for row in best_labels(state, summed(state, edges, len(labels), 2), len(labels), 2).collect()
    }
    assert best == {9: [1, 4], 1: [1, 1], 8: [4, 4], 4: [-7, -7]}


def test_the_least_rank_comes_from_a_neighbour(spark: SparkSession) -> None:
    # In the second coin face 3 wants nothing.
    rows = [(1, [(5, 1), (9, 1)]), (2, [(5, 2), (8, 2)]), (3, [(0, 3), None])]
    pairs = [(1, 2, 9), (2, 1, 9), (2, 3, 9), (3, 2, 9)]
    edges = DirectedEdges(spark.createDataFrame(pairs, VOTING_EDGES))
    rivals = least_ranks(Ranks(spark.createDataFrame(rows, RANKS)), edges, 2).collect()
    least = {row["id"]: [rival and tuple(rival) for rival in row["rivals"]] for row in rivals}
    assert least == {1: [(5, 2), (8, 2)], 2: [(0, 3), (9, 1)], 3: [(5, 2), (8, 2)]}
