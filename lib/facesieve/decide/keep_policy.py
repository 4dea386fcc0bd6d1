"""The keep policies: what the graph says of each face of a folder, were its image to be decided by that face.

A folder is the images of one identity or, for images without one, of one cluster of the scope `global`. Only images
that count do so (not the failed, not duplicates, not equal bytes under two identities). So equal bytes count once, and
what is kept of an identity is not made large by what is not. An image counts in the cluster of each of its faces, and
in the scope `global` whether or not it bears an identity.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import NewType

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F
from pyspark.sql import types as T

from facesieve.core import sections
from facesieve.core.frames import columns
from facesieve.core.tables import Clusters
from facesieve.decide.eligibility import ELIGIBLE, EligibleFaces

FOLDER = ("identity", "pool", "loner")
"""The columns that name a folder: identity; without one the global cluster; without either the image itself."""

POLICIES = ("largest", "modes", "medoid")

OBJECTIONS = ("unclustered", "too_small", "outlier", "close_modes")
"""What a policy may have against an image, in order of precedence."""

FolderFaces = NewType("FolderFaces", DataFrame)
FOLDER_FACES = T.StructType(
    [
        *ELIGIBLE,
        *columns(
            "pool bigint, loner bigint, cluster_scope string, cluster_id bigint, in_global bigint, global_size int, "
            "size int, folder_size int, largest int, runner_up int, main boolean, mode boolean, share float"
        ),
    ]
)
"""in_global: the face's cluster of the scope `global`, of global_size images. size: images of its cluster in the
folder, which has folder_size. largest, runner_up: sizes of the folder's largest and second cluster. main: the face is
in the main cluster, the largest; of equal ones that of the smallest id. mode: its cluster is of `decide.min_faces`.
share: of its cluster in the folder; null without an identity."""


def in_folders(faces: EligibleFaces, clusters: Clusters, settings: sections.Decide, link_scope: str) -> FolderFaces:
    """Count the clusters of each folder. Of images without an identity the leading face alone remains."""
    scoped = _scoped(faces, clusters, link_scope)
    may_speak = F.col("identity").isNotNull() | F.coalesce("leading", F.lit(True))
    sized = _sized(_named(scoped.where(may_speak)))
    main = F.coalesce(F.col("cluster_id") == F.col("first"), F.lit(False))
    mode = F.coalesce(F.col("size_of_cluster") >= settings.min_faces, F.lit(False))
    folder = Window.partitionBy(*FOLDER)
    runner_up = F.coalesce(F.max(F.when(~main, F.col("size_of_cluster"))).over(folder), F.lit(0))
    counted = sized.withColumns({"main": main, "mode": mode, "share": _share(), "runner_up": runner_up})
    return FolderFaces(counted.select(*FOLDER_FACES.names))


def objections(policy: str, settings: sections.Decide) -> dict[str, Column]:
    """Say what a policy has against an image, for the rows of `in_folders`: booleans, never null, by OBJECTIONS.

    `largest` keeps the largest cluster, unless the second one is nearly as large (`decide.close_share`). `modes` keeps
    every cluster of `decide.min_faces`. `medoid` keeps those modes whose medoid is `near` the largest's, a column that
    the faces' vectors give. With `decide.small_folders` = keep the largest cluster may be smaller than a mode.
    """
    named = F.col("identity").isNotNull()
    small = ~named & (F.col("global_size") < settings.min_faces)
    # Rounded, since 0.7 x 10 is a little more than 7.
    close = F.round(F.lit(settings.close_share) * F.col("largest"), 6)
    keeps_small = settings.small_folders == "keep"
    mode = F.col("mode") | F.col("main") if keeps_small else F.col("mode")
    outlier = {"largest": F.col("size") < close, "modes": ~mode, "medoid": ~(mode & F.col("near"))}
    terms = {
        "unclustered": F.col("cluster_id").isNull() | small,
        "too_small": named & F.lit(not keeps_small) & (F.col("largest") < settings.min_faces),
        "outlier": named & outlier[policy],
        "close_modes": named & F.lit(policy == "largest") & (F.col("runner_up") >= close),
    }
    return {name: F.coalesce(objection, F.lit(False)) for name, objection in terms.items()}


def approves(objections: Iterable[Column]) -> Column:
    """Whether a policy approves of an image: it has no objection."""
    return ~reduce(or_, objections)


def _scoped(eligible: EligibleFaces, clusters: Clusters, link_scope: str) -> DataFrame:
    """Attach the cluster in the scope that decides, and the size of the face's cluster in the scope `global`."""
    by_face = clusters.groupBy("face_id").agg(_cluster_in("identity"), _cluster_in("global"))
    faces = eligible.join(by_face, "face_id", how="left")
    scope = F.lit("global" if link_scope == "global" else "identity")
    if link_scope == "both":
        scope = F.when(F.col("identity").isNull(), "global").otherwise("identity")
    cluster_id = F.when(scope == "global", F.col("in_global")).otherwise(F.col("in_identity"))
    unclustered = F.when(F.col("in_global").isNull(), F.col("image_id"))
    global_cluster = Window.partitionBy("in_global", unclustered)
    return faces.withColumns(
        {
            "cluster_id": cluster_id,
            "cluster_scope": F.when(cluster_id.isNotNull(), scope),
            "global_size": F.lit(0) if link_scope == "identity" else _images(global_cluster),
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
