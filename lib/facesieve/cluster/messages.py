"""The messages of a vote: each vertex's label goes to its neighbours with the edge's vote, and the best label wins.

All of GraphFrames that the package uses is in this module.
"""

from __future__ import annotations

from graphframes import GraphFrame
from graphframes.lib import AggregateMessages
from pyspark.sql import functions as F

from facesieve.cluster.frames import BestLabels, DirectedEdges, Ranks, Rivals, VoteState
from facesieve.core.frames import broadcast_if_few


def best_labels(state: VoteState, edges: DirectedEdges, count: int) -> BestLabels:
    """Return the best label for every vertex that receives a vote through `edges`, persisted.

    count: an upper bound of the vertices. The best label is the one whose votes sum up highest: the vertex's own if it
    is among the best, else the smallest of the best.

    Vertices of one label speak as one: their votes for a neighbour are summed first. The message comes from the vertex
    whose id the label is. Where edges lie with their receiver, that sum moves no edge.

    Example: vertices 1, 2 and 3 have label 1, vertex 4 has label 4, and vertex 9 has label 9.

        src dst vote      dst label votes      id best
          2   9    3        9     1     5       9    1    (5 is more than 4)
          3   9    2   ->   9     4     4   ->
          4   9    4
    """
    speakers = broadcast_if_few(state.select(F.col("id").alias("src"), "label"), count)
    sums = edges.join(speakers, "src", how="inner").groupBy("dst", "label").agg(F.sum("vote").alias("votes"))
    receivers = broadcast_if_few(state.select("id", "label"), count)
    graph = GraphFrame(receivers, sums.select(F.col("label").alias("src"), "dst", "votes"))
    source, target = AggregateMessages.src, AggregateMessages.dst
    own = (source["id"] == target["label"]).alias("own")
    # ~id orders like -id, without overflow.
    message = F.struct(AggregateMessages.edge["votes"].alias("votes"), own, F.bitwise_not(source["id"]).alias("least"))
    best = F.bitwise_not(F.max(AggregateMessages.msg)["least"]).alias("best")
    return BestLabels(graph.aggregateMessages([best], sendToDst=[message]))


def least_ranks(ranks: Ranks, edges: DirectedEdges) -> Rivals:
    """Return the least rank among the neighbours of each vertex of `ranks`, persisted."""
    least = F.min(AggregateMessages.msg).alias("rival")
    return Rivals(GraphFrame(ranks, edges).aggregateMessages([least], sendToDst=[AggregateMessages.src["rank"]]))
