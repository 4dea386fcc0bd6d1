"""The cleaned data set: the images that are kept or moved, under the identity and the label they end with."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from facesieve.core.errors import InvariantError
from facesieve.core.reasons import is_published
from facesieve.core.tables import CLEANED, Cleaned, Decisions, Embeddings, Listing, conform
from facesieve.faces.join_vectors import vectors_of

_REQUIRED = ("identity", "label", "face_id", "sha256")
"""Columns without which a row is of no use. (`vector` is not asked: to read it costs more than all others.)"""


_CLUSTER = "cluster-"
"""What the name of a cluster without a name begins with."""


def cleaned(decisions: Decisions, listing: Listing, embeddings: Embeddings) -> Cleaned:
    """Gather the kept and moved images with their face's vector.

    identity is where the image was moved to, else its own, else `cluster-<cluster_id>`. A folder of the input that is
    called so keeps its name, and the cluster's gets a `~`. label numbers the identities from 0: named ones in the order
    of their UTF-8 bytes, then clusters by falling size and id. `bytes` is null: whoever publishes bytes fills it.
    """
    chosen = _with_identity(decisions)
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
    wanted = decisions.where(is_published(F.col("verdict"))).groupBy("image_id").agg(F.count("*").alias("wanted"))
    lacking = F.greatest(*(F.col(name).isNull() for name in _REQUIRED))
    present = cleaned.groupBy("image_id").agg(F.count("*").alias("present"), F.count_if(lacking).alias("lacking"))
    # A full join is the anti-joins both ways in a single pass.
    counted = wanted.join(present, "image_id", how="full").agg(
        F.coalesce(F.sum("wanted"), F.lit(0)).alias("wanted"),
        F.coalesce(F.sum("present"), F.lit(0)).alias("present"),
        F.count_if(F.col("present").isNull()).alias("missing"),
        F.count_if(F.col("wanted").isNull()).alias("extra"),
        F.count_if(F.greatest("wanted", "present") > 1).alias("repeated"),
        F.coalesce(F.sum("lacking"), F.lit(0)).alias("lacking"),
    )
    row = counted.collect()[0]
    if row.missing or row.extra or row.repeated or row.lacking:
        raise InvariantError(
            f"reconciliation is broken: {row.wanted} images were decided to be published, cleaned has {row.present}: "
            f"{row.missing} missing, {row.extra} extra, {row.repeated} repeated, {row.lacking} incomplete"
        )
    return int(row.present)


def _with_identity(decisions: Decisions) -> DataFrame:
    """Return the published images with the identity they end with; `cluster` is the id of a cluster without a name.

    A folder of the input may be called like a cluster:

        identity     moved_to    cluster_id        identity       cluster
        Ann          null                12        Ann            null
        Ann          Bob                 12        Bob            null
        null         null                 7        cluster-7      7
        null         null                12  ->    cluster-12~    12
        null         cluster-7            3        cluster-7      null (one of cluster 7 by the next step)
        cluster-12   null                 4        cluster-12     null
    """
    folders = decisions.where(F.col("identity").startswith(_CLUSTER)).select(
        F.regexp_replace("identity", r"~+\z", "").alias("cluster_name"), F.length("identity").alias("length")
    )
    taken = folders.groupBy("cluster_name").agg(F.expr("max(length - length(cluster_name)) + 1").alias("marks"))
    nameless = F.coalesce("moved_to", "identity").isNull()
    cluster_name = F.when(nameless, F.concat(F.lit(_CLUSTER), F.col("cluster_id").cast("string")))
    chosen = decisions.where(is_published(F.col("verdict"))).withColumn("cluster_name", cluster_name)
    marked = F.expr("concat(cluster_name, repeat('~', coalesce(marks, 0)))")
    named = chosen.join(F.broadcast(taken), "cluster_name", how="left")
    identity, cluster = F.coalesce("moved_to", "identity", marked), F.when(nameless, F.col("cluster_id"))
    return named.withColumns({"identity": identity, "cluster": cluster})


def _labels(images: DataFrame) -> DataFrame:
    """Number the identities. They are as many rows as there are people: a single task can do it."""
    people = images.groupBy("identity").agg(F.count("*").alias("size"), F.max("cluster").alias("cluster"))
    falling = F.when(F.col("cluster").isNotNull(), -F.col("size"))
    ordered = Window.partitionBy(F.lit(0)).orderBy(falling.asc_nulls_first(), "cluster", "identity")
    return people.select("identity", (F.row_number().over(ordered) - 1).alias("label"))
