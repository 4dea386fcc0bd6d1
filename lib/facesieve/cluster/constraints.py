"""Constraints between faces: one vertex for those that must be together, and what may not be together in sight."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, reduce

import numpy as np
import numpy.typing as npt
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from facesieve.cluster.frames import (
    CONFLICTS,
    ClusteredFaces,
    Conflicts,
    MeasuredFaces,
    Photos,
    VertexClusters,
    VotingEdges,
)
from facesieve.cluster.kernels.constraints import components

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_ENDS = ("src", "dst")
_NO_PAIRS: Ints = np.empty((0, 2), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Constraints:
    """What holds for pairs of faces before the vote, free of contradictions.

    must, cannot: int64 [n, 2] and [m, 2], pairs of faces of the run, as people wrote them: few, held by the driver.
    in_folder: bool [n], whether the two faces of a must-link bear the same identity. photos: None if nothing is to be
    concluded from photographs.
    """

    must: Ints
    cannot: Ints
    in_folder: Flags
    photos: Photos | None = None

    @property
    def keeps_apart(self) -> bool:
        """Whether there may be faces that must not be together."""
        return bool(len(self.cannot)) or self.photos is not None

    @cached_property
    def components(self) -> tuple[Ints, Ints]:
        """Return the must-linked faces, ascending, and the vertex of each: the smallest face it must be with."""
        return components(self.must)

    def within_folders(self) -> Constraints:
        """Return those for scope `identity`, where no cluster spans two folders, whatever must-links say."""
        return replace(self, must=self.must[self.in_folder], in_folder=self.in_folder[self.in_folder])


NONE = Constraints(_NO_PAIRS, _NO_PAIRS, np.empty(0, dtype=np.bool_))
"""Nothing is constrained."""


def with_vertex(faces: DataFrame, constraints: Constraints) -> DataFrame:
    """Add to `faces` (face_id bigint, and any others) the vertex that each is part of in the vote: `vertex` bigint.

    The faces that are vertices are those with vertex = face_id.
    """
    if not len(constraints.must):
        return faces.withColumn("vertex", F.col("face_id"))
    joined = faces.join(_vertex_of(constraints, faces.sparkSession), "face_id", how="left")
    return joined.select(*faces.columns, F.coalesce("vertex", "face_id").alias("vertex"))


def contracted(edges: VotingEdges, constraints: Constraints) -> VotingEdges:
    """Turn voting edges between faces into those between vertices: must-linked faces become one vertex.

    Votes between two vertices are summed, edges inside a vertex are dropped. Only edges of must-linked faces are
    shuffled. Example, where faces 1 and 2 must be together:

        src dst vote      src dst vote
          1   2    9        1   3    9   (4 + 5)
          1   3    4   ->   3   4    7
          2   3    5
          3   4    7
    """
    if not len(constraints.must):
        return VotingEdges(edges.select("src", "dst", "vote"))
    source, target = (_vertex_of(constraints, edges.sparkSession).toDF(end, f"{end}_vertex") for end in _ENDS)
    named = edges.join(source, "src", how="left").join(target, "dst", how="left")
    untouched = F.col("src_vertex").isNull() & F.col("dst_vertex").isNull()
    first, second = (F.coalesce(f"{end}_vertex", end) for end in _ENDS)
    moved = named.where(~untouched & (first != second))
    pair = F.least(first, second).alias("src"), F.greatest(first, second).alias("dst")
    summed = moved.select(*pair, "vote").groupBy("src", "dst").agg(F.sum("vote").alias("vote"))
    return VotingEdges(named.where(untouched).select("src", "dst", "vote").unionByName(summed))


def conflicts(clusters: VertexClusters, constraints: Constraints) -> Conflicts:
    """Find the vertices of one cluster that may not be together: two rows with the same (photo, group).

    Groups with a single vertex in a cluster are left out.
    """
    members = _group_members(clusters.select("id", "cluster"), constraints)
    group = ("cluster", "photo", "group")
    crowded = members.groupBy(*group).agg(F.count("*").alias("members")).where("members > 1").select(*group)
    return Conflicts(members.join(crowded, list(group), how="left_semi").select(*CONFLICTS.names))


def violations(clusters: ClusteredFaces, constraints: Constraints) -> int:
    """Count the pairs of faces that clusters hold together, or apart, against the constraints: 0, or a law is broken.

    Faces without a row count for nothing.
    """
    cluster_of = _clusters_of(clusters, np.unique(np.concatenate([constraints.must, constraints.cannot])))
    torn = _count(constraints.must, cluster_of, together=False)
    joined = _count(constraints.cannot, cluster_of, together=True)
    return torn + joined + _in_one_photo(clusters, constraints.photos)


def forbidden(clusters: MeasuredFaces, constraints: Constraints, small_below: int) -> Ints:
    """List the clusters that may not become one, where at least one of the two is small: int64 [n, 2], ascending.

    small: of fewer faces than `small_below`. Each pair comes once, the smaller id first. Pass only clusters of which
    something is to be decided: a photograph with faces in k of them gives up to k (k - 1) / 2 pairs.
    """
    if not constraints.keeps_apart:
        return _NO_PAIRS
    columns = F.col("face_id").alias("id"), F.col("cluster_id").alias("cluster"), F.col("cluster_size").alias("size")
    members = _group_members(clusters.select(*columns), replace(constraints, must=_NO_PAIRS))
    each = members.select("cluster", "size", "photo", "group").distinct()
    other = each.select("photo", "group", F.col("cluster").alias("other"), F.col("size").alias("other_size"))
    both = each.join(other, ["photo", "group"], how="inner").where("cluster < other")
    few = both.where(F.least("size", "other_size") < small_below).select("cluster", "other").distinct()
    return np.array(sorted(map(tuple, few.collect())), dtype=np.int64).reshape(-1, 2)


def _vertex_of(constraints: Constraints, session: SparkSession) -> DataFrame:
    """Return face_id, vertex of the must-linked faces alone, fit to be sent to every executor."""
    return _broadcast(np.stack(constraints.components, axis=1), "face_id long, vertex long", session)


def _group_members(clusters: DataFrame, constraints: Constraints) -> DataFrame:
    """Join to `clusters` (id, and others) the groups (photo, group) of which no two members may be together."""
    members = []
    if len(constraints.cannot):
        members.append(clusters.join(_pairs_apart(constraints, clusters.sparkSession), "id", how="inner"))
    if constraints.photos is not None:
        faces = with_vertex(constraints.photos, constraints)
        photos = faces.select(F.col("vertex").alias("id"), F.lit(True).alias("photo"), F.col("image_id").alias("group"))
        members.append(clusters.join(photos, "id", how="inner"))
    return reduce(DataFrame.unionByName, members)


def _pairs_apart(constraints: Constraints, session: SparkSession) -> DataFrame:
    """Make each cannot-link a group of two: id (a vertex), photo (false), group (the link's number)."""
    faces, vertex_of = constraints.components
    ends = constraints.cannot.copy()
    place = np.searchsorted(faces, ends).clip(max=max(len(faces) - 1, 0))
    if len(faces):
        ends = np.where(faces[place] == ends, vertex_of[place], ends)
    numbers = np.repeat(np.arange(len(ends)), 2)
    named = _broadcast(np.stack([ends.ravel(), numbers], axis=1), "id long, group long", session)
    return named.select("id", F.lit(False).alias("photo"), "group")


def _broadcast(rows: Ints, schema: str, session: SparkSession) -> DataFrame:
    return F.broadcast(session.createDataFrame(rows.tolist(), schema))


def _clusters_of(clusters: ClusteredFaces, faces: Ints) -> dict[int, int]:
    if not len(faces):
        return {}
    wanted = _broadcast(faces.reshape(-1, 1), "face_id long", clusters.sparkSession)
    rows = clusters.join(wanted, "face_id", how="left_semi").select("face_id", "cluster_id").collect()
    return {row["face_id"]: row["cluster_id"] for row in rows}


def _count(pairs: Ints, cluster_of: dict[int, int], *, together: bool) -> int:
    clustered = [(a, b) for a, b in pairs.tolist() if a in cluster_of and b in cluster_of]
    return sum((cluster_of[a] == cluster_of[b]) == together for a, b in clustered)


def _in_one_photo(clusters: ClusteredFaces, photos: Photos | None) -> int:
    if photos is None:
        return 0
    members = (
        clusters.join(photos, "face_id", how="inner").groupBy("cluster_id", "image_id").agg(F.count("*").alias("n"))
    )
    pairs = members.select(F.expr("sum(n * (n - 1) div 2)")).collect()[0][0]
    return int(pairs or 0)
