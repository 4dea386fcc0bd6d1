"""Clusters of folders are counted, and each policy has its objections."""

from __future__ import annotations

from typing import Any

import pytest
from deciding import rows_of
from pyspark.sql import SparkSession
from pyspark.sql import types as T

from facesieve.core.sections import Decide
from facesieve.core.tables import CLUSTERS, Clusters
from facesieve.decide.eligibility import ELIGIBLE, EligibleFaces
from facesieve.decide.keep_policy import FOLDER_FACES, POLICIES, FolderFaces, approves, in_folders, objections

SETTINGS = Decide(min_faces=2, close_share=0.5)


def test_only_images_that_count_make_a_cluster_large(spark: SparkSession) -> None:
    """Of ann cluster 1 has images 1 and 2 (3 does not count, 2 has two faces in it), cluster 2 has image 4."""
    faces = [(1, 1, True), (2, 2, True), (3, 2, True), (4, 3, False), (5, 4, True)]
    rows = [{"face_id": face, "image_id": image, "identity": "ann", "counted": counts} for face, image, counts in faces]
    rows.append({"face_id": 6, "image_id": 5, "leading": True, "counted": True})
    cluster_of = {1: 1, 2: 1, 3: 1, 4: 1, 5: 2}
    members = [{"scope": "identity", "face_id": face, "cluster_id": cluster} for face, cluster in cluster_of.items()]
    members += [{"scope": "global", "face_id": face, "cluster_id": 9} for face in (1, 6)]
    eligible = EligibleFaces(rows_of(spark, ELIGIBLE, rows))
    folders = in_folders(eligible, Clusters(rows_of(spark, CLUSTERS.columns, members)), SETTINGS, "both")
    assert folders.columns == FOLDER_FACES.names
    assert {field.name: field.dataType for field in folders.schema} == {f.name: f.dataType for f in FOLDER_FACES}
    ann = {row.face_id: row for row in folders.where("identity = 'ann'").collect()}
    assert {face: (row.size, row.main, row.mode) for face, row in ann.items()} == {
        **dict.fromkeys((1, 2, 3, 4), (2, True, True)),
        5: (1, False, False),
    }
    assert {(row.largest, row.runner_up, row.folder_size) for row in ann.values()} == {(2, 1, 3)}
    nameless = folders.where("face_id = 6").collect()[0]
    assert (nameless.cluster_scope, nameless.cluster_id, nameless.global_size, nameless.share) == ("global", 9, 2, None)


FOLDER: dict[str, Any] = {"identity": "ann", "cluster_id": 1, "largest": 4, "size": 4, "runner_up": 0, "mode": True}


@pytest.mark.parametrize("policy", POLICIES)
def test_each_policy_has_its_objections(spark: SparkSession, policy: str) -> None:
    cases: list[tuple[dict[str, Any], dict[str, str]]] = [
        (FOLDER, {}),
        (FOLDER | {"cluster_id": None}, dict.fromkeys(POLICIES, "unclustered")),
        ({"cluster_id": 1, "global_size": 1}, dict.fromkeys(POLICIES, "unclustered")),
        ({"cluster_id": 1, "global_size": 2}, {}),
        (FOLDER | {"largest": 1, "size": 1, "mode": False, "near": False}, dict.fromkeys(POLICIES, "too_small")),
        (FOLDER | {"size": 1, "mode": False}, dict.fromkeys(POLICIES, "outlier")),
        (FOLDER | {"runner_up": 2}, {"largest": "close_modes"}),
        (FOLDER | {"near": False, "size": 1}, {"largest": "outlier", "medoid": "outlier"}),
    ]
    columns = T.StructType([*FOLDER_FACES, T.StructField("near", T.BooleanType())])
    faces = FolderFaces(rows_of(spark, columns, [{"near": True} | row for row, _ in cases]))
    terms = objections(policy, SETTINGS)
    rows = faces.select(*(term.alias(name) for name, term in terms.items()), approves(terms.values()).alias("approved"))
    first = [next((name for name in terms if row[name]), None) for row in rows.collect()]
    assert first == [expected.get(policy) for _, expected in cases]
    assert [row.approved for row in rows.collect()] == [name is None for name in first]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_small_folder_may_be_judged_like_a_large_one(spark: SparkSession, policy: str) -> None:
    """Of two images its largest cluster is kept, however small, and what is not in it is an outlier."""
    small = FOLDER | {"largest": 3, "size": 3, "mode": False, "main": True, "near": True}
    cases: list[tuple[dict[str, Any], str | None]] = [
        (small, None),
        (small | {"size": 1, "main": False, "near": False, "cluster_id": 2}, "outlier"),
        (small | {"identity": None, "global_size": 3}, "unclustered"),
    ]
    columns = T.StructType([*FOLDER_FACES, T.StructField("near", T.BooleanType())])
    faces = FolderFaces(rows_of(spark, columns, [row for row, _ in cases]))
    terms = objections(policy, Decide(min_faces=5, small_folders="keep"))
    rows = faces.select(*(term.alias(name) for name, term in terms.items())).collect()
    assert [next((name for name in terms if row[name]), None) for row in rows] == [expected for _, expected in cases]
