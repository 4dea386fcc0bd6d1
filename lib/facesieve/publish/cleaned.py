"""The cleaned data set: the faces that are wanted, with their vectors, under the label of their identity."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from facesieve.core.errors import InvariantError
from facesieve.core.tables import CLEANED, Cleaned, Embeddings, Listing, conform
from facesieve.faces.join_vectors import vectors_of
from facesieve.publish.wanted import Wanted

_REQUIRED = ("identity", "label", "face_id", "sha256")
"""Columns without which a row is of no use. (`vector` is not asked: to read it costs more than all others.)"""


def cleaned(wanted: Wanted, listing: Listing, embeddings: Embeddings) -> Cleaned:
    """Gather the faces to be published with their vectors.

    label numbers the identities from 0: named ones in the order of their UTF-8 bytes, then clusters by falling number
    of images and id. `bytes` is null: whoever publishes bytes fills it.
    """
    contents = listing.select("image_id", "sha256")
    rows = vectors_of(wanted.join(contents, "image_id", how="left"), embeddings)
    labelled = rows.join(_labels(wanted), "identity", how="left")
    published = labelled.select(
        "identity", "image_id", "face_id", "uri", "sha256", "vector", F.lit(None).cast("binary").alias("bytes"), "label"
    )
    return Cleaned(conform(published, CLEANED))


def prove_published(wanted: Wanted, cleaned: Cleaned) -> int:
    """Compare `cleaned` with what was to be published, both ways on (image_id, face_id); return its number of rows.

    Raises InvariantError, naming the numbers, unless the faces to be published are exactly those of `cleaned`, each
    once, each under its identity, with label and SHA-256.
    """
    face = ["image_id", "face_id"]
    expected = wanted.groupBy(*face).agg(F.count("*").alias("wanted"), F.min("identity").alias("name"))
    lacking = F.greatest(*(F.col(name).isNull() for name in _REQUIRED))
    counts = F.count("*").alias("present"), F.count_if(lacking).alias("lacking"), F.min("identity").alias("named")
    # A full join is the anti-joins both ways in a single pass.
    counted = expected.join(cleaned.groupBy(*face).agg(*counts), face, how="full").agg(
        F.coalesce(F.sum("wanted"), F.lit(0)).alias("wanted"),
        F.coalesce(F.sum("present"), F.lit(0)).alias("present"),
        F.count_if(F.col("present").isNull()).alias("missing"),
        F.count_if(F.col("wanted").isNull()).alias("extra"),
        F.count_if(F.greatest("wanted", "present") > 1).alias("repeated"),
        F.coalesce(F.sum("lacking"), F.lit(0)).alias("lacking"),
        F.count_if(F.col("name") != F.col("named")).alias("misnamed"),
    )
    row = counted.collect()[0]
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
