"""Faces that belong together: vote, split what is not connected, name. The order of the whole stage is in that line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve import config
from facesieve.stages.medoids import medoids
from facesieve.stages.parts import parts
from facesieve.stages.supersteps import whispers
from facesieve.stages.votes import vote_integer
from facesieve.tables import CLUSTERS, Clusters, Votes, conform


@dataclass(frozen=True)
class Clustered:
    """The clusters of one scope, and how the vote went (`supersteps.Outcome`)."""

    clusters: Clusters
    supersteps: int
    unsettled: list[int]
    settled: bool


def clusters(
    faces: DataFrame, votes: Votes, scope: str, settings: config.Cluster, report: Callable[[int, int], None]
) -> Clustered:
    """Cluster the faces of one scope by the votes of their edges.

    faces: face_id bigint (unique), vector array<float>. votes: the edges of this scope between these faces. Every face
    gets one row (columns as `tables.CLUSTERS`); one without a voting edge is a cluster of its own. `report` is called
    with (superstep, faces unsettled when it began) while the vote runs, which is when this function is called; the
    table itself is lazy.
    """
    voting = votes.where("votes").select("src", "dst", vote_integer(F.col("score")).alias("vote"))
    outcome = whispers(faces.select(F.col("face_id").alias("id")), voting, settings, report)
    labels = outcome.labels.withColumnRenamed("id", "face_id")
    part = parts(outcome.labels.select("id", "label"), outcome.mirrored).select(F.col("id").alias("face_id"), "part")
    members = labels.join(part, "face_id", how="inner").join(faces, "face_id", how="inner")
    table = medoids(members).withColumns({"scope": F.lit(scope), "attached": F.lit(False)})
    return Clustered(Clusters(conform(table, CLUSTERS)), outcome.supersteps, outcome.unsettled, outcome.settled)
