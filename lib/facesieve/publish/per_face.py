"""Photographs of several people: the faces by which an image without an identity belongs to each of its people.

A face counts here by its cluster of the scope `global`, not by the image's verdict, which is about one face alone. So
an image whose leading face is in no large cluster (`quarantine unclustered`) is published for the others on it.
"""

from __future__ import annotations

from typing import NewType

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from facesieve.core.frames import columns
from facesieve.core.reasons import Reason, Verdict
from facesieve.core.tables import Clusters, Decisions, Embeddings

NamelessFaces = NewType("NamelessFaces", DataFrame)
NAMELESS_FACES = columns("image_id bigint, face_id bigint, uri string, cluster_id bigint")
"""Faces of images without an identity, each in a large cluster of the scope `global`."""

_SUPERSEDED = (Reason.OVERLAP, Reason.TWO_IDENTITIES, Reason.DUPLICATE, Reason.NEAR_DUPLICATE)
"""First reasons of the images that make no cluster large."""


def nameless_faces(decisions: Decisions, embeddings: Embeddings, clusters: Clusters, min_faces: int) -> NamelessFaces:
    """Return each face, in a cluster of at least `min_faces` images, of the images without an identity.

    Left out are images that failed, copies that do not count, and what a rule or a person drops, quarantines or moves:
    but for `unclustered`, which is said of one face alone. The images of a cluster are counted as `decide` does.

        image  verdict                 faces' clusters (images)   published under
        1      keep                    7 (9), 8 (6)               cluster-7, cluster-8
        2      quarantine unclustered  5 (1), 8 (6)               cluster-8
        3      drop near_duplicate     7 (9), 8 (6)               nothing: a better image is
    """
    in_global = clusters.where(F.col("scope") == "global").select("face_id", "cluster_id")
    images = decisions.select("image_id", "uri", _counts().alias("counts"), _open().alias("open"))
    faces = embeddings.select("face_id", "image_id").join(in_global, "face_id", how="inner")
    placed = faces.join(images.where("counts OR open"), "image_id", how="inner")
    size = F.count_distinct(F.when(F.col("counts"), F.col("image_id")))
    large = placed.groupBy("cluster_id").agg(size.alias("size")).where(F.col("size") >= min_faces)
    return NamelessFaces(placed.where("open").join(large, "cluster_id", how="left_semi").select(*NAMELESS_FACES.names))


def _counts() -> Column:
    """Whether an image makes its clusters large: as in `decide.eligibility`."""
    first = F.coalesce(_first_reason(), F.lit(""))
    by_hand = first == Reason.OVERRIDDEN.value
    of_rules = (F.col("verdict") != Verdict.FAIL.value) & ~first.isin(*(reason.value for reason in _SUPERSEDED))
    return F.when(by_hand, F.col("verdict") == Verdict.KEEP.value).otherwise(of_rules)


def _open() -> Column:
    """Whether an image without an identity is published by its faces."""
    unclustered = F.coalesce(_first_reason() == Reason.UNCLUSTERED.value, F.lit(False))
    doubtful = (F.col("verdict") == Verdict.QUARANTINE.value) & unclustered
    return F.col("identity").isNull() & ((F.col("verdict") == Verdict.KEEP.value) | doubtful)


def _first_reason() -> Column:
    return F.try_element_at(F.col("reasons"), F.lit(1))
