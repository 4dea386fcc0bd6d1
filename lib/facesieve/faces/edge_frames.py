"""Frames of edges: both directions of an edge, its ends, and the edges that touch some faces."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NewType

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from facesieve.core.frames import broadcast_if_few
from facesieve.core.tables import Edges

_ENDS = ("src", "dst")

GroupedFaces = NewType("GroupedFaces", DataFrame)
"""face_id, and a column of any name that says to which group the face belongs; each face once."""


def both_directions(edges: DataFrame, *columns: str) -> DataFrame:
    """Return every edge twice, from `src` to `dst` and back, with the named other columns.

    edges: src bigint, dst bigint, each pair once. One pass over the edges, without a union.

        src dst cosine        src dst cosine
          1   2    0.7   ->     1   2    0.7
          2   3    0.8          2   1    0.7
                                2   3    0.8
                                3   2    0.8
    """
    there = F.struct("src", "dst")
    back = F.struct(F.col("dst").alias("src"), F.col("src").alias("dst"))
    rows = edges.select(F.explode(F.array(there, back)).alias("end"), *columns)
    return rows.select("end.src", "end.dst", *columns)


def ends(edges: DataFrame, *columns: str) -> DataFrame:
    """Return the two faces of every edge as rows of `face_id`, after the named other columns; faces come repeatedly."""
    return edges.select(*columns, F.explode(F.array("src", "dst")).alias("face_id"))


def touching(edges: DataFrame, faces: DataFrame) -> DataFrame:
    """Return the edges with an end among `faces` (face_id, few enough to be broadcast), each once."""
    source, target = (F.broadcast(faces.select(F.col("face_id").alias(end))) for end in _ENDS)
    first = edges.join(source, on="src", how="left_semi")
    second = edges.join(source, on="src", how="left_anti").join(target, on="dst", how="left_semi")
    return first.unionByName(second)


def apart(edges: Edges, groups: GroupedFaces, faces: int) -> float | None:
    """Count the neighbours per face that are of another group; None without faces.

    faces: the number of rows of `groups`. An edge to a face that is not there is left out.
    """
    if not faces:
        return None
    few = broadcast_if_few(groups.toDF("face_id", "group"), faces)
    source, target = (few.select(F.col("face_id").alias(end), F.col("group").alias(f"{end}_group")) for end in _ENDS)
    both = edges.join(source, "src", "inner").join(target, "dst", "inner")
    return 2 * both.where(F.col("src_group") != F.col("dst_group")).count() / faces


def face_ids(spark: SparkSession, ids: Iterable[int]) -> DataFrame:
    """Make a frame of one column `face_id` bigint."""
    return spark.createDataFrame([(int(face_id),) for face_id in ids], "face_id bigint")
