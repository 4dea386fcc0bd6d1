"""Which clusters get another id."""

from __future__ import annotations

import erasable
from pyspark.sql import SparkSession

from facesieve.cluster.frames import FaceVectors
from facesieve.core import tables
from facesieve.core.ids import digest_id
from facesieve.erasure.clusters import renames, without_faces

FROM = erasable.FROM


def test_a_cluster_named_by_an_erased_face_gets_an_id_that_was_never_borne(spark: SparkSession) -> None:
    lake = erasable.erasable_lake(spark, tables.CLUSTERS)
    assert renames(lake, (FROM + 101, FROM + 106)) == (("global", FROM + 101, FROM + 103),)
    erasable.put(spark, lake, tables.CLUSTER_IDS, [{"scope": "global", "cluster_id": FROM + 103}])
    assert renames(lake, (FROM + 101,)) == (("global", FROM + 101, digest_id("global", str(FROM + 103), "1")),)
    assert renames(lake, ()) == ()


def test_a_cluster_that_loses_nobody_stays_as_it_is(spark: SparkSession) -> None:
    rows = [tuple(row.get(name) for name in tables.CLUSTERS.columns.names) for row in erasable.ROWS[tables.CLUSTERS]]
    clusters = tables.Clusters(spark.createDataFrame(rows, tables.CLUSTERS.columns))
    vectors = spark.createDataFrame([], "face_id bigint, vector array<float>")
    assert sorted(without_faces(clusters, FaceVectors(vectors), (999,)).collect()) == sorted(clusters.collect())
