"""Faces from which a model is calibrated: a few thousand, chosen by hashes of their ids."""

from __future__ import annotations

from typing import NewType

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from facesieve.core.frames import columns
from facesieve.core.tables import Embeddings, Listing

NamedFaces = NewType("NamedFaces", DataFrame)
"""NAMED_FACES: one row per face."""

NAMED_FACES = columns("face_id bigint, identity string")


def named_faces(listing: Listing, embeddings: Embeddings) -> NamedFaces:
    """Return the largest face of each image that has an identity.

    Images of one identity with equal bytes count once: copies would pass for one person's most alike pictures.
    """
    largest = embeddings.where("face_rank = 0").select("image_id", "face_id", "sha256")
    named = listing.where("identity IS NOT NULL").select("image_id", "identity")
    content = F.coalesce("sha256", F.col("face_id").cast("string")).alias("content")
    copies = largest.join(named, "image_id", how="inner").groupBy("identity", content)
    return NamedFaces(copies.agg(F.min("face_id").alias("face_id")).select(*NAMED_FACES.names))


def sample_by_identity(named: NamedFaces, identities: int, faces: int, least: int) -> NamedFaces:
    """Return at most so many `faces` of each of so many `identities` that have `least` faces and more.

    Both are chosen by hashes, so that the partitioning cannot show.
    """
    numbers = named.groupBy("identity").agg(F.count("*").alias("number")).where(F.col("number") >= least)
    chosen = numbers.select("identity").orderBy(F.xxhash64("identity"), "identity").limit(identities)
    place = F.row_number().over(Window.partitionBy("identity").orderBy(F.xxhash64("face_id"), "face_id"))
    ranked = named.join(F.broadcast(chosen), "identity", how="inner").withColumn("place", place)
    return NamedFaces(ranked.where(F.col("place") <= faces).select(*NAMED_FACES.names))
