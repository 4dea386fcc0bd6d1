"""Faces that belong together: vote, verify, split, repair, attach. The order of the whole stage is in that line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.cluster.attachment import LARGE, attachment
from facesieve.cluster.constraints import NONE, Constraints, contracted, forbidden, vertices
from facesieve.cluster.medoids import medoids
from facesieve.cluster.repair import repaired
from facesieve.cluster.supersteps import Voting
from facesieve.cluster.vote import Voted, vote
from facesieve.cluster.votes import vote_integer
from facesieve.core import config
from facesieve.core.tables import Votes
from facesieve.faces.vectors import Indices


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
    electors = faces.where(F.col("vertex") == F.col("face_id")).select(F.col("vertex").alias("id"), "label")
    # A label is the id of a vertex: of the one that the face is part of whose label it is.
    electors = vertices(electors.withColumnRenamed("label", "face_id"), given.constraints).select(
        "id", F.col("vertex").alias("label")
    )
    edges = contracted(ballots, given.constraints)
    voted = vote(electors, edges, voting)
    together = repaired(voted.rows.select("id", "cluster"), edges, given.constraints)
    named = voted.rows.select(F.col("id").alias("vertex"), "settled")
    found = together.select(F.col("id").alias("vertex"), "cluster").join(named, "vertex", how="inner")
    alone = medoids(faces.join(found, "vertex", how="inner")).persist(StorageLevel.MEMORY_AND_DISK)
    if given.link is None:
        return Clustered(alone.withColumn("attached", F.lit(False)), voted)
    return _attached(alone, given, given.link, voted, voting.settings)


def _attached(alone: DataFrame, given: Electorate, link: float, voted: Voted, settings: config.Cluster) -> Clustered:
    vectors = given.faces.select("face_id", "vector")
    named = alone.withColumnRenamed("cluster_id", "cluster")
    # Read up to five times.
    members = named.join(vectors, "face_id", how="inner").persist(StorageLevel.MEMORY_AND_DISK)

    def apart(at_stake: Indices) -> Indices:
        ids = alone.sparkSession.createDataFrame([(each,) for each in at_stake.tolist()], "cluster_id bigint")
        there = alone.join(F.broadcast(ids), "cluster_id", how="left_semi")
        return forbidden(there, given.constraints, LARGE)

    found = attachment(members, link, settings.attach_error, apart)
    rows = alone.withColumn("attached", F.lit(False))
    if found.record["attached"]:
        rows = _measured_anew(alone, members, found.joins).persist(StorageLevel.MEMORY_AND_DISK)
        rows.count()
    members.unpersist()
    return Clustered(rows, voted, found.record)


def _measured_anew(alone: DataFrame, members: DataFrame, joined: DataFrame) -> DataFrame:
    """Let leftovers join, and measure the clusters that they join once more."""
    target = F.broadcast(joined)
    touched = joined.select("cluster").unionByName(joined.select(F.col("target").alias("cluster"))).distinct()
    affected = members.join(F.broadcast(touched), "cluster", how="left_semi")
    merged = affected.join(target, "cluster", how="left")
    grown = medoids(merged.withColumn("cluster", F.coalesce("target", "cluster")))
    newcomers = merged.where(F.col("target").isNotNull()).select("face_id", F.lit(True).alias("attached"))
    marked = grown.join(newcomers, "face_id", how="left").withColumn("attached", F.coalesce("attached", F.lit(False)))
    others = alone.join(F.broadcast(touched.withColumnRenamed("cluster", "cluster_id")), "cluster_id", how="left_anti")
    return others.withColumn("attached", F.lit(False)).select(marked.columns).unionByName(marked)
