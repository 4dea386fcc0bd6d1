"""False matches that came true, counted by hand."""

from __future__ import annotations

from pyspark.sql import SparkSession

from facesieve.cluster.facts import false_matches
from facesieve.core.tables import EDGES, Clusters, Edges


def test_both_ends_of_an_edge_between_clusters_have_a_false_match(spark: SparkSession) -> None:
    pairs = [(1, 2), (1, 3), (2, 3), (3, 4), (-5, 4)]
    edges = spark.createDataFrame([("global", a, b, 0.5, None) for a, b in pairs], EDGES.columns)
    clusters = spark.createDataFrame([(1, 1), (2, 1), (3, 3), (4, 3), (-5, -5)], "face_id bigint, cluster_id bigint")
    assert false_matches(Edges(edges), Clusters(clusters), 5) == 2 * 3 / 5
    assert false_matches(Edges(edges.limit(0)), Clusters(clusters), 5) == 0
    assert false_matches(Edges(edges.limit(0)), Clusters(clusters.limit(0)), 0) is None
