"""The messages of a vote: each face's label goes to its neighbours with the edge's vote, and the best label wins."""

from __future__ import annotations

from graphframes import GraphFrame
from graphframes.lib import AggregateMessages
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

BROADCAST_FACES = 2_000_000
"""So many rows of faces (some 100 MB) are sent to every executor; more are joined by a shuffle of the edges."""


def best_labels(labels: DataFrame, edges: DataFrame, faces: int) -> DataFrame:
    """Return the best label (`best`) for every face (`id`) that receives a vote through `edges`, persisted.

    labels: id, label, at most `faces` of them. edges: src, dst, vote (above 0), directed. The best label is the one
    whose votes sum up highest: the face's own if it is among the best, else the smallest of the best.
    """
    graph = GraphFrame(told(labels.select("id", "label"), faces), edges)
    vote = F.struct(
        AggregateMessages.src["label"].alias("label"),
        AggregateMessages.edge["vote"].alias("vote"),
        (AggregateMessages.src["label"] == AggregateMessages.dst["label"]).alias("own"),
    )
    heard: DataFrame = graph.aggregateMessages([_best(AggregateMessages.msg).alias("best")], sendToDst=[vote])
    return heard


def least_ranks(ranks: DataFrame, edges: DataFrame) -> DataFrame:
    """Return the least `rank` among the neighbours (`rival`) of each face (`id`) of `ranks` (id, rank), persisted."""
    least = F.min(AggregateMessages.msg).alias("rival")
    heard: DataFrame = GraphFrame(ranks, edges).aggregateMessages([least], sendToDst=[AggregateMessages.src["rank"]])
    return heard


def told(frame: DataFrame, rows: int) -> DataFrame:
    """Send `frame` to every executor, if it has few enough `rows` of faces."""
    return F.broadcast(frame) if rows <= BROADCAST_FACES else frame


def _best(vote: Column) -> Column:
    """Aggregate the votes sent to one face.

    The votes are sorted by label and folded with a running sum per label, so a hub costs n log n and no map. As votes
    are above 0, a sum that is still running never beats the finished one. ~label orders like -label, without overflow.
    """
    none = F.lit(0).cast("bigint")
    start = F.struct(none.alias("label"), none.alias("sum"), _candidate(none, F.lit(False), none).alias("best"))

    def add(sofar: Column, heard: Column) -> Column:
        same = sofar["label"] == heard["label"]
        total = F.when(same, sofar["sum"]).otherwise(none) + heard["vote"]
        best = F.greatest(sofar["best"], _candidate(total, heard["own"], F.bitwise_not(heard["label"])))
        return F.struct(heard["label"].alias("label"), total.alias("sum"), best.alias("best"))

    return F.aggregate(F.sort_array(F.collect_list(vote)), start, add, lambda end: F.bitwise_not(end["best"]["least"]))


def _candidate(total: Column, own: Column, least: Column) -> Column:
    return F.struct(total.alias("sum"), own.alias("own"), least.alias("least"))
