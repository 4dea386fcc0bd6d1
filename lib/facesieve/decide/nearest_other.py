"""How much nearer a face is to its people than to anybody else's."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core.frames import BROADCAST_ROWS
from facesieve.core.tables import Edges


def elsewhere(edges: Edges, asked: DataFrame, offered: DataFrame) -> DataFrame:
    """Return the greatest cosine of each asked face to an offered face of other people: face_id, elsewhere float.

    asked: face_id, people (who it is of, string) and moved (boolean: that is not its folder); offered: face_id and
    people. Faces without such an edge in the heap have no row: whoever else there is is below the link cosine.
    """
    mine = asked.select("face_id", "people")
    theirs = offered.select(F.col("face_id").alias("other"), F.col("people").alias("others"))
    if asked.count() + offered.count() <= BROADCAST_ROWS:
        mine, theirs = F.broadcast(mine), F.broadcast(theirs)
    there, back = (
        F.struct(F.col(one).alias("face_id"), F.col(to).alias("other"), "cosine")
        for one, to in (("src", "dst"), ("dst", "src"))
    )
    ends = _across(edges, asked.where("moved").select("face_id")).select(F.inline(F.array(there, back)))
    met = ends.join(mine, on="face_id", how="inner").join(theirs, on="other", how="inner")
    return met.where("people <> others").groupBy("face_id").agg(F.max("cosine").alias("elsewhere"))


def _across(edges: Edges, movers: DataFrame) -> DataFrame:
    """The edges of the heap that may lead to other people: within a folder only those of a face that has left it."""
    heap = edges.where(F.col("scope") == "global").select("src", "dst", "cosine", "same_identity")
    within = F.coalesce("same_identity", F.lit(False))
    sources = F.broadcast(movers.withColumnRenamed("face_id", "src"))
    targets = F.broadcast(movers.withColumnRenamed("face_id", "dst"))
    inside = heap.where(within)
    leaving = inside.join(sources, on="src", how="left_semi").unionByName(
        inside.join(sources, on="src", how="left_anti").join(targets, on="dst", how="left_semi")
    )
    return heap.where(~within).unionByName(leaving)
