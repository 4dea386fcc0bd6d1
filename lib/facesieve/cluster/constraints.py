"""Constraints between faces: one vertex for those that must be together, and what may not be together kept track of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, reduce

import numpy as np
import numpy.typing as npt
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from facesieve.cluster.kernels.constraints import components

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_ENDS = ("src", "dst")
_NO_PAIRS: Ints = np.empty((0, 2), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Constraints:
    """What is known of pairs of faces beforehand, free of contradictions.

    must, cannot: int64 [n, 2] and [m, 2], pairs of faces of the run, as people wrote them: few, held by the driver.
    in_folder: bool [n], whether the two faces of a must-link bear the same identity. photos: face_id, image_id of faces
    of which no two of one image are one person; None if nothing is to be concluded from photographs.
    """

    must: Ints
    cannot: Ints
    in_folder: Flags
    photos: DataFrame | None = None

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
"""Nothing is known beforehand."""


def vertices(faces: DataFrame, constraints: Constraints) -> DataFrame:
    """Add to `faces` (face_id bigint, and any others) the vertex that each is part of in the vote: `vertex` bigint.

    The faces that are vertices are those with vertex = face_id.
    """
    if not len(constraints.must):
        return faces.withColumn("vertex", F.col("face_id"))
    joined = faces.join(_vertex_of(constraints, faces.sparkSession), "face_id", how="left")
    return joined.select(*faces.columns, F.coalesce("vertex", "face_id").alias("vertex"))


def contracted(edges: DataFrame, constraints: Constraints) -> DataFrame:
    """Join must-linked faces to one vertex: src, dst, vote (bigint) between vertices, each pair once with src < dst.

    edges: src, dst, vote (bigint) between faces, each pair once, src < dst. Votes between two vertices are summed,
    edges inside one are dropped. Only edges of must-linked faces are shuffled.
    """
    if not len(constraints.must):
        return edges.select("src", "dst", "vote")
    source, target = (_vertex_of(constraints, edges.sparkSession).toDF(end, f"{end}_vertex") for end in _ENDS)
    named = edges.join(source, "src", how="left").join(target, "dst", how="left")
    alone = F.col("src_vertex").isNull() & F.col("dst_vertex").isNull()
    one, other = (F.coalesce(f"{end}_vertex", end) for end in _ENDS)
    moved = named.where(~alone & (one != other))
    pair = F.least(one, other).alias("src"), F.greatest(one, other).alias("dst")
    summed = moved.select(*pair, "vote").groupBy("src", "dst").agg(F.sum("vote").alias("vote"))
    return named.where(alone).select("src", "dst", "vote").unionByName(summed)


def rivals(clusters: DataFrame, constraints: Constraints) -> DataFrame:
    """Find who may not be together within each cluster: cluster, id, photo boolean, group (bigint).

    clusters: id (a vertex), cluster, one row per vertex. Two rows of one cluster with the same (photo, group) are a
    conflict; groups with a single row in a cluster are left out.
    """
    held = _held(clusters.select("id", "cluster"), constraints)
    group = ("cluster", "photo", "group")
    conflicts = held.groupBy(*group).agg(F.count("*").alias("members")).where("members > 1").select(*group)
    return held.join(conflicts, list(group), how="left_semi").select("cluster", "id", "photo", "group")


def violations(clusters: DataFrame, constraints: Constraints) -> int:
    """Count the pairs of faces that clusters hold together, or apart, against the constraints: 0, or a law is broken.

    clusters: face_id, cluster_id (bigint), one row per face. Faces without a row count for nothing.
    """
    cluster_of = _clusters_of(clusters, np.unique(np.concatenate([constraints.must, constraints.cannot])))
    torn = _count(constraints.must, cluster_of, together=False)
    joined = _count(constraints.cannot, cluster_of, together=True)
    return torn + joined + _in_one_photo(clusters, constraints.photos)


def forbidden(clusters: DataFrame, constraints: Constraints, small_below: int) -> Ints:
    """List the clusters that may not become one, where at least one of the two is small: int64 [n, 2], ascending.

    clusters: face_id, cluster_id, cluster_size (bigint), one row per face; small: of fewer faces than `small_below`.
    Each pair once, the smaller id first. Pass only clusters of which something is to be decided: a photograph with
    faces in k of them gives up to k (k - 1) / 2 pairs.
    """
    if not constraints.keeps_apart:
        return _NO_PAIRS
    columns = F.col("face_id").alias("id"), F.col("cluster_id").alias("cluster"), F.col("cluster_size").alias("size")
    of_faces = replace(constraints, must=_NO_PAIRS)
    held = _held(clusters.select(*columns), of_faces).select("cluster", "size", "photo", "group").distinct()
    other = held.select("photo", "group", F.col("cluster").alias("other"), F.col("size").alias("other_size"))
    both = held.join(other, ["photo", "group"], how="inner").where("cluster < other")
    few = both.where(F.least("size", "other_size") < small_below).select("cluster", "other").distinct()
    return np.array(sorted(map(tuple, few.collect())), dtype=np.int64).reshape(-1, 2)


def _vertex_of(constraints: Constraints, session: SparkSession) -> DataFrame:
    """Return face_id, vertex of the must-linked faces alone, fit to be sent to every executor."""
    return _broadcast(np.stack(constraints.components, axis=1), "face_id long, vertex long", session)


def _held(clusters: DataFrame, constraints: Constraints) -> DataFrame:
    """Join the members of groups (photo, group) to `clusters` (id, and others)."""
    held = []
    if len(constraints.cannot):
        held.append(clusters.join(_pairs_apart(constraints, clusters.sparkSession), "id", how="inner"))
    if constraints.photos is not None:
        faces = vertices(constraints.photos, constraints)
        photos = faces.select(F.col("vertex").alias("id"), F.lit(True).alias("photo"), F.col("image_id").alias("group"))
        held.append(clusters.join(photos, "id", how="inner"))
    return reduce(DataFrame.unionByName, held)


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


def _clusters_of(clusters: DataFrame, faces: Ints) -> dict[int, int]:
    if not len(faces):
        return {}
    wanted = _broadcast(faces.reshape(-1, 1), "face_id long", clusters.sparkSession)
    found = clusters.join(wanted, "face_id", how="left_semi").select("face_id", "cluster_id")
    return dict(map(tuple, found.collect()))


def _count(pairs: Ints, cluster_of: dict[int, int], *, together: bool) -> int:
    known = [(one, other) for one, other in pairs.tolist() if one in cluster_of and other in cluster_of]
    return sum((cluster_of[one] == cluster_of[other]) == together for one, other in known)


def _in_one_photo(clusters: DataFrame, photos: DataFrame | None) -> int:
    if photos is None:
        return 0
    members = (
        clusters.join(photos, "face_id", how="inner").groupBy("cluster_id", "image_id").agg(F.count("*").alias("n"))
    )
    pairs = members.select(F.expr("sum(n * (n - 1) div 2)")).collect()[0][0]
    return int(pairs or 0)
