"""Leftover faces, attached to large clusters with a bounded share of errors: the faces of many tasks answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from facesieve.cluster.frames import JOINS, Joins, MeasuredMembers
from facesieve.cluster.kernels.exemplars import Exemplars, Links, exemplars, with_joined
from facesieve.cluster.kernels.leftovers import (
    DRAW_BITS,
    LARGE,
    MOST,
    Compared,
    Forbidden,
    compared,
    decided,
    leftovers_and_null,
)
from facesieve.faces.arrow_groups import as_matrix, tables
from facesieve.faces.blocks import RowBatches, batch_of
from facesieve.faces.vectors import Halves, Indices
from facesieve.lake.scope_records import AttachmentRecord

_ASKED = ("cluster", "cluster_size", "face_id", "vector")
_ASKED_ROWS = 2_048
_DRAWN = "clusters binary, faces binary, vectors binary"
_COMPARED = "clusters binary, sizes binary, targets binary, similarities binary"


@dataclass(frozen=True)
class Attachment:
    """Which leftovers join, by ascending cluster, and what is recorded of the leftovers."""

    joins: Joins
    record: AttachmentRecord


def attachment(members: MeasuredMembers, link_cosine: float, error: float, forbidden: Forbidden) -> Attachment:
    """Attach leftovers (whole clusters under LARGE faces) to large clusters, about a share `error` of them wrongly.

    members: read now, three times, and twice more if somebody joins. Pairs of large clusters whose centroids have a
    cosine of `link_cosine` or more may be one person and are left out of the null. `forbidden` is asked once, by those
    that join.

    About 512 faces stand for a large cluster: fewer where that would be more than 200,000 in all, never less than about
    10. About 20,000 faces stand behind the null, at most. Both are drawn by the hash of the face id, so that they are
    the same anywhere. The driver holds those faces, those that join, and one row per leftover. Those that join look
    once more for whom, and are exemplars then too: hard faces are nearest to others that are hard alike.
    """
    decision = decided(_FacesOfTasks(members), link_cosine, error, forbidden)
    rows = list(zip(decision.clusters.tolist(), decision.targets.tolist(), strict=True))
    facts: dict[str, Any] = decision.facts
    return Attachment(Joins(members.sparkSession.createDataFrame(rows, JOINS)), AttachmentRecord(**facts))


class _FacesOfTasks:
    """Faces with their clusters, as Spark holds them."""

    def __init__(self, members: MeasuredMembers) -> None:
        self._members = members

    def counts(self) -> tuple[int, int]:
        """Count the clusters below LARGE faces and the others, by their medoids."""
        large = F.count_if(_is_large())
        row = self._members.where("medoid").agg(F.count("*").alias("clusters"), large.alias("large")).collect()[0]
        return int(row["clusters"] - row["large"]), int(row["large"])

    def exemplars(self, each: int) -> Exemplars:
        return exemplars(*_collected(self._members.where(_is_large() & (_drawn(each) | F.col("medoid")))))

    def nearest(self, each: int, crowd: Exemplars, linked: Links) -> tuple[Compared, Compared]:
        return _nearest(self._members.where((_is_large() & _drawn(each)) | _is_leftover()), crowd, linked)

    def nearest_again(self, joining: Compared, crowd: Exemplars) -> Compared:
        ids = [(each,) for each in joining.clusters.tolist()]
        chosen = self._members.sparkSession.createDataFrame(ids, "cluster bigint")
        medoids = self._members.where(_is_leftover())
        asked = medoids.join(F.broadcast(chosen), "cluster", how="left_semi")
        clusters, faces, vectors = _collected(asked)
        order = np.argsort(clusters)
        grown = with_joined(crowd, joining.targets, faces[order], vectors[order])
        return _nearest(asked, grown, Links(*np.zeros((2, 0), np.int64)))[0]


def _is_large() -> Column:
    return F.col("cluster_size") >= LARGE


def _is_leftover() -> Column:
    """Whether the face stands for a leftover."""
    return ~_is_large() & F.col("medoid")


def _drawn(each: int) -> Column:
    """Draw about `each` faces of every cluster, but not more than about MOST, by the hashes of their ids."""
    draw = F.shiftrightunsigned(F.xxhash64("face_id"), 64 - DRAW_BITS).cast("double") / F.lit(2.0**DRAW_BITS)
    return draw * F.col("cluster_size").cast("double") < F.lit(float(min(MOST, each)))


def _collected(faces: DataFrame) -> tuple[Indices, Indices, Halves]:
    """Collect clusters, face ids and vectors of at least one face."""
    rows = faces.select(*_ASKED).mapInArrow(_drawn_rows, _DRAWN).collect()
    clusters, ids = (np.concatenate([np.frombuffer(row[at], np.int64) for row in rows]) for at in range(2))
    vectors = np.concatenate([np.frombuffer(row.vectors, np.float16) for row in rows])
    return clusters, ids, vectors.reshape(len(ids), -1)


def _nearest(asked: DataFrame, crowd: Exemplars, linked: Links) -> tuple[Compared, Compared]:
    """Compare leftovers with all large clusters, and faces of large clusters with the others."""
    rows = asked.select(*_ASKED).mapInArrow(_compare(crowd, linked), _COMPARED).collect()
    return leftovers_and_null(map(_compared_in, rows))


def _compared_in(row: Row) -> Compared:
    clusters, sizes, targets = (np.frombuffer(row[at], np.int64) for at in range(3))
    return Compared(clusters, sizes, targets, np.frombuffer(row.similarities, np.float64))


def _drawn_rows(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for clusters, _, faces, vectors in _arrays(batches):
        yield batch_of(clusters=[clusters], faces=[faces], vectors=[vectors])


def _compare(crowd: Exemplars, linked: Links) -> RowBatches:
    def compare(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for clusters, sizes, faces, vectors in _arrays(batches):
            rows = compared(sizes, clusters, (faces, vectors), crowd, linked)
            yield batch_of(**{name: [getattr(rows, name)] for name in Compared._fields})

    return compare


def _arrays(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[Indices, Indices, Indices, Halves]]:
    """Turn rows into arrays: clusters, their sizes, face ids, vectors as float16."""
    for rows in tables(batches, _ASKED_ROWS):
        clusters, sizes, faces = (rows[name].to_numpy() for name in _ASKED[:3])
        yield clusters, sizes, faces, as_matrix(rows["vector"]).astype(np.float16)
