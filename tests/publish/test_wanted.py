"""Which faces are to be published, and the identity that each ends with."""

from __future__ import annotations

from publishing import DecidedRow, decisions
from pyspark.sql import SparkSession

from facesieve.publish.per_face import NAMELESS_FACES, NamelessFaces
from facesieve.publish.wanted import WANTED, wanted


def test_kept_and_moved_images_are_wanted(spark: SparkSession) -> None:
    verdicts = ("keep", "move", "drop", "quarantine", "fail")
    faces = wanted(decisions(spark, *(("Ann", verdict, None, 7) for verdict in verdicts)))
    assert {field.name: field.dataType for field in faces.schema} == {each.name: each.dataType for each in WANTED}
    assert {row.image_id for row in faces.collect()} == {0, 1}


def test_a_folder_that_is_called_like_a_cluster_keeps_its_name_and_is_not_taken_for_it(spark: SparkSession) -> None:
    """The example of `wanted`; a target that is no folder of the input is the cluster that bears the name."""
    rows: list[DecidedRow] = [("Ann", "keep", None, 12), ("Ann", "move", "Bob", 12), (None, "keep", None, 7)]
    rows += [(None, "keep", None, 12), ("Ann", "move", "cluster-7", 3), ("cluster-12", "keep", None, 4)]
    faces = wanted(decisions(spark, *rows, ("cluster-12~~x", "keep", None, 4)))
    names = {row.image_id: (row.identity, row.cluster) for row in faces.collect()}
    assert [names[image] for image in range(7)] == [
        ("Ann", None),
        ("Bob", None),
        ("cluster-7", 7),
        ("cluster-12~", 12),
        ("cluster-7", None),
        ("cluster-12", None),
        ("cluster-12~~x", None),
    ]
    rows = [(None, "keep", None, 12), ("cluster-12", "drop", None, 12), ("cluster-12~", "keep", None, 12)]
    faces = wanted(decisions(spark, *rows))
    assert {row.image_id: row.identity for row in faces.collect()} == {0: "cluster-12~~", 2: "cluster-12~"}


def test_further_faces_are_wanted_under_their_clusters_and_none_twice(spark: SparkSession) -> None:
    """Image 0 is kept by face 100, image 1 is quarantined; cluster 8 bears the name of a folder."""
    decided = decisions(spark, (None, "keep", None, 7), (None, "quarantine", None, 9), ("cluster-8", "keep", None, 8))
    rows = [(0, 100, "0.jpg", 7), (0, 200, "0.jpg", 8), (1, 201, "1.jpg", 8)]
    faces = wanted(decided, NamelessFaces(spark.createDataFrame(rows, NAMELESS_FACES)))
    assert sorted(tuple(row) for row in faces.collect()) == [
        (0, 100, "0.jpg", "cluster-7", 7),
        (0, 200, "0.jpg", "cluster-8~", 8),
        (1, 201, "1.jpg", "cluster-8~", 8),
        (2, 102, "2.jpg", "cluster-8", None),
    ]
