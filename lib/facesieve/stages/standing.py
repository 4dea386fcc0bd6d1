"""What is known of each image before its cluster is asked: whether it failed, and which of its copies counts.

The first three rules in order of precedence:

- An image with a row in `rejects`, or without any face, fails.
- Equal bytes under two identities: all copies that did not fail are in doubt, also those without an identity.
- Otherwise, of equal bytes the copy with the smallest uri (as UTF-8 bytes) counts and the others are its duplicates.
  No identity is not an identity: a copy outside all folders and one inside a folder are duplicates like any other.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from facesieve.reasons import Reason
from facesieve.tables import Embeddings, Listing, Rejects


def standing(listing: Listing, rejects: Rejects, embeddings: Embeddings) -> DataFrame:
    """Return one row per face of an image that did not fail, and one row for every image that failed.

    Columns: image_id, uri, identity, face_id (null: failed), face_rank, leading (the image's smallest rank), doubts
    (the face's reasons), reason (null: the image is up for decision), keeper (the copy that counts).
    """
    content = Window.partitionBy(F.coalesce("sha256", F.col("image_id").cast("string")))
    alive = F.col("failure").isNull()
    copy = F.struct("uri", "image_id")
    known = _with_failures(listing, rejects, _faces(embeddings)).select(
        "*",
        F.min(F.when(alive, copy)).over(content).getField("image_id").alias("keeper"),
        F.min(F.when(alive, F.col("identity"))).over(content).alias("one"),
        F.max(F.when(alive, F.col("identity"))).over(content).alias("other"),
    )
    return known.select(
        "image_id", "uri", "identity", "face_id", "face_rank", "leading", "doubts", _reason().alias("reason"), "keeper"
    )


def _faces(embeddings: Embeddings) -> DataFrame:
    image = Window.partitionBy("image_id")
    leading = F.col("face_rank") == F.min("face_rank").over(image)
    return embeddings.select(
        "image_id", "face_id", "face_rank", leading.alias("leading"), F.col("reasons").alias("doubts")
    )


def _with_failures(listing: Listing, rejects: Rejects, faces: DataFrame) -> DataFrame:
    rejected = rejects.groupBy("image_id").agg(F.min("reason").alias("rejected"))
    images = listing.join(rejected, "image_id", how="left")
    same_image = images["image_id"] == faces["image_id"]
    joined = images.join(faces, same_image & images["rejected"].isNull(), how="left").drop(faces["image_id"])
    # An image that could not be read when it was to be embedded is in neither table: the next run tries it again.
    unread = F.when(F.col("face_id").isNull(), Reason.UNDECODABLE.value)
    return joined.withColumn("failure", F.coalesce("rejected", unread))


def _reason() -> Column:
    two_identities = F.col("one") != F.col("other")
    duplicate = F.col("keeper") != F.col("image_id")
    return F.coalesce(
        "failure",
        F.when(two_identities, Reason.TWO_IDENTITIES.value),
        F.when(duplicate, Reason.DUPLICATE.value),
    )
