"""The cluster owner: the folder that a cluster of the scope `global` belongs to."""

from __future__ import annotations

from typing import NewType

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from facesieve.core.frames import columns
from facesieve.decide.evidence import SpeakingFaces

LEAST_CORE = 3
"""Images that a folder needs in a cluster to be its owner: fewer may be there by chance."""

ClusterOwners = NewType("ClusterOwners", DataFrame)
OWNERS = columns("cluster_id bigint, owner string, largest int")
"""The clusters that are the main cluster of a folder, the folder, and the images of the folder's own main cluster."""


def cluster_owners(faces: SpeakingFaces) -> ClusterOwners:
    """Return the owner of each cluster of the scope `global` that is the main cluster of a folder.

    Of the folders whose main cluster it is, the owner has the most core images in it; of equal ones it is the first by
    name. Folders of fewer than LEAST_CORE such images own nothing.
    """
    named = faces.where(is_core() & F.col("main_global").isNotNull() & F.col("identity").isNotNull())
    folders = named.groupBy("identity", F.col("main_global").alias("cluster_id")).agg(
        F.count_distinct("image_id").alias("core"),
        F.max("largest").alias("largest"),
    )
    first = Window.partitionBy("cluster_id").orderBy(F.desc("core"), "identity")
    ranked = folders.where(F.col("core") >= LEAST_CORE).withColumn("rank", F.row_number().over(first))
    return ClusterOwners(ranked.where("rank = 1").select("cluster_id", F.col("identity").alias("owner"), "largest"))


def is_core() -> Column:
    """Whether a face is of its folder's core: it counts, in the main cluster of its scope and of `global`."""
    return F.col("main") & F.col("counted") & F.col("in_main_global")
