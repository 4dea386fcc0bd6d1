"""Smallest face, medoid, cohesion and stability of every cluster, which streams through one worker by face id.

Example of the rows that a worker gets, sorted, and of the rows that it returns, with the vectors left out:

    cluster face_id labels      face_id cluster_id cluster_size cohesion medoid stability
          7       2    2 2            2          2            3     0.81  false       1.0
          7       5    2 2            5          2            3     0.81  true        1.0
          7       7    2 7            7          2            3     0.81  false       0.5
          9       9    9 9            9          9            1     1.00  true        1.0
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from facesieve.cluster.coin_columns import by_coin
from facesieve.cluster.frames import MEASURED_FACES, MEMBERS, MeasuredFaces, Members
from facesieve.cluster.kernels.cohesion import cohesion, streamed_cohesion
from facesieve.cluster.kernels.coins import stability
from facesieve.faces.arrow_groups import runs

MEMORY_ROWS = 8_192
"""Faces of a cluster that stay in memory; beyond, vectors (not ids and labels) go to a temporary file."""
SENT_ROWS = 4_096
"""Rows sent back at a time: most clusters are single faces."""


def medoids(members: Members) -> MeasuredFaces:
    """Measure clusters.

    Each cluster goes through one task whole, in bounded memory. Sums run by ascending face_id, so that partitioning
    cannot show in the last bits.
    """
    ordered = members.select(*MEMBERS.names).repartition("cluster").sortWithinPartitions("cluster", "face_id")
    return MeasuredFaces(ordered.mapInArrow(measured, MEASURED_FACES))


def measured(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Measure each run of one cluster in sorted record batches; a run may span batches."""
    done: list[_Measured] = []
    rows = 0
    for cluster in _clusters(batches):
        done.append(cluster.measured())
        rows += len(done[-1].ids)
        if rows >= SENT_ROWS:
            yield _batch(done)
            done, rows = [], 0
    if done:
        yield _batch(done)


class _Measured(NamedTuple):
    """One cluster: its ids ascending, whether each face settled and how stable, the medoid's position, the cohesion."""

    ids: npt.NDArray[np.int64]
    settled: npt.NDArray[np.bool_]
    stability: npt.NDArray[np.float32]
    medoid: int
    cohesion: float


def _batch(done: list[_Measured]) -> pa.RecordBatch:
    sizes = np.array([len(each.ids) for each in done])
    medoid = np.zeros(sizes.sum(), dtype=np.bool_)
    medoid[np.cumsum(sizes) - sizes + [each.medoid for each in done]] = True
    columns = {
        "face_id": np.concatenate([each.ids for each in done]),
        "settled": np.concatenate([each.settled for each in done]),
        "cluster_id": np.repeat([each.ids[0] for each in done], sizes),
        "cluster_size": np.repeat(sizes, sizes),
        "cohesion": np.repeat(np.array([each.cohesion for each in done], dtype=np.float32), sizes),
        "medoid": medoid,
        "stability": np.concatenate([each.stability for each in done]),
    }
    return pa.RecordBatch.from_pydict(columns)


class _Cluster:
    """The faces of one cluster so far."""

    def __init__(self) -> None:
        self._ids: list[npt.NDArray[np.int64]] = []
        self._settled: list[npt.NDArray[np.bool_]] = []
        self._labels: list[npt.NDArray[np.int64]] = []
        self._vectors: list[npt.NDArray[np.float32]] = []
        self._in_memory = 0
        self._spool: IO[bytes] | None = None

    def append(self, rows: pa.RecordBatch) -> None:
        """Add faces, by ascending face_id."""
        self._ids.append(rows.column("face_id").to_numpy())
        self._settled.append(rows.column("settled").to_numpy(zero_copy_only=False))
        labels = rows.column("labels")
        self._labels.append(by_coin(labels, labels.value_lengths()[0].as_py()))
        self._vectors.append(rows.column("vector").flatten().to_numpy().reshape(rows.num_rows, -1))
        self._in_memory += rows.num_rows
        if self._in_memory > MEMORY_ROWS:
            self._spill()

    def _spill(self) -> None:
        if self._spool is None:
            self._spool = tempfile.TemporaryFile()  # noqa: SIM115 (closed when measured)
        for vectors in self._vectors:
            self._spool.write(vectors.tobytes())
        self._vectors, self._in_memory = [vectors[:0]], 0

    def measured(self) -> _Measured:
        """Find medoid and cohesion, when all faces are here."""
        ids = np.concatenate(self._ids)
        medoid, mean = self._cohesion(ids)
        stable = stability(np.concatenate(self._labels), medoid)
        return _Measured(ids, np.concatenate(self._settled), stable, medoid, mean)

    def _cohesion(self, ids: npt.NDArray[np.int64]) -> tuple[int, float]:
        vectors = np.concatenate(self._vectors)
        if self._spool is None:
            return cohesion(ids, vectors)
        with self._spool as spool:
            last = [vectors] if len(vectors) else []
            return streamed_cohesion(lambda: itertools.chain(_blocks(spool, vectors.shape[1]), last))


def _blocks(spool: IO[bytes], dimension: int) -> Iterator[npt.NDArray[np.float32]]:
    spool.seek(0)
    while raw := spool.read(MEMORY_ROWS * dimension * np.dtype(np.float32).itemsize):
        yield np.frombuffer(raw, np.float32).reshape(-1, dimension)


def _clusters(batches: Iterable[pa.RecordBatch]) -> Iterator[_Cluster]:
    of_cluster = itertools.groupby(runs(batches, ("cluster",)), key=lambda rows: rows.column("cluster")[0].as_py())
    for _, parts in of_cluster:
        cluster = _Cluster()
        for rows in parts:
            cluster.append(rows)
        yield cluster
