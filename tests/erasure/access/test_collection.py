"""The rows of a person, and of nobody else."""

from __future__ import annotations

import erasable
from pyspark.sql import SparkSession
from small_lake import small_lake

from facesieve.core import tables
from facesieve.erasure.access.collection import collect
from facesieve.erasure.selection import of_images
from facesieve.lake.catalog import Lake

FROM = erasable.FROM


def test_rows_come_by_image_and_clusters_by_face(lapsed_lake: Lake) -> None:
    collected = collect(lapsed_lake, of_images(lapsed_lake, (FROM + 2, FROM + 7, FROM + 8)))
    assert {erasable.small(image) for image in collected.rows["embeddings"]} == {2, 8}
    assert [row.reason for row in collected.of(tables.REJECTS, FROM + 7)] == ["no_face"]
    assert collected.of(tables.REJECTS, FROM + 2) == ()
    assert {erasable.small(face) for face in collected.clusters} == {102, 108}
    assert collected.own == {("global", FROM + 102): 1, ("global", FROM + 103): 1}
    assert collected.linked == (1, 1)
    assert {erasable.small(image): names for image, names in collected.named.items()} == {
        **{2: ["ann"], 7: ["dan"], 8: ["ann"]}
    }, "7 is gone, and a former listing tells its name"


def test_a_cluster_is_mostly_of_the_name_that_more_than_half_of_its_faces_are_under(spark: SparkSession) -> None:
    lake = small_lake(spark)
    erasable.put(spark, lake, tables.LISTING, [erasable.image(number) for number in (2, 3, 4, 5)])
    erasable.put(spark, lake, tables.EMBEDDINGS, [erasable.face(number) for number in (2, 3, 4, 5)])
    members = [erasable.member("global", number, 102) for number in (2, 3, 5)]
    even = [erasable.member("identity", number, 104) | {"cluster_size": 2} for number in (2, 4)]
    erasable.put(spark, lake, tables.CLUSTERS, members + even)
    assert collect(lake, of_images(lake, (FROM + 2,))).mostly == {("global", FROM + 102): "bob"}
