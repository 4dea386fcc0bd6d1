"""Linking within an epoch: only pairs with a new face are computed, pairs of faces that are gone are removed.

The edges are those of a full join in the same epoch. Where the cap had dropped edges of a face that has now lost a
neighbour, they are needed again: such faces are compared anew, as if they were new.
"""

from __future__ import annotations

import logging
from functools import reduce
from typing import Any

import numpy as np
from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from facesieve.core.console import count
from facesieve.core.tables import EDGES, EMBEDDINGS, EPOCHS
from facesieve.faces.blocks import inventory, packed_by_code
from facesieve.faces.vectors import Indices
from facesieve.lake.run import Stage
from facesieve.lake.versions import Change
from facesieve.link.delta import Delta, delta, edges_with, only, without
from facesieve.link.edges import routed
from facesieve.link.epoch import FACES, Epoch, faces_rows, settings_row
from facesieve.link.full_join import cap
from facesieve.link.kernels.block_pairs import Asked

_log = logging.getLogger(__name__)

MOST_CHANGED = 0.1
"""Share of the heap that may have changed: beyond it a full join costs little more."""

MOST_NEWCOMERS = 200_000
"""Faces that every task is sent: some 60 MB at 128 numbers."""


def extend(stage: Stage, faces: DataFrame, epoch: Epoch) -> dict[str, Any] | None:
    """Bring edges and epoch up to date with the faces; None, and nothing done, if too much has changed for that."""
    added = stage.added_of_model(EMBEDDINGS)
    if added is None:  # vectors may have changed under the same ids
        return None
    most = int(min(MOST_NEWCOMERS, MOST_CHANGED * epoch.faces))
    kept = stage.former(EPOCHS).where(F.col("kind") == FACES)
    changed = delta(faces, kept, most)
    if changed is None:
        return None
    total = (kept.agg(F.sum("faces")).collect()[0][0] or 0) + len(changed.fresh) - len(changed.gone)
    if not epoch.lasts(total):
        return None
    reopened = _reopened(stage.former(EDGES), changed.gone, stage.run.config.link.max_neighbours)
    if len(reopened) > most:
        return None
    _log.info(
        f"link: {count(len(changed.fresh))} new faces, {count(len(changed.gone))} gone, in the epoch of {epoch.name}"
    )
    fresh = _routed(stage, changed, added, epoch).persist(StorageLevel.DISK_ONLY)
    staying = without(kept, changed.gone)
    newcomers = [row.asDict() for row in fresh.union(only(staying, reopened)).collect()]
    rows = staying.select(fresh.columns).union(fresh)
    with stage.change(EDGES) as change, stage.change(EPOCHS) as keeping:
        if len(changed.gone):
            keeping.overwrite(faces_rows(epoch, rows).unionByName(settings_row(epoch, stage)), last=True)
        else:
            keeping.append(faces_rows(epoch, fresh), last=True)
        _remove(change, np.union1d(changed.gone, reopened))
        change.append(_found(stage, rows, newcomers, epoch))
        cap(change, epoch, stage.run.config.link.max_neighbours)
    fresh.unpersist()
    return dict(epoch.told) | {
        "faces": total,
        "new": len(changed.fresh),
        "gone": len(changed.gone),
        "probes": epoch.routing.probes,
        "edges": stage.read(EDGES).count(),
    }


def _routed(stage: Stage, changed: Delta, added: DataFrame, epoch: Epoch) -> DataFrame:
    """Pack and route the new faces, and check their vectors."""
    pairs = zip(changed.fresh.tolist(), changed.codes.tolist(), strict=True)
    listed = F.broadcast(stage.run.spark.createDataFrame(list(pairs), "face_id bigint, code bigint"))
    # Most often they were embedded since, and the rows appended since tell all; else all vectors are read.
    rows = packed_by_code(added.join(listed, "face_id", "inner"))
    if inventory(rows, stage.run.profile.dimension) < len(changed.fresh):
        rows = packed_by_code(stage.of_model(EMBEDDINGS).join(listed, "face_id", "inner"))
        inventory(rows, stage.run.profile.dimension)
    return routed(rows, epoch.routing)


def _reopened(edges: DataFrame, gone: Indices, most: int) -> Indices:
    """Find the faces whose edges may have been capped and that now lose one: those with `most` edges or more."""
    if not most or not len(gone):
        return np.zeros(0, np.int64)
    ends = edges.select("scope", F.explode(F.array("src", "dst")).alias("face_id"))
    losing = _touching(edges, gone).select(F.explode(F.array("src", "dst")).alias("face_id")).distinct()
    losing = losing.join(F.broadcast(_listed(edges.sparkSession, gone)), "face_id", "left_anti")
    many = ends.join(losing, "face_id", "left_semi").groupBy("scope", "face_id").count().where(F.col("count") >= most)
    return np.unique(np.array([row.face_id for row in many.collect()], np.int64))


def _remove(change: Change, faces: Indices) -> None:
    if len(faces):
        change.delete(_touching(change.read(), faces))


def _touching(edges: DataFrame, faces: Indices) -> DataFrame:
    """Edges with an end among `faces`."""
    listed = _listed(edges.sparkSession, faces)
    source, target = (F.broadcast(listed.withColumnRenamed("face_id", end)) for end in ("src", "dst"))
    first = edges.join(source, "src", "left_semi")
    return first.unionByName(edges.join(source, "src", "left_anti").join(target, "dst", "left_semi"))


def _found(stage: Stage, rows: DataFrame, newcomers: list[dict[str, Any]], epoch: Epoch) -> DataFrame:
    most = stage.run.config.link.max_neighbours
    nobody = np.zeros(0, np.int64)
    found: list[DataFrame] = [
        edges_with(rows, newcomers, scope, Asked(cosine, most, nobody)) for scope, cosine in epoch.cosines.items()
    ]
    return reduce(DataFrame.unionByName, found)


def _listed(spark: SparkSession, ids: Indices) -> DataFrame:
    return spark.createDataFrame([(int(face_id),) for face_id in ids], "face_id bigint")
