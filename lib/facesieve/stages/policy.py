"""The keep policy `largest`: what the graph says of each face of a folder, were its image to be decided by that face.

A folder is the images of one identity or, for images without one, of one cluster of the heap. Only images up for
decision count (not the failed, not duplicates, not equal bytes under two identities): so equal bytes count once, and
what is kept of an identity is not made large by what is not. An image counts in the cluster of each of its faces, and
in the heap whether or not it bears an identity.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from facesieve.reasons import Reason, Verdict
from facesieve.tables import Clusters

FOLDER = ("identity", "pool", "loner")
"""The columns that name a folder: identity; without one the heap cluster; without either the image itself."""

_DOUBTFUL = (Reason.TWO_IDENTITIES, Reason.CLOSE_MODES, Reason.UNCLUSTERED)


def judged(standing: DataFrame, clusters: Clusters, min_faces: int, link_scope: str) -> DataFrame:
    """Say of each row of `standing` what would become of its image.

    Adds FOLDER, cluster_scope, cluster_id, verdict, main (the face is in the folder's largest cluster) and share (of
    its cluster in the folder; null without an identity); completes reason (null: keep). Of images without an identity
    the leading face alone remains. `link_scope` is identity, heap or both.
    """
    scoped = _scoped(standing, clusters, link_scope)
    may_speak = F.col("identity").isNotNull() | F.coalesce("leading", F.lit(True))
    sized = _sized(_in_folders(scoped.where(may_speak)))
    reason = F.coalesce("reason", _reason(min_faces))
    main = F.coalesce(F.col("cluster_id") == F.col("first"), F.lit(False))
    decided = sized.withColumns({"reason": reason, "main": main, "share": _share()})
    return decided.withColumn("verdict", _verdict())


def _scoped(standing: DataFrame, clusters: Clusters, link_scope: str) -> DataFrame:
    """Attach the cluster in the scope that decides, and how many images the face's heap cluster has."""
    by_face = clusters.groupBy("face_id").agg(_cluster_in("identity"), _cluster_in("heap"))
    faces = standing.join(by_face, "face_id", how="left")
    scope = F.lit("heap" if link_scope == "heap" else "identity")
    if link_scope == "both":
        scope = F.when(F.col("identity").isNull(), "heap").otherwise("identity")
    cluster_id = F.when(scope == "heap", F.col("in_heap")).otherwise(F.col("in_identity"))
    unclustered = F.when(F.col("in_heap").isNull(), F.col("image_id"))
    heap_cluster = Window.partitionBy("in_heap", unclustered)
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
    """Number of images up for decision in a group: an image with several faces in it counts once."""
    return F.size(F.collect_set(F.when(F.col("reason").isNull(), F.col("image_id"))).over(group))


def _in_folders(faces: DataFrame) -> DataFrame:
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
    """Count the images of each cluster and folder, and find the first and last of the folder's largest clusters."""
    folder = Window.partitionBy(*FOLDER)
    cluster = Window.partitionBy(*FOLDER, "cluster_id")
    counted = faces.repartition(*FOLDER).withColumn("size", _images(cluster))
    size_of_cluster = F.when(F.col("cluster_id").isNotNull(), F.col("size"))
    ranked = counted.withColumns({"largest": F.max(size_of_cluster).over(folder), "folder_size": _images(folder)})
    largest = F.when(F.col("size") == F.col("largest"), F.col("cluster_id"))
    return ranked.withColumns({"first": F.min(largest).over(folder), "last": F.max(largest).over(folder)})


def _reason(min_faces: int) -> Column:
    nameless = F.col("identity").isNull()
    return (
        F.when(F.col("cluster_id").isNull(), Reason.UNCLUSTERED.value)
        .when(nameless & (F.col("heap_size") < min_faces), Reason.UNCLUSTERED.value)
        .when(nameless, None)
        .when(F.col("largest") < min_faces, Reason.IDENTITY_TOO_SMALL.value)
        .when(F.col("size") < F.col("largest"), Reason.OUTLIER.value)
        .when(F.col("first") < F.col("last"), Reason.CLOSE_MODES.value)
    )


def _share() -> Column:
    counts = F.col("identity").isNotNull() & F.col("cluster_id").isNotNull() & (F.col("folder_size") > 0)
    return F.when(counts, (F.col("size") / F.col("folder_size")).cast("float"))


def _verdict() -> Column:
    reason = F.col("reason")
    return (
        F.when(F.col("face_id").isNull(), Verdict.FAIL.value)
        .when(reason.isNull(), Verdict.KEEP.value)
        .when(reason.isin([doubt.value for doubt in _DOUBTFUL]), Verdict.QUARANTINE.value)
        .otherwise(Verdict.DROP.value)
    )
