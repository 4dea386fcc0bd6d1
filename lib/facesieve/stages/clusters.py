"""Faces that belong together: vote, verify, split, repair, attach. The order of the whole stage is in that line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve import config
from facesieve.stages.attachment import Attachment, attachment
from facesieve.stages.constraints import NONE, Constraints, contracted, forbidden, vertices
from facesieve.stages.medoids import medoids
from facesieve.stages.repair import repaired
from facesieve.stages.supersteps import Voting
from facesieve.stages.votes import vote_integer
from facesieve.stages.voting import Voted, vote
from facesieve.tables import Votes

SMALL_BELOW = 10
"""Clusters of fewer faces are leftovers, which may join one of at least so many."""


@dataclass(frozen=True)
class Electorate:
    """Who votes in one scope, and under which conditions.

    faces: face_id bigint (unique), vector array<float>, label bigint (the id of a face: the label to begin with).
    votes: the scope's edges between these faces. link: the cosine that leftovers are judged by; None: none is attached.
    """

    faces: DataFrame
    votes: Votes
    constraints: Constraints = NONE
    link: float | None = None


@dataclass(frozen=True)
class Clustered:
    """The clusters of one scope.

    rows: face_id, settled, cluster_id (its smallest face_id), cluster_size, cohesion, medoid, attached; one row per
    face, persisted. vote: how it went. attachment: what is known of the leftovers.
    """

    rows: DataFrame
    vote: Voted
    attachment: dict[str, Any] = field(default_factory=dict)


def clusters(given: Electorate, voting: Voting) -> Clustered:
    """Cluster the faces of one scope by the votes of their edges.

    Every face gets one row; one without a voting edge is a cluster of its own. The vote runs when this function is
    called; errors as `voting.vote`.
    """
    faces = vertices(given.faces, given.constraints)
    ballots = given.votes.where("votes").select("src", "dst", vote_integer(F.col("score")).alias("vote"))
    electors = faces.where(F.col("vertex") == F.col("face_id")).select(F.col("face_id").alias("id"), "label")
    edges = contracted(ballots, given.constraints)
    voted = vote(electors, edges, voting)
    together = repaired(voted.rows.select("id", "cluster"), edges, given.constraints)
    named = voted.rows.select(F.col("id").alias("vertex"), "settled")
    found = together.select(F.col("id").alias("vertex"), "cluster").join(named, "vertex", how="inner")
    alone = medoids(faces.join(found, "vertex", how="inner")).persist(StorageLevel.MEMORY_AND_DISK)
    if given.link is None:
        return Clustered(alone.withColumn("attached", F.lit(False)), voted)
    return _attached(alone, given, voted, voting.settings)


def _attached(alone: DataFrame, given: Electorate, voted: Voted, settings: config.Cluster) -> Clustered:
    """Let leftovers join, and measure anew the clusters that they join."""
    vectors = given.faces.select("face_id", "vector")
    members = alone.withColumnRenamed("cluster_id", "cluster").join(vectors, "face_id", how="inner")
    kept_apart = forbidden(alone, given.constraints, SMALL_BELOW)
    found: Attachment = attachment(members, given.link or 0.0, settings.attach_error, kept_apart)
    joined = found.joins
    if not found.record["attached"]:
        return Clustered(alone.withColumn("attached", F.lit(False)), voted, found.record)
    target = F.broadcast(joined)
    touched = joined.select("cluster").unionByName(joined.select(F.col("target").alias("cluster"))).distinct()
    affected = members.join(F.broadcast(touched), "cluster", how="left_semi")
    merged = affected.join(target, "cluster", how="left")
    grown = medoids(merged.withColumn("cluster", F.coalesce("target", "cluster")))
    newcomers = merged.where(F.col("target").isNotNull()).select("face_id", F.lit(True).alias("attached"))
    marked = grown.join(newcomers, "face_id", how="left").withColumn("attached", F.coalesce("attached", F.lit(False)))
    others = alone.join(F.broadcast(touched.withColumnRenamed("cluster", "cluster_id")), "cluster_id", how="left_anti")
    rows = others.withColumn("attached", F.lit(False)).select(marked.columns).unionByName(marked)
    return Clustered(rows.persist(StorageLevel.MEMORY_AND_DISK), voted, found.record)
