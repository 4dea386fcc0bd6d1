"""The cleaned data set: the images that are kept or moved, under the identity and the label they end with."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from facesieve.core.errors import InvariantError
from facesieve.core.reasons import PUBLISHED
from facesieve.core.tables import CLEANED, Cleaned, Decisions, Embeddings, Listing, conform
from facesieve.faces.join_vectors import vectors_of

_REQUIRED = ("identity", "label", "face_id", "sha256")
"""Columns without which a row is of no use. (`vector` is not asked: to read it costs more than all others.)"""


def cleaned(decisions: Decisions, listing: Listing, embeddings: Embeddings) -> Cleaned:
    """Gather the kept and moved images with their face's vector.

    identity is where the image was moved to, else its own, else `cluster-<cluster_id>`. label numbers the identities
    from 0: named ones in the order of their UTF-8 bytes, then clusters by falling size and id. `bytes` is null:
    whoever publishes bytes fills it.
    """
    chosen = decisions.where(F.col("verdict").isin(*PUBLISHED)).withColumn("identity", _identity())
    contents = listing.select("image_id", "sha256")
    rows = vectors_of(chosen.join(contents, "image_id", how="left"), embeddings)
    labelled = rows.join(_labels(chosen), "identity", how="left")
    published = labelled.select(
        "identity", "image_id", "face_id", "uri", "sha256", "vector", F.lit(None).cast("binary").alias("bytes"), "label"
    )
    return Cleaned(conform(published, CLEANED))


def prove_published(decisions: Decisions, cleaned: Cleaned) -> int:
    """Compare `cleaned` with the decisions it was made from, both ways on image_id; return its number of rows.

    Raises InvariantError, naming the numbers, unless the images decided `keep` or `move` are exactly those of
    `cleaned`, each once, each with identity, label, face and SHA-256.
    """
    wanted = decisions.where(F.col("verdict").isin(*PUBLISHED)).groupBy("image_id").agg(F.count("*").alias("wanted"))
    lacking = F.greatest(*(F.col(name).isNull() for name in _REQUIRED))
    found = cleaned.groupBy("image_id").agg(F.count("*").alias("found"), F.count_if(lacking).alias("lacking"))
    # A full join is the anti-joins both ways in one pass.
    counted = wanted.join(found, "image_id", how="full").agg(
        F.coalesce(F.sum("wanted"), F.lit(0)).alias("wanted"),
        F.coalesce(F.sum("found"), F.lit(0)).alias("found"),
        F.count_if(F.col("found").isNull()).alias("missing"),
        F.count_if(F.col("wanted").isNull()).alias("extra"),
        F.count_if(F.greatest("wanted", "found") > 1).alias("repeated"),
        F.coalesce(F.sum("lacking"), F.lit(0)).alias("lacking"),
    )
    row = counted.collect()[0]
    if row.missing or row.extra or row.repeated or row.lacking:
        raise InvariantError(
            f"conservation is broken: {row.wanted} images were decided to be published, cleaned has {row.found}: "
            f"{row.missing} missing, {row.extra} extra, {row.repeated} repeated, {row.lacking} incomplete"
        )
    return int(row.found)


def _identity() -> Column:
    cluster = F.concat(F.lit("cluster-"), F.col("cluster_id").cast("string"))
    return F.coalesce("moved_to", "identity", cluster)


def _labels(images: DataFrame) -> DataFrame:
    """Number the identities. They are as many rows as there are people: one task can do it."""
    sizes = images.groupBy("identity").agg(F.count("*").alias("size"))
    cluster = F.expr("try_cast(regexp_extract(identity, '^cluster-(-?[0-9]+)$', 1) AS bigint)")
    falling = F.when(cluster.isNotNull(), -F.col("size"))
    ordered = Window.partitionBy(F.lit(0)).orderBy(falling.asc_nulls_first(), cluster, "identity")
    return sizes.select("identity", (F.row_number().over(ordered) - 1).alias("label"))
