"""Frames of edges against sets of pairs."""

from __future__ import annotations

from pyspark.sql import SparkSession

from facesieve.core.tables import Edges
from facesieve.faces.edge_frames import GroupedFaces, apart, both_directions, ends, face_ids, touching

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


def test_neighbours_of_another_group_per_face(spark: SparkSession) -> None:
    edges = Edges(spark.createDataFrame(PAIRS, SCHEMA))
    people = [(1, "a"), (2, "a"), (3, "b"), (4, "c")]
    groups = GroupedFaces(spark.createDataFrame(people, "face_id bigint, person string"))
    assert apart(edges, groups, 4) == 2 * 1 / 4, "one edge joins a and b; 5 has no group"
    assert apart(edges, groups, 0) is None
