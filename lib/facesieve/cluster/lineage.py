"""Clusters that keep their ids from one version to the next: the labels to begin with, the ids inherited, the churn.

A cluster claims the id of the former cluster that it shares most faces with (ties: the smaller id). Of several that
claim one id, the cluster that shares most faces has it (ties: the cluster with the smallest face_id).

Example: six faces, in the new clusters 1 and 4, and in the former clusters 10 and 20.

    face      1   2   3   4   5   6        cluster claims shares       cluster has the id
    cluster   1   1   1   4   4   4   ->         1     10      2   ->        1         10
    former   10  10  20  10  20  20              4     20      2             4         20
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from facesieve.cluster.borne_ids import borne_ids
from facesieve.cluster.frames import ClusteredFaces, FaceVectors, Voters
from facesieve.core.ids import digest_id
from facesieve.core.tables import CLUSTERS, FORMER_SCOPES, Clusters
from facesieve.lake.records import ClusterRecord
from facesieve.lake.run import Stage
from facesieve.lake.scope_records import ChurnRecord, VoteBasis
from facesieve.link.epoch import Epoch


@dataclass(frozen=True)
class FormerClusters:
    """The earlier version of `clusters`, as this step found it.

    begun: what a later run compares to know whether it may begin with this run's labels. continues: whether this run
    may begin with the former labels; exists: whether there is a former version at all.
    """

    stage: Stage
    begun: VoteBasis
    continues: bool
    exists: bool

    @property
    def snapshot(self) -> int:
        """Return the snapshot id of the earlier version."""
        return self.stage.since[CLUSTERS.name].version

    def of_scope(self, scope: str) -> Clusters:
        """Return the earlier version's rows of a scope."""
        return Clusters(self.stage.former(CLUSTERS).where(_of_scope(scope)))

    def labelled(self, faces: FaceVectors, scope: str) -> Voters:
        """Add to `faces` the label to begin with.

        It is the smallest face of its former cluster that is still there; a face that is new, or had joined as a
        leftover, begins with its own.
        """
        if not self.continues:
            return Voters(faces.withColumn("label", F.col("face_id")))
        voted = self.of_scope(scope).where(~F.col("attached")).select("face_id", "cluster_id")
        present = faces.select("face_id").join(voted, "face_id", how="inner")
        first = present.groupBy("cluster_id").agg(F.min("face_id").alias("first"))
        begin = present.join(first, "cluster_id", how="inner").select("face_id", "first")
        label = F.coalesce("first", "face_id").alias("label")
        return Voters(faces.join(begin, "face_id", how="left").select(*faces.columns, label))

    def named(self, rows: ClusteredFaces, scope: str) -> tuple[ClusteredFaces, ChurnRecord | None]:
        """Give clusters their lasting ids, and return what has changed since the earlier version.

        rows: persisted. A cluster that inherits no id keeps its smallest face_id, unless that has been an id in this
        scope before.
        """
        if not self.exists:
            return rows, None
        inherited = lineage(rows, self.of_scope(scope))
        new = (
            rows.select(F.col("cluster_id").alias("cluster"))
            .distinct()
            .join(inherited.heirs, "cluster", how="left_anti")
        )
        ever = self._ever(scope)
        renamed = _renamed(scope, _in_use(new, ever), ever)
        names = inherited.heirs.select("cluster", F.col("cluster_id").alias("name"))
        if renamed:
            names = names.unionByName(rows.sparkSession.createDataFrame(renamed, names.schema))
        joined = rows.join(names.withColumnRenamed("cluster", "cluster_id"), "cluster_id", how="left")
        with_names = joined.withColumn("cluster_id", F.coalesce("name", "cluster_id")).select(*rows.columns)
        return ClusteredFaces(with_names), inherited.churn

    def _ever(self, scope: str) -> DataFrame:
        """Return every cluster_id that any version of the table has or had in the scope."""
        return borne_ids(self.stage.run.lake).where(_of_scope(scope)).select("cluster_id")


def former_clusters(stage: Stage, epoch: Epoch, settings: Mapping[str, Any]) -> FormerClusters:
    """Look at the version of `clusters` that is current now.

    Its labels are a beginning if it came from the same epoch of linking with the same settings and had settled.
    """
    made_of = json.dumps(dict(settings), sort_keys=True)
    begun = VoteBasis(epoch=epoch.name, settings=hashlib.sha256(made_of.encode()).hexdigest())
    since = stage.since[CLUSTERS.name]
    if not since.key:
        return FormerClusters(stage, begun, continues=False, exists=False)
    record = stage.run.ledger.step_of(since.run, stage.name)
    continues = not stage.run.full and isinstance(record, ClusterRecord) and _may_begin_with(record, begun, epoch)
    return FormerClusters(stage, begun, continues=continues, exists=True)


def _may_begin_with(former: ClusterRecord, begun: VoteBasis, epoch: Epoch) -> bool:
    scopes = [former.scopes[scope] for scope in epoch.cosines if scope in former.scopes]
    return former.begun == begun and all(scope.settled for scope in scopes)


@dataclass(frozen=True)
class Lineage:
    """Who inherits: cluster bigint, cluster_id bigint (the former id), a row per heir, persisted; and the churn."""

    heirs: DataFrame
    churn: ChurnRecord


def lineage(clusters: ClusteredFaces, former: Clusters) -> Lineage:
    """Match clusters with those of the earlier version by the faces they share; of both, face_id and cluster_id count.

    Churn: `births`, clusters that inherit no id; `deaths`, former clusters whose id nobody has; `merges`, clusters with
    faces of several former ones; `splits`, former clusters with faces in several; `faces`, those in both versions;
    `changed`, the share of these whose mates (faces of both versions in the same cluster) are not the same ones.
    """
    renamed = clusters.select("face_id", F.col("cluster_id").alias("cluster"))
    both = renamed.join(former.select("face_id", "cluster_id"), "face_id", how="inner")
    shared = both.groupBy("cluster", "cluster_id").agg(F.count("*").alias("shared")).persist()
    claims = shared.groupBy("cluster").agg(F.min(_most("cluster_id")).alias("claim"))
    claimed = claims.select("cluster", F.col("claim.id").alias("cluster_id"), F.col("claim.minus").alias("minus"))
    won = claimed.groupBy("cluster_id").agg(F.min(F.struct("minus", "cluster")).alias("heir"))
    heirs = won.select(F.col("heir.cluster").alias("cluster"), "cluster_id").persist()
    inherited = heirs.count()
    born = renamed.select("cluster").distinct().count() - inherited
    died = former.select("cluster_id").distinct().count() - inherited
    churn = replace(_changes(shared), births=born, deaths=died)
    shared.unpersist()
    return Lineage(heirs, churn)


def _most(name: str) -> Column:
    return F.struct((-F.col("shared")).alias("minus"), F.col(name).alias("id"))


def _changes(shared: DataFrame) -> ChurnRecord:
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
    return ChurnRecord(merges=row.merges, splits=row.splits, faces=row.faces, changed=share)


def _in_use(new: DataFrame, ever: DataFrame) -> list[int]:
    """Return the new clusters whose smallest face_id is or was the id of another."""
    ids = ever.withColumnRenamed("cluster_id", "cluster")
    return sorted(row.cluster for row in new.join(ids, "cluster", how="left_semi").collect())


def _of_scope(scope: str) -> Column:
    """Clusters keep their ids over a change of the scope's name."""
    return F.col("scope").isin(scope, *(former for former, name in FORMER_SCOPES.items() if name == scope))


def _renamed(scope: str, clusters: list[int], ever: DataFrame) -> list[tuple[int, int]]:
    """Name clusters whose smallest face_id is in use: the digest with the least free number."""
    names = []
    for cluster in clusters:
        number = 1
        while not ever.where(F.col("cluster_id") == digest_id(scope, str(cluster), str(number))).isEmpty():
            number += 1
        names.append((cluster, digest_id(scope, str(cluster), str(number))))
    return names
