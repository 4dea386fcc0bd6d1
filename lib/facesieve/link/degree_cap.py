"""The degree cap: which edges are too many, where every face keeps its strongest.

A face with more than k edges is capped. The face keeps the k edges of greatest cosine, among equals those to the
smaller id. Any other face keeps all. An edge stays if either end keeps it. So only an edge between two capped faces can
go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from facesieve.core.frames import broadcast_if_few, columns
from facesieve.core.tables import Edges
from facesieve.faces.edge_frames import both_directions, ends

RemovedPairs = NewType("RemovedPairs", DataFrame)
"""Edges to take away: src bigint, dst bigint."""

_REMOVED = columns("src bigint, dst bigint")


@dataclass(frozen=True)
class DegreeCap:
    """What the cap takes away: the edges to remove, lazily, and the number of capped faces."""

    removed: RemovedPairs
    faces: int


def degree_cap(edges: Edges, most: int) -> DegreeCap:
    """Find the edges of a scope that `most` (k, at least 1) neighbours per face leave no room for.

    edges: each pair once. They are read three times, and once where no face is capped: then nothing is sorted and no
    edge is shuffled. A task holds the edges of some 128 capped faces at a time.
    """
    over = ends(edges).groupBy("face_id").count().where(F.col("count") > most).select("face_id").persist()
    faces = over.count()
    if faces == 0:
        over.unpersist()
        return DegreeCap(RemovedPairs(edges.sparkSession.createDataFrame([], _REMOVED)), 0)
    directed = both_directions(edges, "cosine").withColumnsRenamed({"src": "face_id", "dst": "other"})
    # Read twice, once for each end of an edge.
    last = _last_kept(directed.join(broadcast_if_few(over, faces), "face_id", "inner"), most).checkpoint()
    over.unpersist()
    return DegreeCap(_beyond_both(edges, broadcast_if_few(last, faces)), faces)


def _last_kept(directed: DataFrame, most: int) -> DataFrame:
    """Find the weakest edge that each capped face keeps: face_id, least (its cosine), last (the other face)."""
    # A window would sort all rows by three columns, before its shuffle and after: 1.7 times the work of a list.
    end = F.struct((-F.col("cosine")).alias("minus"), "other")
    ranked = F.sort_array(F.collect_list(end))
    weakest = directed.groupBy("face_id").agg(ranked[most - 1].alias("end"))
    return weakest.select("face_id", (-F.col("end.minus")).alias("least"), F.col("end.other").alias("last"))


def _beyond_both(edges: Edges, last: DataFrame) -> RemovedPairs:
    """Keep the edges that are weaker than the weakest one that either end keeps."""
    source = last.select(F.col("face_id").alias("src"), F.struct("least", "last").alias("of_src"))
    target = last.select(F.col("face_id").alias("dst"), F.struct("least", "last").alias("of_dst"))
    between = edges.join(source, "src", "inner").join(target, "dst", "inner")
    beyond = _beyond("of_src", "dst") & _beyond("of_dst", "src")
    return RemovedPairs(between.where(beyond).select("src", "dst"))


def _beyond(last: str, other: str) -> Column:
    weaker, equal = F.col("cosine") < F.col(f"{last}.least"), F.col("cosine") == F.col(f"{last}.least")
    return weaker | (equal & (F.col(other) > F.col(f"{last}.last")))
