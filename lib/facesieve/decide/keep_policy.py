"""The keep policies: what the graph says of each face of a folder, were its image to be decided by that face.

A folder is the images of one identity or, for images without one, of one cluster of the heap. Only images that count
do so (not the failed, not duplicates, not equal bytes under two identities): so equal bytes count once, and what is
kept of an identity is not made large by what is not. An image counts in the cluster of each of its faces, and in the
heap whether or not it bears an identity.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from facesieve.core import config
from facesieve.core.reasons import Reason
from facesieve.core.tables import Clusters

FOLDER = ("identity", "pool", "loner")
"""The columns that name a folder: identity; without one the heap cluster; without either the image itself."""

POLICIES = ("largest", "modes", "medoid")


def in_folders(standing: DataFrame, clusters: Clusters, settings: config.Decide, link_scope: str) -> DataFrame:
    """Count the clusters of each folder, for the rows of `standing`.

    Adds FOLDER, cluster_scope, cluster_id, in_global (the face's heap cluster), heap_size, size (images of the cluster
    in the folder), largest, runner_up (sizes of the folder's largest and second cluster), main (the face is in the
    largest; of equal ones that of the smallest id), mode (its cluster is of `min_faces`) and share (of its cluster in
    the folder; null without an identity). Of images without an identity the leading face alone remains.
    """
    scoped = _scoped(standing, clusters, link_scope)
    may_speak = F.col("identity").isNotNull() | F.coalesce("leading", F.lit(True))
    sized = _sized(_named(scoped.where(may_speak)))
    main = F.coalesce(F.col("cluster_id") == F.col("first"), F.lit(False))
    mode = F.coalesce(F.col("size_of_cluster") >= settings.min_faces, F.lit(False))
    folder = Window.partitionBy(*FOLDER)
    runner_up = F.coalesce(F.max(F.when(~main, F.col("size_of_cluster"))).over(folder), F.lit(0))
    return sized.withColumns({"main": main, "mode": mode, "share": _share(), "runner_up": runner_up})


def folder_reason(policy: str, settings: config.Decide) -> Column:
    """Say why an image would not be kept by a policy, for the rows of `in_folders` (null: kept).

    `largest`: the largest cluster, unless the second one is nearly as large (`decide.close_share`); `modes`: every
    cluster of `decide.min_faces`; `medoid`: those modes whose medoid is `near` the largest's (a column that the faces'
    vectors give).
    """
    nameless = F.col("identity").isNull()
    return (
        F.when(F.col("cluster_id").isNull(), Reason.UNCLUSTERED.value)
        .when(nameless & (F.col("heap_size") < settings.min_faces), Reason.UNCLUSTERED.value)
        .when(nameless, None)
        .when(F.col("largest") < settings.min_faces, Reason.IDENTITY_TOO_SMALL.value)
        .otherwise(_of_large_folder(policy, settings))
    )


def _of_large_folder(policy: str, settings: config.Decide) -> Column:
    if policy == "largest":
        # Rounded, since 0.7 x 10 is a little more than 7.
        close = F.round(F.lit(settings.close_share) * F.col("largest"), 6)
        contested = F.col("runner_up") >= close
        return F.when(F.col("size") < close, Reason.OUTLIER.value).when(contested, Reason.CLOSE_MODES.value)
    kept = F.col("mode") if policy == "modes" else F.col("mode") & F.col("near")
    return F.when(~kept, Reason.OUTLIER.value)


def _scoped(standing: DataFrame, clusters: Clusters, link_scope: str) -> DataFrame:
    """Attach the cluster in the scope that decides, and how many images the face's heap cluster has."""
    by_face = clusters.groupBy("face_id").agg(_cluster_in("identity"), _cluster_in("global"))
    faces = standing.join(by_face, "face_id", how="left")
    scope = F.lit("global" if link_scope == "global" else "identity")
    if link_scope == "both":
        scope = F.when(F.col("identity").isNull(), "global").otherwise("identity")
    cluster_id = F.when(scope == "global", F.col("in_global")).otherwise(F.col("in_identity"))
    unclustered = F.when(F.col("in_global").isNull(), F.col("image_id"))
    heap_cluster = Window.partitionBy("in_global", unclustered)
    return faces.withColumns(
        {
            "cluster_id": cluster_id,
            "cluster_scope": F.when(cluster_id.isNotNull(), scope),
            "heap_size": F.lit(0) if link_scope == "identity" else _images(heap_cluster),
        }
    )


def _cluster_in(scope: str) -> Column:
    return F.max(F.when(F.col("scope") == scope, F.col("cluster_id"))).alias(f"in_{scope}")


def _images(group: WindowSpec) -> Column:
    """Number of images that count in a group: an image with several faces in it counts once."""
    return F.size(F.collect_set(F.when(F.col("counted"), F.col("image_id"))).over(group))


def _named(faces: DataFrame) -> DataFrame:
    failed = F.col("face_id").isNull()
    nameless = F.col("identity").isNull()
    clustered = F.col("cluster_id").isNotNull()
    return faces.withColumns(
        {
            "pool": F.when(nameless, F.col("cluster_id")),
            "loner": F.when(failed | (nameless & ~clustered), F.col("image_id")),
        }
    )


def _sized(faces: DataFrame) -> DataFrame:
    """Count the images of each cluster and folder, and find the first of the folder's largest clusters."""
    folder = Window.partitionBy(*FOLDER)
    cluster = Window.partitionBy(*FOLDER, "cluster_id")
    counted = faces.repartition(*FOLDER).withColumn("size", _images(cluster))
    size_of_cluster = F.when(F.col("cluster_id").isNotNull(), F.col("size"))
    ranked = counted.withColumn("size_of_cluster", size_of_cluster).withColumns(
        {"largest": F.max(size_of_cluster).over(folder), "folder_size": _images(folder)}
    )
    largest = F.when(F.col("size") == F.col("largest"), F.col("cluster_id"))
    return ranked.withColumn("first", F.min(largest).over(folder))


def _share() -> Column:
    counts = F.col("identity").isNotNull() & F.col("cluster_id").isNotNull() & (F.col("folder_size") > 0)
    return F.when(counts, (F.col("size") / F.col("folder_size")).cast("float"))
