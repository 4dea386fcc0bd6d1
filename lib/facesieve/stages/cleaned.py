"""The cleaned data set: the images that are kept or moved, under the identity they end with."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from facesieve.reasons import PUBLISHED
from facesieve.tables import CLEANED, Cleaned, Decisions, Embeddings, Listing, conform


def cleaned(decisions: Decisions, listing: Listing, embeddings: Embeddings) -> Cleaned:
    """Gather the kept and moved images with their face's vector.

    identity is where the image was moved to, else its own, else `cluster-<cluster_id>`. `bytes` is null: whoever
    publishes bytes fills it.
    """
    chosen = decisions.where(F.col("verdict").isin(*PUBLISHED))
    contents = listing.select("image_id", "sha256")
    vectors = embeddings.select("face_id", "vector")
    rows = chosen.join(contents, "image_id", how="left").join(vectors, "face_id", how="left")
    bytes_later = F.lit(None).cast("binary").alias("bytes")
    published = rows.select(
        _identity().alias("identity"), "image_id", "face_id", "uri", "sha256", "vector", bytes_later
    )
    return Cleaned(conform(published, CLEANED))


def _identity() -> Column:
    cluster = F.concat(F.lit("cluster-"), F.col("cluster_id").cast("string"))
    return F.coalesce("moved_to", "identity", cluster)
