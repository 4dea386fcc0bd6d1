"""The cap on neighbours: which edges are too many, where every face keeps its strongest.

A face with more than k edges is capped: it keeps the k of greatest cosine, among equals those to the smaller id. Any
other face keeps all. An edge stays if either end keeps it, so only an edge between two capped faces can go.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

_BROADCAST_FACES = 1_000_000
"""Capped faces up to which every executor is told all of them (some 50 MB), so that no edge is shuffled for it."""
_REMOVED = "src bigint, dst bigint"


@dataclass(frozen=True)
class Capped:
    """What the cap takes away: the edges to remove (src bigint, dst bigint), lazily, and the number of capped faces."""

    removed: DataFrame
    faces: int


def capped(edges: DataFrame, most: int) -> Capped:
    """Find the edges of one scope that `most` (k, at least 1) neighbours per face leave no room for.

    edges: src bigint, dst bigint, cosine float, each pair once; other columns are ignored. They are read three times,
    and once where no face is capped: then nothing is sorted and no edge is shuffled. A task
    holds the edges of some 128 capped faces at a time.
    """
    ends = edges.select(F.explode(F.array("src", "dst")).alias("face"))
    over = ends.groupBy("face").count().where(F.col("count") > most).select("face").persist()
    faces = over.count()
    if faces == 0:
        over.unpersist()
        return Capped(edges.sparkSession.createDataFrame([], _REMOVED), 0)
    # Read twice, once for each end of an edge.
    last = _last_kept(_ends(edges).join(_told(over, faces), "face", "inner"), most).checkpoint()
    over.unpersist()
    return Capped(_beyond_both(edges, _told(last, faces)), faces)


def _ends(edges: DataFrame) -> DataFrame:
    """Show every edge from both its ends: face, other, cosine."""
    here, there = F.struct(F.col("src"), F.col("dst")), F.struct(F.col("dst"), F.col("src"))
    names = "struct<face:bigint,other:bigint>"
    seen = edges.select(F.explode(F.array(here.cast(names), there.cast(names))).alias("end"), "cosine")
    return seen.select("end.face", "end.other", "cosine")


def _last_kept(ends: DataFrame, most: int) -> DataFrame:
    """Find the weakest edge that each capped face keeps: face, least (its cosine), last (the other face)."""
    # A window would sort all rows by three columns, before its shuffle and after: 1.7 times the work of a list.
    end = F.struct((-F.col("cosine")).alias("minus"), "other")
    ranked = F.sort_array(F.collect_list(end))
    kept = ends.groupBy("face").agg(ranked[most - 1].alias("end"))
    return kept.select("face", (-F.col("end.minus")).alias("least"), F.col("end.other").alias("last"))


def _beyond_both(edges: DataFrame, last: DataFrame) -> DataFrame:
    """Keep the edges that are weaker than the last one kept by either end."""
    source = last.select(F.col("face").alias("src"), F.struct("least", "last").alias("of_src"))
    target = last.select(F.col("face").alias("dst"), F.struct("least", "last").alias("of_dst"))
    between = edges.join(source, "src", "inner").join(target, "dst", "inner")
    return between.where(_beyond("of_src", "dst") & _beyond("of_dst", "src")).select("src", "dst")


def _beyond(last: str, other: str) -> Column:
    weaker, equal = F.col("cosine") < F.col(f"{last}.least"), F.col("cosine") == F.col(f"{last}.least")
    return weaker | (equal & (F.col(other) > F.col(f"{last}.last")))


def _told(frame: DataFrame, faces: int) -> DataFrame:
    return F.broadcast(frame) if faces <= _BROADCAST_FACES else frame
