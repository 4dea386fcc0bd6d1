"""Clusters of an earlier version: the labels that a vote begins with, and the ids that its clusters inherit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.cluster.lineage import lineage
from facesieve.core.ids import digest_id
from facesieve.core.tables import CLUSTERS
from facesieve.lake.records import ClusterRecord, VoteBasis
from facesieve.lake.run import Stage
from facesieve.link.epoch import Epoch


@dataclass(frozen=True)
class Ancestry:
    """The earlier version of `clusters`, as this stage found it.

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
        return self.stage.since[CLUSTERS.name].id

    def former(self, scope: str) -> DataFrame:
        """Return the earlier version's rows of a scope."""
        return self.stage.former(CLUSTERS).where(F.col("scope") == scope)

    def labelled(self, faces: DataFrame, scope: str) -> DataFrame:
        """Add to `faces` (face_id, and others) the label to begin with.

        It is the smallest face of its former cluster that is still there; a face that is new, or had joined as a
        leftover, begins with its own.
        """
        if not self.continues:
            return faces.withColumn("label", F.col("face_id"))
        voted = self.former(scope).where(~F.col("attached")).select("face_id", "cluster_id")
        present = faces.select("face_id").join(voted, "face_id", how="inner")
        first = present.groupBy("cluster_id").agg(F.min("face_id").alias("first"))
        begin = present.join(first, "cluster_id", how="inner").select("face_id", "first")
        label = F.coalesce("first", "face_id").alias("label")
        return faces.join(begin, "face_id", how="left").select(*faces.columns, label)

    def named(self, rows: DataFrame, scope: str) -> tuple[DataFrame, dict[str, Any] | None]:
        """Give clusters their lasting ids, and return what has changed since the earlier version.

        rows: face_id, cluster_id (its smallest face_id), and others, persisted. A cluster without an heir's id keeps
        its smallest face_id, unless that has been borne in this scope.
        """
        if not self.exists:
            return rows, None
        clusters = rows.select("face_id", F.col("cluster_id").alias("cluster"))
        found = lineage(clusters, self.former(scope))
        new = clusters.select("cluster").distinct().join(found.heirs, "cluster", how="left_anti")
        renamed = _renamed(scope, self._borne(scope, new), self._ever(scope))
        names = found.heirs.select("cluster", F.col("cluster_id").alias("name"))
        if renamed:
            names = names.unionByName(rows.sparkSession.createDataFrame(renamed, names.schema))
        named = rows.join(names.withColumnRenamed("cluster", "cluster_id"), "cluster_id", how="left")
        return named.withColumn("cluster_id", F.coalesce("name", "cluster_id")).select(*rows.columns), found.churn

    def _ever(self, scope: str) -> DataFrame:
        """Return every cluster_id that any version of the table bears in the scope."""
        versions = [each.where(F.col("scope") == scope) for each in self.stage.versions(CLUSTERS)]
        return reduce(DataFrame.unionByName, [each.select("cluster_id") for each in versions])

    def _borne(self, scope: str, new: DataFrame) -> list[int]:
        ids = self._ever(scope).withColumnRenamed("cluster_id", "cluster")
        return sorted(row.cluster for row in new.join(ids, "cluster", how="left_semi").collect())


def ancestry(stage: Stage, epoch: Epoch, settings: Mapping[str, Any]) -> Ancestry:
    """Look at the version of `clusters` that stands now.

    Its labels are a beginning if it came from the same epoch of linking with the same settings and had settled.
    """
    made_of = json.dumps(dict(settings), sort_keys=True)
    begun = VoteBasis(epoch=epoch.name, settings=hashlib.sha256(made_of.encode()).hexdigest())
    since = stage.since[CLUSTERS.name]
    if not since.key:
        return Ancestry(stage, begun, continues=False, exists=False)
    former = stage.run.ledger.step_of(since.run, stage.name)
    continues = not stage.run.full and isinstance(former, ClusterRecord) and _may_begin_with(former, begun, epoch)
    return Ancestry(stage, begun, continues=continues, exists=True)


def _may_begin_with(former: ClusterRecord, begun: VoteBasis, epoch: Epoch) -> bool:
    scopes = [former.scopes[scope] for scope in epoch.cosines if scope in former.scopes]
    return former.begun == begun and all(scope.settled for scope in scopes)


def _renamed(scope: str, borne: list[int], ever: DataFrame) -> list[tuple[int, int]]:
    """Name clusters whose smallest face_id has been borne: the digest with the least free number."""
    found = []
    for cluster in borne:
        number = 1
        while not ever.where(F.col("cluster_id") == digest_id(scope, str(cluster), str(number))).isEmpty():
            number += 1
        found.append((cluster, digest_id(scope, str(cluster), str(number))))
    return found
