"""Which folder a heap cluster belongs to: where the heap and the folders meet."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

LEAST_CORE = 3
"""Images that a folder needs in a heap cluster to lay claim to it: fewer may be there by chance."""


def claims(told: DataFrame) -> DataFrame:
    """Return one row per named folder that has a home in the heap.

    `told`: what `evidence.with_evidence` made. Columns: claimer (the identity), home (heap cluster), core (images of
    the folder's main cluster that are in it), largest (images of its main cluster) and owner (of the claimers of one
    home the one with the most; of equal ones the first by name).
    """
    named = told.where(is_core() & F.col("home").isNotNull() & F.col("identity").isNotNull())
    folders = named.groupBy(F.col("identity").alias("claimer"), "home").agg(
        F.count_distinct("image_id").alias("core"),
        F.max("largest").alias("largest"),
    )
    one_home = Window.partitionBy("home")
    first = F.min(F.struct(-F.col("core"), F.col("claimer"))).over(one_home)
    return folders.where(F.col("core") >= LEAST_CORE).select(
        *("claimer", "home", "core", "largest"), first["claimer"].alias("owner")
    )


def is_core() -> Column:
    """Whether a face is of its folder's core: it counts, in the main cluster, at home."""
    return F.col("main") & F.col("counted") & F.col("at_home")


def cores(told: DataFrame, folders: DataFrame) -> DataFrame:
    """Return the core faces (identity, face_id) of the folders whose identity stands in `folders`."""
    return told.where(is_core()).select("identity", "face_id").join(folders, on="identity", how="left_semi")
