"""The messages of a vote: each face's label goes to its neighbours with the edge's vote, and the best label wins."""

from __future__ import annotations

from graphframes import GraphFrame
from graphframes.lib import AggregateMessages
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

BROADCAST_FACES = 2_000_000
"""So many rows of faces (some 100 MB) are sent to every executor; more are joined by a shuffle of the edges."""


def best_labels(state: DataFrame, edges: DataFrame, faces: int) -> DataFrame:
    """Return the best label (`best`) for every face (`id`) that receives a vote through `edges`, persisted.

    state: id, label, one row per face, at most `faces` of them; a label is the id of one of them. edges: src, dst, vote
    (above 0), directed. The best label is the one whose votes sum up highest: the face's own if it is among the best,
    else the smallest of the best.

    Faces of one label speak as one: their votes for a neighbour are summed first, and the message comes from the face
    whose id the label is. Where edges lie with their receiver no message is shuffled for that.
    """
    speaker = told(state.select(F.col("id").alias("src"), "label"), faces)
    spoken = edges.join(speaker, "src", how="inner").groupBy("dst", "label").agg(F.sum("vote").alias("votes"))
    graph = GraphFrame(
        told(state.select("id", "label"), faces), spoken.select(F.col("label").alias("src"), "dst", "votes")
    )
    source, target = AggregateMessages.src, AggregateMessages.dst
    own = (source["id"] == target["label"]).alias("own")
    # ~id orders like -id, without overflow.
    message = F.struct(AggregateMessages.edge["votes"].alias("votes"), own, F.bitwise_not(source["id"]).alias("least"))
    best = F.bitwise_not(F.max(AggregateMessages.msg)["least"]).alias("best")
    heard: DataFrame = graph.aggregateMessages([best], sendToDst=[message])
    return heard


def least_ranks(ranks: DataFrame, edges: DataFrame) -> DataFrame:
    """Return the least `rank` among the neighbours (`rival`) of each face (`id`) of `ranks` (id, rank), persisted."""
    least = F.min(AggregateMessages.msg).alias("rival")
    heard: DataFrame = GraphFrame(ranks, edges).aggregateMessages([least], sendToDst=[AggregateMessages.src["rank"]])
    return heard


def told(frame: DataFrame, rows: int) -> DataFrame:
    """Send `frame` to every executor, if it has few enough `rows` of faces."""
    return F.broadcast(frame) if rows <= BROADCAST_FACES else frame
