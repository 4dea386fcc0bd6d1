"""Leftover faces, attached to large clusters with a bounded share of errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from facesieve.cluster.frames import JOINS, Joins, MeasuredMembers
from facesieve.cluster.kernels.attachment import FEWEST_CLUSTERS, admission, permitted
from facesieve.cluster.kernels.exemplars import Exemplars, Links, exemplars, links, nearest_cluster, with_joined
from facesieve.faces.arrow_groups import as_matrix, tables
from facesieve.faces.blocks import RowBatches, batch_of
from facesieve.faces.vectors import Floats, Halves, Indices
from facesieve.lake.scope_records import AttachmentRecord

LARGE = 10
"""Faces of a cluster from which on it is large: a person, whom leftovers may join."""

Forbidden = Callable[[Indices], Indices]
"""Tells of clusters (int64 [n]) which pairs of them must not become one: int64 [f, 2]."""

_MOST, _LEAST, _EXEMPLARS, _NULL = 512, 10, 200_000, 20_000
_DRAW_BITS = 53
_ASKED = ("cluster", "cluster_size", "face_id", "vector")
_ASKED_ROWS = 2_048
_DRAWN = "clusters binary, faces binary, vectors binary"
_COMPARED = "clusters binary, sizes binary, targets binary, similarities binary"


@dataclass(frozen=True)
class Attachment:
    """Which leftovers join, by ascending cluster, and what is recorded of the leftovers."""

    joins: Joins
    record: AttachmentRecord


class _Compared(NamedTuple):
    """What was compared: cluster, its size, position of the nearest large cluster, similarity; by cluster."""

    clusters: Indices
    sizes: Indices
    targets: Indices
    similarities: Floats

    def take(self, rows: Indices) -> _Compared:
        return _Compared(self.clusters[rows], self.sizes[rows], self.targets[rows], self.similarities[rows])


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
    leftovers, large = _counts(members)
    if large < FEWEST_CLUSTERS:
        nothing = f"few_clusters: there are {large} large clusters, {FEWEST_CLUSTERS} are needed"
        return _attachment(members, [], AttachmentRecord(leftovers=leftovers, large=large, reason=nothing))
    crowd, left, null = _compared(members, large, link_cosine)
    admitted, p = admission(left.similarities, null.similarities, null.clusters, error)
    joining = left.take(np.flatnonzero(admitted.joins))
    if len(joining.clusters):
        joining = _second_look(members.where(_is_leftover()), joining, crowd)
    targets = crowd.clusters[joining.targets]
    apart = forbidden(np.union1d(joining.clusters, targets))
    free = np.flatnonzero(permitted(joining.clusters, targets, p[admitted.joins], apart))
    rows = list(zip(joining.clusters[free].tolist(), targets[free].tolist(), strict=True))
    record = AttachmentRecord(
        leftovers=leftovers,
        large=large,
        null_faces=len(null.clusters),
        pi0=admitted.pi0,
        p=admitted.p,
        joined=len(rows),
        attached=int(joining.sizes[free].sum()),
        reason=None if rows else admitted.reason or "forbidden: constraints forbid every join",
    )
    return _attachment(members, rows, record)


def _attachment(members: MeasuredMembers, rows: list[tuple[int, int]], record: AttachmentRecord) -> Attachment:
    return Attachment(Joins(members.sparkSession.createDataFrame(rows, JOINS)), record)


def _compared(members: MeasuredMembers, large: int, link_cosine: float) -> tuple[Exemplars, _Compared, _Compared]:
    """Return the exemplars, and what was compared with them: the leftovers, and the faces behind the null."""
    shown = members.where(_is_large() & (_drawn(max(_LEAST, _EXEMPLARS // large)) | F.col("medoid")))
    crowd = exemplars(*_collected(shown))
    asked = members.where((_is_large() & _drawn(max(1, _NULL // large))) | _is_leftover())
    return crowd, *_nearest(asked, crowd, links(crowd, link_cosine))


def _is_large() -> Column:
    return F.col("cluster_size") >= LARGE


def _is_leftover() -> Column:
    """Whether the face stands for a leftover."""
    return ~_is_large() & F.col("medoid")


def _counts(members: MeasuredMembers) -> tuple[int, int]:
    """Count the clusters below LARGE faces and the others, by their medoids."""
    large = F.count_if(_is_large())
    row = members.where("medoid").agg(F.count("*").alias("clusters"), large.alias("large")).collect()[0]
    return int(row["clusters"] - row["large"]), int(row["large"])


def _drawn(each: int) -> Column:
    """Draw about `each` faces of every cluster, but not more than about _MOST, by the hashes of their ids."""
    draw = F.shiftrightunsigned(F.xxhash64("face_id"), 64 - _DRAW_BITS).cast("double") / F.lit(2.0**_DRAW_BITS)
    return draw * F.col("cluster_size").cast("double") < F.lit(float(min(_MOST, each)))


def _second_look(medoids: DataFrame, joining: _Compared, crowd: Exemplars) -> _Compared:
    """Let those that join look again, among those that join too; clusters stay in their order."""
    ids = [(each,) for each in joining.clusters.tolist()]
    chosen = medoids.sparkSession.createDataFrame(ids, "cluster bigint")
    asked = medoids.join(F.broadcast(chosen), "cluster", how="left_semi")
    clusters, faces, vectors = _collected(asked)
    order = np.argsort(clusters)
    grown = with_joined(crowd, joining.targets, faces[order], vectors[order])
    unlinked = Links(*np.zeros((2, 0), np.int64))
    return _nearest(asked, grown, unlinked)[0]


def _collected(faces: DataFrame) -> tuple[Indices, Indices, Halves]:
    """Collect clusters, face ids and vectors of at least one face."""
    rows = faces.select(*_ASKED).mapInArrow(_drawn_rows, _DRAWN).collect()
    clusters, ids = (np.concatenate([np.frombuffer(row[at], np.int64) for row in rows]) for at in range(2))
    vectors = np.concatenate([np.frombuffer(row.vectors, np.float16) for row in rows])
    return clusters, ids, vectors.reshape(len(ids), -1)


def _nearest(asked: DataFrame, crowd: Exemplars, linked: Links) -> tuple[_Compared, _Compared]:
    """Compare leftovers with all large clusters, and faces of large clusters with the others."""
    rows = asked.select(*_ASKED).mapInArrow(_compare(crowd, linked), _COMPARED).collect()
    kinds = (np.int64, np.int64, np.int64, np.float64)
    parts = [
        np.concatenate([np.zeros(0, kind), *(np.frombuffer(row[at], kind) for row in rows)])
        for at, kind in enumerate(kinds)
    ]
    large = parts[1] >= LARGE
    order = np.lexsort(parts[::-1])
    compared = _Compared(*parts)
    return compared.take(order[~large[order]]), compared.take(order[large[order]])


def _drawn_rows(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for clusters, _, faces, vectors in _arrays(batches):
        yield batch_of(clusters=[clusters], faces=[faces], vectors=[vectors])


def _compare(crowd: Exemplars, linked: Links) -> RowBatches:
    def compare(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for clusters, sizes, faces, vectors in _arrays(batches):
            own = np.where(sizes >= LARGE, np.searchsorted(crowd.clusters, clusters), -1)
            targets, near = nearest_cluster(faces, vectors, own, crowd, linked)
            some = targets >= 0
            yield batch_of(
                clusters=[clusters[some]], sizes=[sizes[some]], targets=[targets[some]], similarities=[near[some]]
            )

    return compare


def _arrays(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[Indices, Indices, Indices, Halves]]:
    """Turn rows into arrays: clusters, their sizes, face ids, vectors as float16."""
    for rows in tables(batches, _ASKED_ROWS):
        clusters, sizes, faces = (rows[name].to_numpy() for name in _ASKED[:3])
        yield clusters, sizes, faces, as_matrix(rows["vector"]).astype(np.float16)
