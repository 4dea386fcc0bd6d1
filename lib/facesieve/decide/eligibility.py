"""What is known of each image before its cluster is asked: whether it failed, and which of its copies counts.

- An image with a row in `rejects`, or without any face, fails.
- An image of a protected person is an overlap.
- Equal bytes under two identities: all copies that are up for decision are in doubt, also those without an identity.
- Otherwise, of equal bytes the copy with the smallest uri (as UTF-8 bytes) counts and the others are its duplicates.
  No identity is not an identity: a copy outside all folders and one inside a folder are duplicates like any other.
- Of near duplicates, the best image counts. Exact copies of an image that is not the best go with it to the best.
- Images that are alike, and were not shown to be one photograph, are noted as a burst.

A person's verdict stands beside these: they say what the rules would have made of the image. A person settles copies
too. An image that is kept or moved by hand is the one that counts, whatever the identities. An image that is dropped or
quarantined by hand is no copy of anything.
"""

from __future__ import annotations

from typing import NewType

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from facesieve.core import sections
from facesieve.core.frames import checkpointed, columns
from facesieve.core.reasons import Reason, Verdict, is_published
from facesieve.core.tables import Embeddings
from facesieve.decide.inputs import Inputs, ListedImages
from facesieve.decide.near_duplicates import Candidates, NearDuplicates, near_duplicates
from facesieve.decide.photographs import CandidatePairs, ComparedPairs, compared
from facesieve.decide.quality import doubts

EligibleFaces = NewType("EligibleFaces", DataFrame)
ELIGIBLE = columns(
    "image_id bigint, uri string, identity string, face_id bigint, face_rank int, leading boolean, "
    "doubts array<string>, failure string, two_identities boolean, duplicate boolean, near_duplicate boolean, "
    "undecided boolean, keeper bigint, copy_confidence double, override string, override_to string, "
    "overlap_cosine float, counted boolean, passed_over boolean, left_out boolean"
)
"""leading: the face is of the image's smallest rank. failure: why the image gives no face; then face_id is null.
two_identities, duplicate, near_duplicate: what its copies make of it. undecided: none of these, and no overlap.
keeper: the copy that counts. copy_confidence: of a near duplicate, that the two are one photograph. override,
override_to: a person's verdict and target. overlap_cosine: to the nearest protected face. counted: the image makes its
cluster large. passed_over, left_out: the image shows faces that were too small or too unsure, and others that were not
taken; null of a failed image."""


def eligibility(inputs: Inputs, settings: sections.Decide) -> EligibleFaces:
    """Return one row per face of an image that did not fail, and one row for every image that failed."""
    images = inputs.side_inputs.join(_with_failures(inputs, _faces(inputs.embeddings, settings)))
    faces = checkpointed(_copies(images))
    hashes = inputs.embeddings.select("face_id", "phash", "face_phash", "turned_phash")
    candidates = Candidates(_up_for_decision(faces).join(hashes, on="face_id", how="inner"))

    def compare(pairs: CandidatePairs) -> ComparedPairs:
        return compared(pairs, inputs.embeddings, inputs.sight)

    near = NearDuplicates(checkpointed(near_duplicates(candidates, inputs.edges, settings, compare)))
    return EligibleFaces(_with_counted(_with_leaders(faces, near)).select(*ELIGIBLE.names))


def _with_leaders(faces: DataFrame, near: NearDuplicates) -> DataFrame:
    """Say which image counts for each, in the end: that of an exact copy's original, if the original has one."""
    followers = near.select("image_id", "leader", "copy_confidence", "burst")
    onward = near.select(F.col("image_id").alias("keeper"), F.col("leader").alias("onward"))
    joined = faces.join(followers, on="image_id", how="left").join(onward, on="keeper", how="left")
    # An original that a person keeps stays, whatever the rules say of it.
    by_hand = F.coalesce("keeper_by_hand", F.lit(False))
    burst = F.when(F.col("burst") & F.col("leader").isNull(), F.array(F.lit(Reason.BURST.value)))
    return joined.withColumns(
        {
            "near_duplicate": F.col("leader").isNotNull(),
            "undecided": F.col("undecided") & F.col("leader").isNull(),
            "keeper": F.coalesce("leader", F.when(~by_hand, F.col("onward")), "keeper"),
            "doubts": F.concat("doubts", F.coalesce(burst, F.array().cast("array<string>"))),
        }
    )


def _with_counted(faces: DataFrame) -> DataFrame:
    by_hand = (F.col("override") == Verdict.KEEP.value) & F.col("face_id").isNotNull()
    counted = F.when(F.col("override").isNull(), F.col("undecided")).otherwise(by_hand)
    return faces.withColumn("counted", counted)


def _faces(embeddings: Embeddings, settings: sections.Decide) -> DataFrame:
    image = Window.partitionBy("image_id")
    leading = F.col("face_rank") == F.min("face_rank").over(image)
    measured = ("image_id", "face_id", "face_rank", "image_width", "image_height", "sharpness")
    unseen = (F.coalesce(F.col(name) > 0, F.lit(False)).alias(name) for name in ("passed_over", "left_out"))
    return embeddings.select(*measured, leading.alias("leading"), doubts(settings).alias("doubts"), *unseen)


def _with_failures(inputs: Inputs, faces: DataFrame) -> ListedImages:
    rejected = inputs.rejects.groupBy("image_id").agg(F.min("reason").alias("rejected"))
    images = inputs.listing.join(rejected, "image_id", how="left")
    same_image = images["image_id"] == faces["image_id"]
    joined = images.join(faces, same_image & images["rejected"].isNull(), how="left").drop(faces["image_id"])
    # An image that could not be read when it was to be embedded is in neither table: the next run tries it again.
    unread = F.when(F.col("face_id").isNull(), Reason.UNDECODABLE.value)
    return ListedImages(joined.withColumn("failure", F.coalesce("rejected", unread)))


def _copies(images: DataFrame) -> DataFrame:
    """Find which of the images of equal bytes counts, and what the rules say of an image by now."""
    content = Window.partitionBy(F.coalesce("sha256", F.col("image_id").cast("string")))
    alive = F.col("failure").isNull() & ~F.col("overlap")
    copy = F.struct("uri", "image_id")
    by_hand = F.min(F.when(alive & _preferred(), copy)).over(content)
    by_rule = alive & F.col("override").isNull()
    smallest, greatest = (
        F.when(by_hand.isNull(), least_or_most(F.when(by_rule, F.col("identity"))).over(content))
        for least_or_most in (F.min, F.max)
    )
    open_to_rules = F.col("override").isNull()
    told_apart = {
        "keeper": F.coalesce(by_hand, F.min(F.when(by_rule, copy)).over(content))["image_id"],
        "keeper_by_hand": by_hand.isNotNull(),
    }
    terms = {
        "two_identities": open_to_rules & F.coalesce(smallest != greatest, F.lit(False)),
        "duplicate": open_to_rules & F.coalesce(F.col("keeper") != F.col("image_id"), F.lit(False)),
    }
    undecided = alive & ~F.col("two_identities") & ~F.col("duplicate")
    return images.withColumns(told_apart).withColumns(terms).withColumn("undecided", undecided)


def _preferred() -> Column:
    """A person said that this image is to be published."""
    return F.coalesce(is_published(F.col("override")), F.lit(False))


def _up_for_decision(images: DataFrame) -> DataFrame:
    """The faces among which near duplicates are looked for: all that count but for that, and those kept by hand."""
    preferred = _preferred()
    return images.where(F.col("undecided") & (F.col("override").isNull() | preferred)).withColumn(
        "preferred", preferred
    )
