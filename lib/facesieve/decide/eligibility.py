"""What is known of each image before its cluster is asked: whether it failed, and which of its copies counts.

The first rules in order of precedence:

- An image with a row in `rejects`, or without any face, fails.
- A person's verdict stands beside what follows, which says what the rules would have made of the image.
- An image of a protected person is an overlap.
- Equal bytes under two identities: all copies that are up for decision are in doubt, also those without an identity.
- Otherwise, of equal bytes the copy with the smallest uri (as UTF-8 bytes) counts and the others are its duplicates.
  No identity is not an identity: a copy outside all folders and one inside a folder are duplicates like any other.
- Of near duplicates, the best image counts.

A person settles copies too: one that is kept or moved by hand is the one that counts, whatever the identities; one
that is dropped or set aside by hand is no copy of anything.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from facesieve.core import config
from facesieve.core.reasons import PUBLISHED, Reason, Verdict
from facesieve.core.tables import Edges, Embeddings, Listing, Rejects
from facesieve.decide.checkpointed import fixed
from facesieve.decide.near_duplicates import near_duplicates
from facesieve.decide.quality import doubts
from facesieve.decide.side_columns import Asides


def standing(
    listing: Listing,
    rejects: Rejects,
    embeddings: Embeddings,
    edges: Edges,
    asides: Asides,
    settings: config.Decide,
) -> DataFrame:
    """Return one row per face of an image that did not fail, and one row for every image that failed.

    Columns: image_id, uri, identity, face_id (null: failed), face_rank, leading (the image's smallest rank), doubts
    (the face's reasons), reason (of the rules; null: none yet), keeper (the copy that counts), ruled and ruled_to (a
    person's verdict and target), overlap_cosine (to the nearest protected face), counted (the image makes its cluster
    large).
    """
    faces = _with_failures(listing, rejects, _faces(embeddings, settings)).transform(asides.join)
    known = fixed(_copies(faces))
    open_faces = _up_for_decision(known).join(embeddings.select("face_id", "phash"), on="face_id", how="inner")
    near = near_duplicates(open_faces, edges, settings.near_cosine, settings.near_bits)
    near = near.select(F.col("image_id").alias("follower"), F.col("keeper").alias("leader"))
    joined = known.join(near, known["image_id"] == near["follower"], how="left")
    reason = F.coalesce("reason", F.when(F.col("leader").isNotNull(), Reason.NEAR_DUPLICATE.value))
    by_hand = F.col("ruled") == Verdict.KEEP.value
    counted = F.when(F.col("ruled").isNull(), reason.isNull()).otherwise(by_hand & F.col("face_id").isNotNull())
    return joined.select(
        *("image_id", "uri", "identity", "face_id", "face_rank", "leading", "doubts"),
        reason.alias("reason"),
        F.coalesce("leader", "keeper").alias("keeper"),
        *("ruled", "ruled_to", "overlap_cosine"),
        counted.alias("counted"),
    )


def _faces(embeddings: Embeddings, settings: config.Decide) -> DataFrame:
    image = Window.partitionBy("image_id")
    leading = F.col("face_rank") == F.min("face_rank").over(image)
    told = ("image_id", "face_id", "face_rank", "image_width", "image_height", "sharpness")
    return embeddings.select(*told, leading.alias("leading"), doubts(settings).alias("doubts"))


def _with_failures(listing: Listing, rejects: Rejects, faces: DataFrame) -> DataFrame:
    rejected = rejects.groupBy("image_id").agg(F.min("reason").alias("rejected"))
    images = listing.join(rejected, "image_id", how="left")
    same_image = images["image_id"] == faces["image_id"]
    joined = images.join(faces, same_image & images["rejected"].isNull(), how="left").drop(faces["image_id"])
    # An image that could not be read when it was to be embedded is in neither table: the next run tries it again.
    unread = F.when(F.col("face_id").isNull(), Reason.UNDECODABLE.value)
    return joined.withColumn("failure", F.coalesce("rejected", unread))


def _copies(faces: DataFrame) -> DataFrame:
    """Find which of the images of equal bytes counts, and say the reason that an image has so far."""
    content = Window.partitionBy(F.coalesce("sha256", F.col("image_id").cast("string")))
    alive = F.col("failure").isNull() & ~F.col("overlap")
    copy = F.struct("uri", "image_id")
    settled = F.min(F.when(alive & _preferred(), copy)).over(content)
    among = alive & F.col("ruled").isNull()
    return (
        faces.withColumn("keeper", F.coalesce(settled, F.min(F.when(among, copy)).over(content))["image_id"])
        .withColumn("one", F.when(settled.isNull(), F.min(F.when(among, F.col("identity"))).over(content)))
        .withColumn("other", F.when(settled.isNull(), F.max(F.when(among, F.col("identity"))).over(content)))
        .withColumn("reason", _reason())
    )


def _preferred() -> Column:
    """A person said that this image is to be published."""
    return F.coalesce(F.col("ruled").isin(*PUBLISHED), F.lit(False))


def _reason() -> Column:
    open_to_rules = F.col("ruled").isNull()
    return F.coalesce(
        "failure",
        F.when(F.col("overlap"), Reason.OVERLAP.value),
        F.when(open_to_rules & (F.col("one") != F.col("other")), Reason.TWO_IDENTITIES.value),
        F.when(open_to_rules & (F.col("keeper") != F.col("image_id")), Reason.DUPLICATE.value),
    )


def _up_for_decision(known: DataFrame) -> DataFrame:
    """The faces among which near duplicates are looked for: all that count but for that, and those kept by hand."""
    here = F.col("face_id").isNotNull() & F.col("reason").isNull()
    return known.where(here & (F.col("ruled").isNull() | _preferred())).withColumn("preferred", _preferred())
