"""The cleaned data set: the faces that are wanted, with their vectors, under the label of their identity."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from facesieve.core.errors import InvariantError
from facesieve.core.tables import CLEANED, Cleaned, Embeddings, conform
from facesieve.faces.join_vectors import vectors_of
from facesieve.publish.wanted import Wanted

_FACE = ("image_id", "face_id")
_REQUIRED = ("identity", "label", "face_id", "sha256")
"""Columns without which a row is of no use. (`vector` is not asked: to read it costs more than all others.)"""


def cleaned(wanted: Wanted, embeddings: Embeddings) -> Cleaned:
    """Gather the faces to be published with their vectors, and the SHA-256 of the image that was embedded.

    label numbers the identities from 0: named ones in the order of their UTF-8 bytes, then clusters by falling number
    of images and id. `bytes` is null: whoever publishes bytes fills it.
    """
    labelled = vectors_of(wanted, embeddings, "sha256").join(_labels(wanted), "identity", how="left")
    published = labelled.select(
        "identity", "image_id", "face_id", "uri", "sha256", "vector", F.lit(None).cast("binary").alias("bytes"), "label"
    )
    return Cleaned(conform(published, CLEANED))


def prove_published(wanted: Wanted, cleaned: Cleaned) -> int:
    """Compare `cleaned` with what was to be published, both ways on (image_id, face_id); return its number of rows.

    Raises InvariantError, naming the numbers, unless the faces to be published are exactly those of `cleaned`, each
    once, each under its identity, with label and SHA-256.
    """
    lacking = F.greatest(*(F.col(name).isNull() for name in _REQUIRED))
    expected = wanted.select(*_FACE, "identity", F.lit(True).alias("expected"), F.lit(False).alias("lacking"))
    present = cleaned.select(*_FACE, "identity", F.lit(False).alias("expected"), lacking.alias("lacking"))
    # Both in one grouping: a join would shuffle each of them.
    faces = (
        expected.unionByName(present)
        .groupBy(*_FACE)
        .agg(
            F.count_if("expected").alias("wanted"),
            F.count_if(~F.col("expected")).alias("present"),
            F.count_if("lacking").alias("lacking"),
            F.min(F.when(F.col("expected"), F.col("identity"))).alias("name"),
            F.min(F.when(~F.col("expected"), F.col("identity"))).alias("named"),
        )
    )
    row = faces.agg(
        *(F.coalesce(F.sum(name), F.lit(0)).alias(name) for name in ("wanted", "present", "lacking")),
        F.count_if(F.col("present") == 0).alias("missing"),
        F.count_if(F.col("wanted") == 0).alias("extra"),
        F.count_if(F.greatest("wanted", "present") > 1).alias("repeated"),
        F.count_if(F.col("name") != F.col("named")).alias("misnamed"),
    ).collect()[0]
    if row.missing or row.extra or row.repeated or row.lacking or row.misnamed:
        raise InvariantError(
            f"reconciliation is broken: {row.wanted} faces were decided to be published, cleaned has {row.present}: "
            f"{row.missing} missing, {row.extra} extra, {row.repeated} repeated, {row.lacking} incomplete, "
            f"{row.misnamed} under another name"
        )
    return int(row.present)


def _labels(wanted: Wanted) -> DataFrame:
    """Number the identities. They are as many rows as there are people: a single task can do it."""
    size = F.count_distinct("image_id").alias("size")
    people = wanted.groupBy("identity").agg(size, F.max("cluster").alias("cluster"))
    falling = F.when(F.col("cluster").isNotNull(), -F.col("size"))
    ordered = Window.partitionBy(F.lit(0)).orderBy(falling.asc_nulls_first(), "cluster", "identity")
    return people.select("identity", (F.row_number().over(ordered) - 1).alias("label"))
