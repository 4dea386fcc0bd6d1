"""Clusters that lose faces: their size is counted and their medoid found anew; which ids must be replaced."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.cluster.borne_ids import borne_ids
from facesieve.cluster.frames import MEMBERS, FaceVectors, Members
from facesieve.cluster.medoids import medoids
from facesieve.core import tables
from facesieve.core.frames import broadcast_if_few
from facesieve.core.ids import digest_id
from facesieve.core.tables import Clusters
from facesieve.erasure.subject import Renames
from facesieve.lake.catalog import Lake

_MEASURED = ("cluster_size", "cohesion", "medoid")


def without_faces(clusters: Clusters, vectors: FaceVectors, faces: Collection[int]) -> Clusters:
    """Return the rows of all other faces. A cluster that loses a face is measured anew; the rest stays as it is.

    vectors: face_id and vector; a face may be there twice, with the same vector.
    """
    gone = F.col("face_id").isin(*faces)
    touched = F.broadcast(clusters.where(gone).select("scope", "cluster_id").distinct())
    left = clusters.where(~gone)
    others = left.join(touched, ["scope", "cluster_id"], how="left_anti").select(*clusters.columns)
    affected = left.join(touched, ["scope", "cluster_id"], how="left_semi").select(*clusters.columns)
    mine = affected.select("face_id").distinct()
    # Only the vectors that are needed travel.
    needed = vectors.join(broadcast_if_few(mine, mine.count()), "face_id", how="left_semi").dropDuplicates(["face_id"])
    parts = [others, *(_measured(affected, needed, scope) for scope in ("identity", "global", "heap"))]
    every = parts[0]
    for part in parts[1:]:
        every = every.unionByName(part)
    return Clusters(every)


def _measured(affected: DataFrame, vectors: DataFrame, scope: str) -> DataFrame:
    mine = affected.where(F.col("scope") == scope)
    labels = F.array("cluster_id").alias("labels")
    faces = mine.join(vectors, "face_id", how="inner")
    members = faces.select(F.col("cluster_id").alias("cluster"), "face_id", "vector", labels, "settled")
    measured = medoids(Members(members.select(*MEMBERS.names)))
    anew = measured.select("face_id", *(F.col(name).alias(f"new_{name}") for name in _MEASURED))
    # A face without a vector, which only other hands can have taken away, stays as it was.
    values = {name: F.coalesce(f"new_{name}", name) for name in _MEASURED}
    return mine.join(anew, "face_id", how="left").withColumns(values).select(*affected.columns)


def renames(lake: Lake, faces: Collection[int]) -> Renames:
    """Return other ids for clusters whose id is that of an erased face, if faces stay in them."""
    at = lake.current(tables.CLUSTERS)
    if at is None or not faces:
        return ()
    bearing = F.col("cluster_id").isin(*faces) & ~F.col("face_id").isin(*faces)
    rows = (
        lake.read(tables.CLUSTERS, at)
        .where(bearing)
        .groupBy("scope", "cluster_id")
        .agg(F.min("face_id").alias("first"))
        .collect()
    )
    free = _free(lake, {(row.scope, row.first) for row in rows})
    return tuple((row.scope, row.cluster_id, free[row.scope, row.first]) for row in rows)


def _free(lake: Lake, new: Collection[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """Return ids of new clusters, as `cluster` names them: the smallest face, else the first digest that is free.

    new: scope and smallest face of each.
    """
    free = {each: each[1] for each in new}
    number, taken = 0, _borne(lake, free)
    while taken:
        number += 1
        later = {(scope, face): digest_id(scope, str(face), str(number)) for scope, face in taken}
        free, taken = free | later, _borne(lake, later)
    return free


def _borne(lake: Lake, names: Mapping[tuple[str, int], int]) -> list[tuple[str, int]]:
    """Return those whose names are borne already."""
    if not names:
        return []
    borne = borne_ids(lake).where(F.col("cluster_id").isin(*names.values())).distinct().collect()
    there = {(row.scope, row.cluster_id) for row in borne}
    return [(scope, face) for (scope, face), name in names.items() if (scope, name) in there]
