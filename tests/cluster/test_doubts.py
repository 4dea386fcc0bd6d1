"""Doubtful clusters: counted, and queued for a person with the most doubtful ones first."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from facesieve.cluster.doubts import QUEUE, doubts
from facesieve.core.tables import Clusters

Row = tuple[int, float | None, float, bool]

ROWS: list[Row] = [
    # Of low stability at a mean of 0.89, and not at 0.9; who was attached says nothing of the vote.
    *[(1, stability, 0.7, False) for stability in (1.0, 0.78)],
    *[(2, stability, 0.7, False) for stability in (1.0, 0.8)],
    (2, 0.0, 0.7, True),
    # Of low cohesion, of both, and of neither, with a cohesion of the link cosine itself.
    (3, 1.0, 0.59, False),
    (4, 0.5, 0.1, False),
    (5, 1.0, 0.6, False),
    # As stable as cluster 4, and more cohesive.
    *[(6, stability, 0.8, False) for stability in (0.25, 0.75)],
]


def _clusters(spark: SparkSession, rows: list[Row]) -> Clusters:
    schema = "cluster_id bigint, stability float, cohesion float, attached boolean"
    return Clusters(spark.createDataFrame(rows, schema).repartition(2))


def test_clusters_of_low_stability_and_of_low_cohesion_are_counted(spark: SparkSession) -> None:
    assert doubts(_clusters(spark, ROWS), 0.6)[:2] == (3, 2)


def test_the_least_stable_come_first_then_the_least_cohesive(spark: SparkSession) -> None:
    queue = doubts(_clusters(spark, ROWS), 0.6).look_first
    assert [each.cluster_id for each in queue] == [4, 6, 1, 2, 3]
    assert [each.faces for each in queue] == [1, 2, 2, 3, 1]
    assert [each.stability for each in queue] == pytest.approx([0.5, 0.5, 0.89, 0.9, 1.0])
    assert [each.cohesion for each in queue] == pytest.approx([0.1, 0.8, 0.7, 0.7, 0.59])


def test_nobody_is_queued_where_every_coin_agrees(spark: SparkSession) -> None:
    agreed: list[Row] = [*((cluster, 1.0, 0.7, False) for cluster in (1, 1, 2)), (2, 0.0, 0.7, True)]
    assert doubts(_clusters(spark, agreed), 0.6) == (0, 0, (), 2, 2, 4)
    assert doubts(Clusters(_clusters(spark, agreed).limit(0)), 0.6) == (0, 0, (), 0, 0, 0)


def test_clusters_of_before_there_was_stability_are_judged_by_cohesion(spark: SparkSession) -> None:
    old: list[Row] = [(1, None, 0.7, False), (2, None, 0.5, False)]
    assert [each.cluster_id for each in doubts(_clusters(spark, old), 0.6).look_first] == [2]


def test_the_queue_is_short_and_equal_doubts_are_queued_by_id(spark: SparkSession) -> None:
    many: list[Row] = [(cluster, 0.5, 0.7, False) for cluster in range(QUEUE + 5, -5, -1)]
    queue = doubts(_clusters(spark, many), 0.6).look_first
    assert [each.cluster_id for each in queue] == list(range(-4, QUEUE - 4))
