"""False matches that came true, counted by hand."""

from __future__ import annotations

from pyspark.sql import SparkSession

from facesieve.cluster.facts import doubtful, false_matches
from facesieve.core.tables import EDGES, Clusters, Edges


def test_both_ends_of_an_edge_between_clusters_have_a_false_match(spark: SparkSession) -> None:
    pairs = [(1, 2), (1, 3), (2, 3), (3, 4), (-5, 4)]
    edges = spark.createDataFrame([("global", a, b, 0.5, None) for a, b in pairs], EDGES.columns)
    clusters = spark.createDataFrame([(1, 1), (2, 1), (3, 3), (4, 3), (-5, -5)], "face_id bigint, cluster_id bigint")
    assert false_matches(Edges(edges), Clusters(clusters), 5) == 2 * 3 / 5
    assert false_matches(Edges(edges.limit(0)), Clusters(clusters), 5) == 0
    assert false_matches(Edges(edges.limit(0)), Clusters(clusters.limit(0)), 0) is None


def test_clusters_of_low_stability_and_of_low_cohesion_are_counted(spark: SparkSession) -> None:
    rows = [
        # A mean of 0.89, and one of 0.9; who was attached says nothing of the vote.
        *[(1, stability, 0.7, False) for stability in (1.0, 0.78)],
        *[(2, stability, 0.7, False) for stability in (1.0, 0.8)],
        (2, 0.0, 0.7, True),
        # Of low cohesion, and of both.
        (3, 1.0, 0.59, False),
        (4, 0.5, 0.1, False),
        (5, 1.0, 0.6, False),
    ]
    clusters = spark.createDataFrame(rows, "cluster_id bigint, stability float, cohesion float, attached boolean")
    assert doubtful(Clusters(clusters), 0.6) == (2, 2)
    assert doubtful(Clusters(clusters.limit(0)), 0.6) == (0, 0)
