"""Folders and clusters with their size, what became of their images, and how much trouble they are."""

from __future__ import annotations

from typing import NewType

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from facesieve.assess.report_page.looked_at import LookedAt
from facesieve.assess.report_page.run_tables import RunTables
from facesieve.core.frames import columns
from facesieve.core.reasons import Verdict, is_published

GroupFacts = NewType("GroupFacts", DataFrame)
"""One row per folder and per cluster, with the columns of GROUP_FACTS."""

GROUP_FACTS = columns(
    "kind string, identity string, cluster bigint, number bigint, size bigint, kept bigint, modes bigint, "
    "cohesion double, stability double, medoid bigint, trouble double, keep bigint, drop bigint, move bigint, "
    "quarantine bigint, fail bigint"
)
"""kind: folder (identity is its name) or cluster (of the scope global). number: from 1, folders by name, clusters by
size. modes: clusters of two images and more in a folder, folders of two images and more in a cluster. medoid: face of
the largest mode, or of the cluster. trouble: images expected to be wrong."""

_LEAST = 2
"""Images from which a cluster in a folder, or a folder in a cluster, counts as a mode."""


def group_facts(images: LookedAt, run: RunTables) -> GroupFacts:
    """Count folders and clusters; images: persisted. The frame is not persisted."""
    scopes = run.scopes
    own = "identity" if "identity" in scopes else "global"
    folders = _folders(images, _cluster_facts(run, own)).select(*GROUP_FACTS.names)
    if "global" not in scopes:
        return GroupFacts(folders)
    clusters = _clusters(images, _cluster_facts(run, "global")).select(*GROUP_FACTS.names)
    return GroupFacts(folders.unionByName(clusters))


def _cluster_facts(run: RunTables, scope: str) -> DataFrame:
    """Cluster, cohesion, mean stability and medoid of a scope."""
    rows = run.clusters.where(F.col("scope") == scope).groupBy(F.col("cluster_id").alias("of"))
    return rows.agg(
        F.first("cohesion", ignorenulls=True).cast("double").alias("cohesion"),
        F.avg(F.when(~F.col("attached"), F.col("stability").cast("double"))).alias("stability"),
        F.min(F.when(F.col("medoid"), F.col("face_id"))).alias("medoid"),
    )


def _folders(images: LookedAt, facts: DataFrame) -> DataFrame:
    named = images.where("identity IS NOT NULL")
    modes = named.where("mode IS NOT NULL").groupBy("identity", "mode").agg(F.count("*").alias("images"))
    counted = modes.groupBy("identity").agg(_several("images"))
    main = named.groupBy("identity").agg(F.max(F.when(F.col("main"), F.col("mode"))).alias("of"), *_counts())
    rows = main.join(counted, "identity", how="left").join(facts, "of", how="left")
    number = F.row_number().over(Window.orderBy("identity")).cast("bigint")
    return rows.withColumns(
        {"kind": F.lit("folder"), "cluster": F.lit(None).cast("bigint"), "number": number, "modes": _none("modes")}
    )


def _clusters(images: LookedAt, facts: DataFrame) -> DataFrame:
    inside = images.where("cluster IS NOT NULL")
    folders = inside.where("identity IS NOT NULL").groupBy("cluster", "identity").agg(F.count("*").alias("images"))
    counted = folders.groupBy("cluster").agg(_several("images"))
    rows = inside.groupBy("cluster").agg(*_counts()).join(counted, "cluster", how="left")
    with_facts = rows.join(facts.withColumnRenamed("of", "cluster"), "cluster", how="left")
    number = F.row_number().over(Window.orderBy(F.desc("size"), "cluster")).cast("bigint")
    return with_facts.withColumns(
        {"kind": F.lit("cluster"), "identity": F.lit(None).cast("string"), "number": number, "modes": _none("modes")}
    )


def _counts() -> list[Column]:
    verdicts = [F.count_if(F.col("verdict") == each.value).alias(each.value) for each in Verdict]
    published = F.count_if(is_published(F.col("verdict"))).alias("kept")
    return [F.count("*").alias("size"), published, F.sum("wrong").alias("trouble"), *verdicts]


def _several(name: str) -> Column:
    return F.count_if(F.col(name) >= _LEAST).alias("modes")


def _none(name: str) -> Column:
    return F.coalesce(F.col(name), F.lit(0)).cast("bigint")
