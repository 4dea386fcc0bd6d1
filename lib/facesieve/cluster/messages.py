"""The messages of a vote: each vertex's labels go to its neighbours with the edge's vote, and the best labels win.

A message carries what it has to say in every coin. All of GraphFrames that the package uses is in this module.
"""

from __future__ import annotations

from graphframes import GraphFrame
from graphframes.lib import AggregateMessages
from pyspark.sql import Column
from pyspark.sql import functions as F

from facesieve.cluster.coin_columns import broadcast_if_few, each_coin
from facesieve.cluster.frames import BestLabels, DirectedEdges, Ranks, Rivals, Sums, VoteState


def best_labels(state: VoteState, sums: Sums, count: int, coins: int) -> BestLabels:
    """Return the best label in every coin, for every vertex that receives a message, persisted.

    count: an upper bound of the vertices. The best label is the one whose votes sum up highest: the vertex's own if it
    is among the best, else the smallest of the best. Vertices of one label speak as one: the message comes from the
    vertex whose id the label is, with their sum.
    """
    receivers = broadcast_if_few(state.select("id", "labels"), count, coins)
    graph = GraphFrame(receivers, sums)
    message = F.struct(*(_message(coin).alias(_name(coin)) for coin in range(coins)))
    # ~id orders like -id, without overflow.
    best = each_coin(coins, lambda coin: F.bitwise_not(F.max(AggregateMessages.msg[_name(coin)])["least"]))
    return BestLabels(graph.aggregateMessages([best.alias("best")], sendToDst=[message]))


def summed(state: VoteState, edges: DirectedEdges, count: int, coins: int) -> Sums:
    """Sum the votes that go through `edges`, by label and by coin. Where edges lie with their receiver, none moves.

    count: an upper bound of the vertices.

    Example: two coins. Vertices 1, 2 and 3 have label 1, vertex 4 has label 4, but in the second coin vertex 3 has
    label 4 too. Vertex 9 has label 9.

        src dst vote      dst label votes by coin      id best
          2   9    3        9     1         5   3       9    1 4    (5 is more than 4, 6 is more than 3)
          3   9    2   ->   9     4         4   6   ->
          4   9    4
    """
    labels = state.select(F.col("id").alias("src"), _spoken(coins).alias("spoken"))
    speakers = broadcast_if_few(labels, count, coins)
    spoken = edges.join(speakers, "src", how="inner").select("dst", "vote", F.inline("spoken"))
    sums = spoken.groupBy("dst", "label").agg(each_coin(coins, _sum).alias("votes"))
    return Sums(sums.select(F.col("label").alias("src"), "dst", "votes"))


def least_ranks(ranks: Ranks, edges: DirectedEdges, coins: int) -> Rivals:
    """Return the least rank in every coin among the neighbours of each vertex of `ranks`, persisted."""
    least = each_coin(coins, lambda coin: F.min(AggregateMessages.msg[coin])).alias("rivals")
    return Rivals(GraphFrame(ranks, edges).aggregateMessages([least], sendToDst=[AggregateMessages.src["ranks"]]))


def _spoken(coins: int) -> Column:
    """Say each label of a vertex once, with the coins in which it has that label: array<struct<label, coins>>.

    The coins are bits of a bigint, coin 0 the lowest.
    """

    def with_coins(label: Column) -> Column:
        bits = (F.when(F.col("labels")[coin] == label, 1 << coin).otherwise(0) for coin in range(coins))
        return F.struct(label.alias("label"), sum(bits, F.lit(0).cast("bigint")).alias("coins"))

    return F.transform(F.array_distinct("labels"), with_coins)


def _sum(coin: int) -> Column:
    """Sum the votes of a label in a coin; null if nobody has the label in that coin."""
    return F.sum(F.when(F.col("coins").bitwiseAND(F.lit(1 << coin).cast("bigint")) != 0, F.col("vote")))


def _message(coin: int) -> Column:
    source, target, votes = AggregateMessages.src, AggregateMessages.dst, AggregateMessages.edge["votes"][coin]
    own = (source["id"] == target["labels"][coin]).alias("own")
    speech = F.struct(votes.alias("votes"), own, F.bitwise_not(source["id"]).alias("least"))
    return F.when(votes.isNotNull(), speech)


def _name(coin: int) -> str:
    return f"coin_{coin}"
