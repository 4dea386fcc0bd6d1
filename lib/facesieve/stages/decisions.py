"""One verdict for every image of the listing, with reasons and evidence.

The rules, in order of precedence: `standing` (failed, two identities, duplicate), then `policy` (the folder rule, per
face), then `evidence` (which face speaks for the image, and what is nearest to it).
"""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F

from facesieve import config
from facesieve.reasons import Reason, Verdict
from facesieve.stages.evidence import with_evidence
from facesieve.stages.policy import judged
from facesieve.stages.standing import standing
from facesieve.tables import DECISIONS, Clusters, Decisions, Embeddings, Listing, Rejects, conform


@dataclass(frozen=True)
class Inputs:
    """What is decided upon: rejects and embeddings of one model, clusters of the faces of the listing."""

    listing: Listing
    embeddings: Embeddings
    rejects: Rejects
    clusters: Clusters


def decisions(inputs: Inputs, settings: config.Decide, link_scope: str) -> Decisions:
    """Decide every image: exactly one row per row of the listing, whatever faces other images may have.

    `link_scope` is `link.scope`: with `heap` an identity is judged by the heap clusters within it, with `identity` an
    image without an identity cannot be judged. The row's face, cluster and evidence are those of the face that speaks
    for the image; evidence.share is null without an identity. Doubts about that face follow the verdict's reason.
    """
    known = standing(inputs.listing, inputs.rejects, inputs.embeddings)
    faces = judged(known, inputs.clusters, settings.min_faces, link_scope)
    told = with_evidence(faces.join(inputs.embeddings.select("face_id", "vector"), "face_id", how="left"))
    decided = told.select(
        "image_id",
        "uri",
        "identity",
        "verdict",
        _reasons().alias("reasons"),
        "face_id",
        "cluster_scope",
        "cluster_id",
        F.lit(None).cast("string").alias("moved_to"),
        F.when(F.col("reason") == Reason.DUPLICATE.value, F.col("keeper")).alias("kept_image_id"),
        F.lit(None).cast("float").alias("confidence"),
        _evidence().alias("evidence"),
    )
    return Decisions(conform(decided, DECISIONS))


def _reasons() -> Column:
    own = F.array_compact(F.array("reason"))
    doubts = F.array_sort(F.coalesce("doubts", F.array().cast("array<string>")))
    return F.array_distinct(F.concat(own, doubts))


def _evidence() -> Column:
    margin = F.lit(None).cast("float").alias("margin")
    told = F.struct("nearest_face", "cosine", "share", margin)
    return F.when(F.col("verdict") != Verdict.FAIL.value, told)
