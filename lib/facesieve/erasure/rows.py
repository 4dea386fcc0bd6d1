"""What stays of each table when a subject has left it: the rows of all others, as they were but for its ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from facesieve.cluster.frames import FaceVectors
from facesieve.core import tables
from facesieve.erasure.clusters import without_faces
from facesieve.erasure.kernels.near import near
from facesieve.erasure.ledger_rows import Versions, without_names
from facesieve.erasure.rebase import Rows
from facesieve.erasure.selection import longer_names
from facesieve.erasure.subject import Renames, Subject
from facesieve.lake.catalog import Lake
from facesieve.link.delta import without
from facesieve.link.epoch import stored_faces


@dataclass(frozen=True)
class Leaving:
    """A subject that leaves, the clusters that get other ids, and by which cosine a pivot is one of its vectors.

    versions: former snapshot id -> new one, of the tables that are rewritten already.
    """

    spark: SparkSession
    lake: Lake
    subject: Subject
    renames: Renames
    cosine: float
    versions: Versions

    def rows(self, table: str, rows: Rows) -> Rows:
        """Return the rows of a table that stay."""
        return Rows(_STAYING[table](self, rows))

    def renamed(self, scope: Column, cluster: Column) -> Column:
        """Return the id that a cluster bears from now on."""
        pairs = ((F.when((scope == name) & (cluster == old), F.lit(new))) for name, old, new in self.renames)
        return reduce(lambda column, pair: F.coalesce(pair, column), pairs, cluster)


def _no_id(leaving: Leaving, rows: DataFrame, *names: str) -> DataFrame:
    """Return the rows in which no such column is the id of an image or face of the subject."""
    for name in names:
        ids = leaving.subject.images if name == "image_id" else leaving.subject.faces
        gone = leaving.spark.createDataFrame([(each,) for each in ids], f"`{name}` bigint")
        rows = rows.join(F.broadcast(gone), name, how="left_anti").select(*rows.columns)
    return rows


def _by_image(leaving: Leaving, rows: DataFrame) -> DataFrame:
    return _no_id(leaving, rows, "image_id")


def _by_pair(leaving: Leaving, rows: DataFrame) -> DataFrame:
    return _no_id(leaving, rows, "src", "dst")


def _clusters(leaving: Leaving, rows: DataFrame) -> DataFrame:
    at = leaving.lake.snapshot(tables.EMBEDDINGS)
    vectors = leaving.lake.read(tables.EMBEDDINGS, at).select("face_id", "vector")
    left = without_faces(tables.Clusters(rows), FaceVectors(vectors), leaving.subject.faces)
    return left.withColumn("cluster_id", leaving.renamed(F.col("scope"), F.col("cluster_id"))).select(*rows.columns)


def _decisions(leaving: Leaving, rows: DataFrame) -> DataFrame:
    """References of others to the subject become null: the copy that was kept, the nearest face."""
    gone = F.col("evidence.nearest_face").isin(*leaving.subject.faces)
    nearest = F.when(gone, F.lit(None).cast("bigint")).otherwise(F.col("evidence.nearest_face"))
    changed = {
        "kept_image_id": F.when(~F.col("kept_image_id").isin(*leaving.subject.images), F.col("kept_image_id")),
        "evidence": F.col("evidence").withField("nearest_face", nearest),
        "cluster_id": leaving.renamed(F.col("cluster_scope"), F.col("cluster_id")),
    }
    return _no_id(leaving, rows, "image_id").withColumns(changed).select(*rows.columns)


def _cleaned(leaving: Leaving, rows: DataFrame) -> DataFrame:
    """People without a name are called by their cluster."""
    names = ((F.lit(f"cluster-{old}"), F.lit(f"cluster-{new}")) for _scope, old, new in leaving.renames)
    pairs = (F.when(F.col("identity") == old, new) for old, new in names)
    identity = reduce(lambda column, pair: F.coalesce(pair, column), pairs, F.col("identity"))
    return _no_id(leaving, rows, "image_id").withColumn("identity", identity).select(*rows.columns)


def _epochs(leaving: Leaving, rows: DataFrame) -> DataFrame:
    """Packed faces are packed anew. A pivot that is a vector of the subject ends the epoch: no row stays."""
    settings = rows.where(F.col("kind") == "settings")
    begun = settings.collect()
    pivots = [np.frombuffer(row.pivots, np.float32) for row in begun if row.pivots]
    if len(begun) != 1 or any(near(each, leaving.subject.vectors, leaving.cosine) for each in pivots):
        return rows.limit(0)
    gone = np.array(sorted(leaving.subject.faces), np.int64)
    left = without(stored_faces(tables.Epochs(rows)), gone)
    constants: Mapping[str, Any] = {"epoch": begun[0].epoch, "kind": "faces"}
    named = left.withColumns({name: F.lit(value) for name, value in constants.items()})
    return settings.unionByName(named, allowMissingColumns=True).select(*rows.columns)


def _identity_links(leaving: Leaving, rows: DataFrame) -> DataFrame:
    names = leaving.subject.names
    return rows.where(~F.col("identity_a").isin(*names) & ~F.col("identity_b").isin(*names))


def _cluster_ids(leaving: Leaving, rows: DataFrame) -> DataFrame:
    """The ids that clusters get are borne from now on."""
    new = [(scope, at) for scope, _former, at in leaving.renames]
    added = leaving.spark.createDataFrame(new, tables.CLUSTER_IDS.columns)
    left = rows.where(~F.col("cluster_id").isin(*leaving.subject.faces))
    return left.unionByName(added, allowMissingColumns=True).dropDuplicates(["scope", "cluster_id"])


def _runs(leaving: Leaving, rows: DataFrame) -> DataFrame:
    others = longer_names(leaving.lake, leaving.subject.names)
    return without_names(Rows(rows), leaving.subject, leaving.versions, others)


def _same(_leaving: Leaving, rows: DataFrame) -> DataFrame:
    return rows


_STAYING: Mapping[str, Callable[[Leaving, DataFrame], DataFrame]] = {
    "listing": _by_image,
    "embeddings": _by_image,
    "rejects": _by_image,
    "epochs": _epochs,
    "edges": _by_pair,
    "votes": _by_pair,
    "clusters": _clusters,
    "decisions": _decisions,
    "identity_links": _identity_links,
    "cleaned": _cleaned,
    "cluster_ids": _cluster_ids,
    "erased": _same,
    "idle": _by_image,
    "runs": _runs,
}

IN_ORDER = tuple(_STAYING)
"""The tables in the order in which they are rewritten: each after those that it was made from, the ledger last."""
