"""What is published, under which identity and label, and the proof that it is what was decided."""

from __future__ import annotations

import pytest
from publishing import DecidedRow, decisions
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from facesieve.core.errors import InvariantError
from facesieve.core.tables import CLEANED, Cleaned, Decisions, Embeddings
from facesieve.publish.cleaned import cleaned, prove_published
from facesieve.publish.wanted import WANTED, Wanted, wanted


def _cleaned(spark: SparkSession, decisions: Decisions) -> Cleaned:
    sha256 = F.concat(F.lit("sha of "), "image_id").alias("sha256")
    embeddings = decisions.select("face_id", F.array(F.col("face_id").cast("float")).alias("vector"), sha256)
    other_faces = embeddings.select((F.col("face_id") + 1_000_000).alias("face_id"), "vector", "sha256")
    return cleaned(wanted(decisions), Embeddings(embeddings.unionByName(other_faces)))


def test_kept_and_moved_images_with_the_identity_they_end_with(spark: SparkSession) -> None:
    rows = [
        ("Ann", "keep", None, 7),
        (None, "keep", None, -7),
        ("Ann", "move", "Bob", 8),
        ("Ann", "drop", None, 8),
        (None, "quarantine", None, 9),
        (None, "fail", None, 9),
    ]
    table = _cleaned(spark, decisions(spark, *rows))
    assert table.schema == CLEANED.columns
    published = {(*row[:5], tuple(row.vector), row.bytes, row.label) for row in table.collect()}
    assert published == {
        ("Ann", 0, 100, "0.jpg", "sha of 0", (100.0,), None, 0),
        ("cluster--7", 1, 101, "1.jpg", "sha of 1", (101.0,), None, 2),
        ("Bob", 2, 102, "2.jpg", "sha of 2", (102.0,), None, 1),
    }


def test_labels_number_names_by_their_bytes_then_clusters_by_falling_size_and_id(spark: SparkSession) -> None:
    rows: list[DecidedRow] = [
        ("Zoe", "keep", None, 1),
        ("ann", "keep", None, 1),
        ("Zoe", "move", "Änne", 1),
        ("Z", "drop", None, 1),
    ]
    rows += [(None, "keep", None, cluster) for cluster in (10, -9, -9, 9)]
    rows += [("Zoe", "move", "cluster-x", 3), ("Zoe", "move", "cluster-99999999999999999999", 3)]
    labels = {(row.label, row.identity) for row in _cleaned(spark, decisions(spark, *rows)).collect()}
    named = ["Zoe", "ann", "cluster-99999999999999999999", "cluster-x", "Änne"]
    assert labels == set(enumerate([*named, "cluster--9", "cluster-9", "cluster-10"]))


def test_as_many_identities_as_people_are_numbered(spark: SparkSession) -> None:
    many = spark.range(3_000).selectExpr(
        *("id AS image_id", "'u' AS uri", "concat('p', id) AS identity", "'keep' AS verdict"),
        *("CAST(NULL AS string) AS moved_to", "id AS face_id", "1L AS cluster_id"),
    )
    table = _cleaned(spark, Decisions(many))
    ordered = [row.identity for row in table.orderBy("label").select("identity").collect()]
    assert ordered == sorted(f"p{number}" for number in range(3_000))
    assert table.agg(F.min("label"), F.max("label")).collect()[0] == (0, 2_999)


def _of(spark: SparkSession) -> tuple[Wanted, Cleaned]:
    decided = decisions(spark, ("A", "keep", None, 1), ("A", "move", "B", 1), ("A", "drop", None, 1))
    return wanted(decided), Cleaned(_cleaned(spark, decided).cache())


def test_what_is_published_is_what_was_decided(spark: SparkSession) -> None:
    faces, table = _of(spark)
    assert prove_published(faces, table) == 2
    assert prove_published(Wanted(faces.where("false")), Cleaned(table.where("false"))) == 0
    for altered, problem in (
        (table.where("image_id = 0"), "cleaned has 1: 1 missing, 0 extra, 0 repeated, 0 incomplete"),
        (table.withColumn("image_id", F.expr("image_id + 1")), "2 missing, 2 extra, 0 repeated, 0 incomplete"),
        (table.withColumn("face_id", F.expr("face_id + 1")), "2 missing, 2 extra, 0 repeated, 0 incomplete"),
        (table.unionByName(table.where("image_id = 1")), "cleaned has 3: 0 missing, 0 extra, 1 repeated, 0 incomplete"),
        (table.withColumn("sha256", F.expr("if(image_id = 1, NULL, sha256)")), "0 repeated, 1 incomplete"),
        (table.withColumn("identity", F.lit("A")), "0 incomplete, 1 under another name"),
    ):
        with pytest.raises(InvariantError, match=f"2 faces were decided to be published, .*{problem}"):
            prove_published(faces, Cleaned(altered))
    with pytest.raises(InvariantError, match=r"3 faces were decided to be published, .* 1 repeated"):
        prove_published(Wanted(faces.union(faces.where("image_id = 0"))), table)


def test_each_face_of_an_image_is_proven(spark: SparkSession) -> None:
    """Image 0 is published for two people: a row that is lost for one of them is missing."""
    faces, table = _of(spark)
    other = (0, 1_000_100, "0.jpg", "cluster-9", 9)
    both = Wanted(faces.unionByName(spark.createDataFrame([other], WANTED)))
    with pytest.raises(InvariantError, match=r"3 faces were decided .* cleaned has 2: 1 missing, 0 extra, 0 repeated"):
        prove_published(both, table)
    row = F.lit(other[1]).alias("face_id"), F.lit(other[3]).alias("identity")
    rest = [name for name in CLEANED.columns.names if name not in ("face_id", "identity")]
    second = table.where("image_id = 0").select(*row, *rest)
    assert prove_published(both, Cleaned(table.unionByName(second))) == 3


def test_a_label_counts_images_not_faces(spark: SparkSession) -> None:
    """cluster-2 has two images with a face each, cluster-1 three faces on one image."""
    rows = [(1, face, "1.jpg", "cluster-1", 1) for face in (11, 12, 13)]
    rows += [(image, 10 * image, f"{image}.jpg", "cluster-2", 2) for image in (2, 3)]
    faces = Wanted(spark.createDataFrame(rows, WANTED))
    vector = F.array(F.lit(1.0).cast("float")).alias("vector")
    embeddings = Embeddings(faces.select("face_id", vector, F.lit("sha").alias("sha256")))
    labels = {row.identity: row.label for row in cleaned(faces, embeddings).collect()}
    assert labels == {"cluster-2": 0, "cluster-1": 1}
