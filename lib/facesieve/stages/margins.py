"""How much nearer a face is to its people than to anybody else's."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.tables import Edges

_BROADCAST_FACES = 2_000_000
"""Faces up to which every executor is told them all (some 100 MB), so that no edge is shuffled."""


def elsewhere(edges: Edges, faces: DataFrame) -> DataFrame:
    """Return the greatest cosine of each face to a published face of other people: face_id, elsewhere float.

    faces: face_id, people (who it is of, string), published and moved (boolean: it left its folder), each counted once.
    Faces without such an edge in the heap have no row: whoever else there is is below the link cosine.
    """
    heap = edges.where(F.col("scope") == "heap")
    within = F.coalesce("same_identity", F.lit(False))
    # Edges within a folder, most of all, lead to other people only where one end has left it.
    left = F.broadcast(faces.where("moved").select(F.col("face_id").alias("mover")))
    parted = heap.where(within).join(
        left, on=(F.col("src") == F.col("mover")) | (F.col("dst") == F.col("mover")), how="left_semi"
    )
    there, back = (
        F.struct(F.col(one).alias("face_id"), F.col(to).alias("other"), "cosine")
        for one, to in (("src", "dst"), ("dst", "src"))
    )
    ends = heap.where(~within).unionByName(parted).select(F.inline(F.array(there, back)))
    mine = faces.select("face_id", "people")
    theirs = faces.where("published").select(F.col("face_id").alias("other"), F.col("people").alias("others"))
    if faces.count() <= _BROADCAST_FACES:
        mine, theirs = F.broadcast(mine), F.broadcast(theirs)
    met = ends.join(theirs, on="other", how="inner").join(mine, on="face_id", how="inner")
    return met.where("people <> others").groupBy("face_id").agg(F.max("cosine").alias("elsewhere"))
