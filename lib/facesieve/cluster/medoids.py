"""Every cluster's smallest face, medoid and cohesion: each streams through one worker in the order of face ids."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame

from facesieve.cluster.kernels.cohesion import cohesion
from facesieve.cluster.kernels.cohesion_streaming import streamed_cohesion

HELD_ROWS = 8_192
"""Faces of a cluster that are held in memory; beyond, vectors (not ids) go to a temporary file."""
PACKED_ROWS = 4_096
"""Rows sent back at a time: most clusters are single faces."""

_OUT = "face_id long, settled boolean, cluster_id long, cluster_size long, cohesion float, medoid boolean"


def medoids(members: DataFrame) -> DataFrame:
    """Measure clusters: face_id, settled, cluster_id, cluster_size, cohesion, medoid.

    members: cluster, face_id (bigint), vector array<float>, settled boolean, one row per face. cluster_id is the
    smallest face_id of the cluster. Each cluster goes through one task whole, in bounded memory, and sums run by
    ascending face_id, so that partitioning cannot show in the last bits.
    """
    ordered = members.select("cluster", "face_id", "vector", "settled").repartition("cluster")
    return ordered.sortWithinPartitions("cluster", "face_id").mapInArrow(measured, _OUT)


def measured(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Measure each run of one cluster in sorted record batches; a run may span batches."""
    done: list[_Measured] = []
    rows = 0
    for cluster in _clusters(batches):
        done.append(cluster.measured())
        rows += len(done[-1].ids)
        if rows >= PACKED_ROWS:
            yield _packed(done)
            done, rows = [], 0
    if done:
        yield _packed(done)


class _Measured(NamedTuple):
    """One cluster: its ids ascending, whether each face settled, the medoid's position, the cohesion."""

    ids: npt.NDArray[np.int64]
    settled: npt.NDArray[np.bool_]
    medoid: int
    cohesion: float


def _packed(done: list[_Measured]) -> pa.RecordBatch:
    sizes = np.array([len(one.ids) for one in done])
    medoid = np.zeros(sizes.sum(), dtype=np.bool_)
    medoid[np.cumsum(sizes) - sizes + [one.medoid for one in done]] = True
    columns = {
        "face_id": np.concatenate([one.ids for one in done]),
        "settled": np.concatenate([one.settled for one in done]),
        "cluster_id": np.repeat([one.ids[0] for one in done], sizes),
        "cluster_size": np.repeat(sizes, sizes),
        "cohesion": np.repeat(np.array([one.cohesion for one in done], dtype=np.float32), sizes),
        "medoid": medoid,
    }
    return pa.RecordBatch.from_pydict(columns)


class _Cluster:
    """The faces of one cluster so far."""

    def __init__(self, key: int) -> None:
        self.key = key
        self._ids: list[npt.NDArray[np.int64]] = []
        self._settled: list[npt.NDArray[np.bool_]] = []
        self._vectors: list[npt.NDArray[np.float32]] = []
        self._held = 0
        self._spool: IO[bytes] | None = None

    def append(self, rows: pa.RecordBatch) -> None:
        """Add faces, by ascending face_id."""
        self._ids.append(rows.column("face_id").to_numpy())
        self._settled.append(rows.column("settled").to_numpy(zero_copy_only=False))
        self._vectors.append(rows.column("vector").flatten().to_numpy().reshape(rows.num_rows, -1))
        self._held += rows.num_rows
        if self._held > HELD_ROWS:
            self._spill()

    def _spill(self) -> None:
        if self._spool is None:
            self._spool = tempfile.TemporaryFile()  # noqa: SIM115 (closed when measured)
        for vectors in self._vectors:
            self._spool.write(vectors.tobytes())
        self._vectors, self._held = [vectors[:0]], 0

    def measured(self) -> _Measured:
        """Find medoid and cohesion, when all faces are here."""
        ids = np.concatenate(self._ids)
        medoid, mean = self._cohesion(ids)
        return _Measured(ids, np.concatenate(self._settled), medoid, mean)

    def _cohesion(self, ids: npt.NDArray[np.int64]) -> tuple[int, float]:
        held = np.concatenate(self._vectors)
        if self._spool is None:
            return cohesion(ids, held)
        with self._spool as spool:
            last = [held] if len(held) else []
            return streamed_cohesion(lambda: itertools.chain(_blocks(spool, held.shape[1]), last))


def _blocks(spool: IO[bytes], dimension: int) -> Iterator[npt.NDArray[np.float32]]:
    spool.seek(0)
    while raw := spool.read(HELD_ROWS * dimension * np.dtype(np.float32).itemsize):
        yield np.frombuffer(raw, np.float32).reshape(-1, dimension)


def _clusters(batches: Iterable[pa.RecordBatch]) -> Iterator[_Cluster]:
    cluster: _Cluster | None = None
    for key, rows in _runs(batches):
        if cluster is None or cluster.key != key:
            if cluster is not None:
                yield cluster
            cluster = _Cluster(key)
        cluster.append(rows)
    if cluster is not None:
        yield cluster


def _runs(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Cut each batch where the cluster changes."""
    for batch in batches:
        if batch.num_rows == 0:
            continue
        cluster = batch.column("cluster").to_numpy()
        changes = np.flatnonzero(cluster[1:] != cluster[:-1]) + 1
        bounds = [0, *changes.tolist(), batch.num_rows]
        for start, end in itertools.pairwise(bounds):
            yield int(cluster[start]), batch.slice(start, end - start)
