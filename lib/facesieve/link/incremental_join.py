"""Linking within an epoch: only pairs with a new face are computed, pairs of faces that are gone are removed.

The edges are those of a full join in the same epoch. Where the cap had dropped edges of a face that has now lost a
neighbour, they are needed again. Such faces are reopened: compared anew, as if they were new.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core.console import count
from facesieve.core.tables import EDGES, EMBEDDINGS, EPOCHS, Edges, Embeddings, Epochs
from facesieve.faces.blocks import ListedFaces, blocks_by_code, inventory
from facesieve.faces.edge_frames import ends, face_ids, touching
from facesieve.faces.vectors import Indices
from facesieve.lake.records import LinkRecord
from facesieve.lake.run import Stage
from facesieve.link.delta import Delta, delta, edges_with, only, without
from facesieve.link.epoch import Epoch, faces_rows, settings_row, stored_faces
from facesieve.link.full_join import cap
from facesieve.link.kernels.block_pairs import EdgeRule
from facesieve.link.routing import RoutedBlocks, routed

_log = logging.getLogger(__name__)

MOST_CHANGED = 0.1
"""Share of the collection that may have changed: beyond it a full join costs little more."""

MOST_NEWCOMERS = 200_000
"""Faces that every task is sent: some 60 MB at 128 numbers."""


@dataclass(frozen=True)
class Increment:
    """What an epoch has to be brought up to date with.

    stored: the epoch's faces as they were. added: embeddings that came since. reopened: ids of faces to compare anew.
    total: faces in all, thereafter.
    """

    stored: RoutedBlocks
    added: Embeddings
    delta: Delta
    reopened: Indices
    total: int


def increment(stage: Stage, faces: ListedFaces, epoch: Epoch) -> Increment | None:
    """Find what has changed since the epoch's faces were stored; None if it is too much to go on from there."""
    added = stage.added_of_model(EMBEDDINGS)
    if added is None:  # vectors may have changed under the same ids
        return None
    most = int(min(MOST_NEWCOMERS, MOST_CHANGED * epoch.faces))
    stored = stored_faces(Epochs(stage.former(EPOCHS)))
    changed = delta(faces, stored, most)
    if changed is None:
        return None
    total = (stored.agg(F.sum("faces")).collect()[0][0] or 0) + len(changed.fresh) - len(changed.gone)
    if not epoch.lasts(total):
        return None
    reopened = _reopened(Edges(stage.former(EDGES)), changed.gone, stage.run.config.link.max_neighbours)
    return Increment(stored, Embeddings(added), changed, reopened, total) if len(reopened) <= most else None


def extend(stage: Stage, epoch: Epoch, change: Increment) -> LinkRecord:
    """Bring edges and epoch up to date, committed as a version each."""
    most = stage.run.config.link.max_neighbours
    came, gone = len(change.delta.fresh), change.delta.gone
    _log.info(f"link: {count(came)} new faces, {count(len(gone))} gone, in the epoch of {epoch.name}")
    fresh = _routed(stage, change, epoch).persist(StorageLevel.DISK_ONLY)
    staying = without(change.stored, gone)
    newcomers = [row.asDict() for row in fresh.union(only(staying, change.reopened)).collect()]
    rows = RoutedBlocks(staying.union(fresh))
    with stage.change(EDGES) as writing, stage.change(EPOCHS) as storing:
        if len(gone):
            storing.overwrite(faces_rows(epoch, rows).unionByName(settings_row(epoch, stage)), last=True)
        else:
            storing.append(faces_rows(epoch, RoutedBlocks(fresh)), last=True)
        stale = np.union1d(gone, change.reopened)
        if len(stale):
            writing.delete(touching(writing.read(), face_ids(stage.run.spark, stale)))
        writing.append(_edges(rows, newcomers, epoch, most))
        cap(writing, epoch, most)
    fresh.unpersist()
    return replace(epoch.record(change.total, stage.count(EDGES)), new=came, gone=len(gone))


def _routed(stage: Stage, change: Increment, epoch: Epoch) -> RoutedBlocks:
    """Gather and route the new faces, and check their vectors."""
    pairs = zip(change.delta.fresh.tolist(), change.delta.codes.tolist(), strict=True)
    listed = F.broadcast(stage.run.spark.createDataFrame(list(pairs), "face_id bigint, code bigint"))
    # Most often the faces were embedded since, and the rows appended since have all; else all vectors are read.
    blocks = blocks_by_code(change.added.join(listed, "face_id", "inner"))
    if inventory(blocks, stage.run.profile.dimension) < len(change.delta.fresh):
        blocks = blocks_by_code(stage.of_model(EMBEDDINGS).join(listed, "face_id", "inner"))
        inventory(blocks, stage.run.profile.dimension)
    return routed(blocks, epoch.routing)


def _reopened(edges: Edges, gone: Indices, most: int) -> Indices:
    """Find the faces whose edges may have been capped and that now lose one: those with `most` edges or more."""
    if not most or not len(gone):
        return np.zeros(0, np.int64)
    lost = face_ids(edges.sparkSession, gone)
    losing = ends(touching(edges, lost)).distinct().join(F.broadcast(lost), "face_id", "left_anti")
    degrees = ends(edges, "scope").join(losing, "face_id", "left_semi").groupBy("scope", "face_id").count()
    many = degrees.where(F.col("count") >= most).collect()
    return np.unique(np.array([row.face_id for row in many], np.int64))


def _edges(rows: RoutedBlocks, newcomers: list[dict[str, Any]], epoch: Epoch, most: int) -> Edges:
    nobody = np.zeros(0, np.int64)
    by_scope: list[DataFrame] = [
        edges_with(rows, newcomers, scope, EdgeRule(cosine, most, nobody)) for scope, cosine in epoch.cosines.items()
    ]
    return Edges(reduce(DataFrame.unionByName, by_scope))
