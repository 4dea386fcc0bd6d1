"""Frames of edges against sets of pairs."""

from __future__ import annotations

from pyspark.sql import SparkSession

from facesieve.faces.edge_frames import both_directions, ends, face_ids, touching

PAIRS = [(1, 2, 0.7), (2, 3, 0.8), (4, 5, 0.9)]
SCHEMA = "src bigint, dst bigint, cosine double"


def test_both_directions_of_every_edge(spark: SparkSession) -> None:
    rows = both_directions(spark.createDataFrame(PAIRS, SCHEMA), "cosine").collect()
    assert sorted(map(tuple, rows)) == sorted(PAIRS + [(dst, src, cosine) for src, dst, cosine in PAIRS])


def test_ends_of_every_edge(spark: SparkSession) -> None:
    rows = ends(spark.createDataFrame(PAIRS, SCHEMA), "cosine").collect()
    assert sorted(map(tuple, rows)) == sorted((c, face) for src, dst, c in PAIRS for face in (src, dst))


def test_edges_that_touch_a_face_come_once(spark: SparkSession) -> None:
    edges = spark.createDataFrame(PAIRS, SCHEMA)
    assert sorted(map(tuple, touching(edges, face_ids(spark, [1, 2])).collect())) == PAIRS[:2]
    assert touching(edges, face_ids(spark, [])).collect() == []
