"""Faces that belong together, scope by scope: vote, verify, split, repair, attach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.cluster.attachment import attachment
from facesieve.cluster.constraints import NONE, Constraints, contracted, forbidden, with_vertex
from facesieve.cluster.edge_weights import vote_integer
from facesieve.cluster.frames import (
    CLUSTERED_FACES,
    LABELLED_FACES,
    ClusteredFaces,
    Joins,
    LabelledFaces,
    MeasuredFaces,
    MeasuredMembers,
    Members,
    VertexClusters,
    Vertices,
    Voters,
    VotingEdges,
)
from facesieve.cluster.kernels.coins import totals
from facesieve.cluster.kernels.leftovers import LARGE
from facesieve.cluster.kernels.whole import Rule
from facesieve.cluster.medoids import medoids
from facesieve.cluster.one_task import in_one_task
from facesieve.cluster.repair import repaired
from facesieve.cluster.supersteps import Voting
from facesieve.cluster.vote import Course, verify, vote
from facesieve.core.tables import Votes
from facesieve.faces.vectors import Indices
from facesieve.lake.scope_records import AttachmentRecord


@dataclass(frozen=True)
class VoteInput:
    """Who votes in one scope, and under which conditions.

    votes: the scope's edges between these faces. link: the cosine that leftovers are judged by; None: none is attached.
    """

    faces: Voters
    votes: Votes
    constraints: Constraints = NONE
    link: float | None = None


class Counted(NamedTuple):
    """All faces of a scope, and the edges, voting or not, whose ends are of two clusters."""

    faces: int
    apart: int

    @property
    def false_matches(self) -> float | None:
        """Return the neighbours per face that are of another cluster; None without faces."""
        return 2 * self.apart / self.faces if self.faces else None


@dataclass(frozen=True)
class Clustered:
    """The clusters of one scope, persisted; how the vote went; what is recorded of the leftovers.

    counted: what one task has counted that has seen all edges.
    """

    rows: ClusteredFaces
    vote: Course
    attachment: AttachmentRecord | None = None
    counted: Counted | None = None


def clusters(vote_input: VoteInput, voting: Voting) -> Clustered:
    """Cluster the faces of one scope by the votes of their edges.

    Every face gets one row; one without a voting edge is a cluster of its own. The vote runs when this function is
    called; errors as `vote.vote`.
    """
    faces = with_vertex(vote_input.faces, vote_input.constraints)
    edges = contracted(_voting_edges(vote_input.votes), vote_input.constraints)
    voted = vote(_vertices(faces, vote_input.constraints), edges, voting)
    cut = repaired(VertexClusters(voted.rows.select("id", "cluster")), edges, vote_input.constraints)
    ends = voted.rows.select(F.col("id").alias("vertex"), "labels", "settled")
    of_vertex = cut.select(F.col("id").alias("vertex"), "cluster").join(ends, "vertex", how="inner")
    members = Members(faces.join(of_vertex, "vertex", how="inner"))
    alone = MeasuredFaces(medoids(members).persist(StorageLevel.MEMORY_AND_DISK))
    if vote_input.link is None:
        return Clustered(_unattached(alone), voted)
    labelled = LabelledFaces(faces.join(ends, "vertex", how="inner").select(*LABELLED_FACES.names))
    joins, record = _joins(alone, labelled, vote_input, vote_input.link, voting.settings.attach_error)
    return Clustered(joins, voted, record)


def clusters_in_one_task(scope: str, vote_input: VoteInput, voting: Voting) -> Clustered:
    """Cluster the faces of one scope as `clusters` does, to the bit, in one task that holds them all.

    Errors as `one_task.in_one_task` and `vote.vote`.
    """
    rule = Rule(voting.coins, voting.settings.max_supersteps, vote_input.link, voting.settings.attach_error)
    end = in_one_task(scope, vote_input.faces, vote_input.votes, vote_input.constraints, rule)
    course = Course(end.histories, len(totals(end.histories)))
    for step, unsettled in enumerate(course.unsettled, start=1):
        voting.report(step, unsettled)
    verify(end.histories, end.unstable)
    record = None if end.leftovers is None else AttachmentRecord(**end.leftovers)
    return Clustered(end.rows, course, record, Counted(end.faces, end.apart))


def _voting_edges(votes: Votes) -> VotingEdges:
    return VotingEdges(votes.where("votes").select("src", "dst", vote_integer(F.col("score")).alias("vote")))


def _vertices(faces: DataFrame, constraints: Constraints) -> Vertices:
    """Return the vertices of the faces with the label to begin with.

    A label is the id of a vertex: of the vertex that holds the face whose label it is.
    """
    voters = faces.where(F.col("vertex") == F.col("face_id")).select(F.col("vertex").alias("id"), "label")
    labelled = with_vertex(voters.withColumnRenamed("label", "face_id"), constraints)
    return Vertices(labelled.select("id", F.col("vertex").alias("label")))


def _unattached(alone: MeasuredFaces) -> ClusteredFaces:
    return ClusteredFaces(alone.withColumn("attached", F.lit(False)))


def _joins(
    alone: MeasuredFaces, labelled: LabelledFaces, vote_input: VoteInput, link: float, error: float
) -> tuple[ClusteredFaces, AttachmentRecord]:
    """Let leftovers join large clusters, and return all clusters with what is recorded of the leftovers."""
    named = alone.withColumnRenamed("cluster_id", "cluster")
    # Read up to five times.
    members = MeasuredMembers(named.join(labelled, "face_id", how="inner").persist(StorageLevel.MEMORY_AND_DISK))

    def apart(at_stake: Indices) -> Indices:
        ids = alone.sparkSession.createDataFrame([(each,) for each in at_stake.tolist()], "cluster_id bigint")
        there = MeasuredFaces(alone.join(F.broadcast(ids), "cluster_id", how="left_semi"))
        return forbidden(there, vote_input.constraints, LARGE)

    leftovers = attachment(members, link, error, apart)
    rows = _unattached(alone)
    if leftovers.record.attached:
        rows = ClusteredFaces(_measured_anew(alone, members, leftovers.joins).persist(StorageLevel.MEMORY_AND_DISK))
        rows.count()
    members.unpersist()
    return rows, leftovers.record


def _measured_anew(alone: MeasuredFaces, members: MeasuredMembers, joins: Joins) -> ClusteredFaces:
    """Let leftovers join, and measure the clusters that they join once more."""
    touched = joins.select("cluster").unionByName(joins.select(F.col("target").alias("cluster"))).distinct()
    affected = members.join(F.broadcast(touched), "cluster", how="left_semi")
    merged = affected.join(F.broadcast(joins), "cluster", how="left")
    grown = medoids(Members(merged.withColumn("cluster", F.coalesce("target", "cluster"))))
    newcomers = merged.where(F.col("target").isNotNull()).select("face_id", F.lit(True).alias("attached"))
    marked = grown.join(newcomers, "face_id", how="left").withColumn("attached", F.coalesce("attached", F.lit(False)))
    others = alone.join(F.broadcast(touched.withColumnRenamed("cluster", "cluster_id")), "cluster_id", how="left_anti")
    rows = _unattached(MeasuredFaces(others)).select(*CLUSTERED_FACES.names)
    return ClusteredFaces(rows.unionByName(marked.select(*CLUSTERED_FACES.names)))
