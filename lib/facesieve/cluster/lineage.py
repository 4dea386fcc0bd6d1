"""Clusters that keep their ids from one version to the next, and how much has changed between the two.

A cluster claims the id of the former cluster that it shares most faces with (ties: the smaller id); of several that
claim one id, the one that shares most faces has it (ties: the one with the smallest face_id).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


@dataclass(frozen=True)
class Lineage:
    """Who inherits: cluster bigint, cluster_id bigint (the former id), a row per heir, persisted; and the churn."""

    heirs: DataFrame
    churn: dict[str, Any]


def lineage(clusters: DataFrame, former: DataFrame) -> Lineage:
    """Match clusters with those of the earlier version by the faces they share.

    clusters: face_id, cluster (bigint), one row per face; former: face_id, cluster_id, likewise.

    Churn: `births`, clusters that inherit no id; `deaths`, former clusters whose id nobody has; `merges`, clusters with
    faces of several former ones; `splits`, former clusters with faces in several; `faces`, those in both versions;
    `changed`, the share of these whose mates (faces of both versions in the same cluster) are not the same ones.
    """
    both = clusters.join(former.select("face_id", "cluster_id"), "face_id", how="inner")
    shared = both.groupBy("cluster", "cluster_id").agg(F.count("*").alias("shared")).persist()
    claims = shared.groupBy("cluster").agg(F.min(_most("cluster_id")).alias("claim"))
    claimed = claims.select("cluster", F.col("claim.id").alias("cluster_id"), F.col("claim.minus").alias("minus"))
    won = claimed.groupBy("cluster_id").agg(F.min(F.struct("minus", "cluster")).alias("heir"))
    heirs = won.select(F.col("heir.cluster").alias("cluster"), "cluster_id").persist()
    inherited = heirs.count()
    born = clusters.select("cluster").distinct().count() - inherited
    died = former.select("cluster_id").distinct().count() - inherited
    churn = {"births": born, "deaths": died, **_changes(shared)}
    shared.unpersist()
    return Lineage(heirs, churn)


def _most(name: str) -> Column:
    return F.struct((-F.col("shared")).alias("minus"), F.col(name).alias("id"))


def _changes(shared: DataFrame) -> dict[str, Any]:
    new = shared.groupBy("cluster").agg(F.sum("shared").alias("of_new"), F.count("*").alias("from"))
    old = shared.groupBy("cluster_id").agg(F.sum("shared").alias("of_old"), F.count("*").alias("into"))
    cells = shared.join(new, "cluster", how="inner").join(old, "cluster_id", how="inner")
    same = (F.col("shared") == F.col("of_new")) & (F.col("shared") == F.col("of_old"))
    row = cells.agg(
        F.count_distinct(F.when(F.col("from") > 1, F.col("cluster"))).alias("merges"),
        F.count_distinct(F.when(F.col("into") > 1, F.col("cluster_id"))).alias("splits"),
        F.coalesce(F.sum("shared"), F.lit(0)).alias("faces"),
        F.coalesce(F.sum(F.when(~same, F.col("shared"))), F.lit(0)).alias("changed"),
    ).collect()[0]
    share = row.changed / row.faces if row.faces else 0.0
    return {"merges": row.merges, "splits": row.splits, "faces": row.faces, "changed": share}
