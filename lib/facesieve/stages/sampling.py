"""A sample of faces on the driver, chosen by id hash, and a check of all vectors on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame

from facesieve.errors import ContractError
from facesieve.kernels.vectors import Halves, Indices
from facesieve.kernels.voronoi import id_hash
from facesieve.stages.cells import RowBatches, chunks

_SURVEYED = "unusable bigint, shortest bigint, longest bigint, ids binary, vectors binary"


@dataclass(frozen=True)
class Sample:
    """Faces in order of their id hash: ids int64 [n], vectors float16 [n, D]; `faces` is the number in all."""

    ids: Indices
    vectors: Halves
    faces: int


def sample(faces: DataFrame, count: int, seed: int, total: int) -> Sample:
    """Collect about `count` of the `total` faces (face_id, identity, vector): those with the smallest id hash.

    Reads every vector, and raises ContractError with the column and the number of faces when some are missing, zero or
    not finite, or differ in length.
    """
    share = min(1.0, count / max(1, total))
    rows = faces.select("face_id", "vector").mapInArrow(_survey(share, seed), _SURVEYED).collect()
    unusable = sum(row.unusable for row in rows)
    if unusable:
        problem = "without a vector, or with one that is zero or not finite"
        raise ContractError(f"embeddings.vector: {unusable} of {total} faces are {problem}")
    dimensions = sorted({length for row in rows for length in (row.shortest, row.longest)})
    if len(dimensions) > 1:
        problem = f"from {dimensions[0]} to {dimensions[-1]} numbers, among {total} faces"
        raise ContractError(f"embeddings.vector: vectors of one model differ in length ({problem})")
    ids = np.frombuffer(b"".join(row.ids for row in rows), np.int64)
    vectors = np.frombuffer(b"".join(row.vectors for row in rows), np.float16)
    order = np.argsort(id_hash(ids, seed), kind="stable")
    return Sample(ids[order], vectors.reshape(len(ids), dimensions[0] if dimensions else 0)[order], total)


def _survey(share: float, seed: int) -> RowBatches:
    def survey(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for table in chunks(batches):
            yield _surveyed(table, share, seed)

    return survey


def _surveyed(table: pa.Table, share: float, seed: int) -> pa.RecordBatch:
    """Say what is wrong with a table of faces and pack those whose id hash is among the smallest `share`."""
    column = table.column("vector").combine_chunks()
    lengths = column.value_lengths().fill_null(0).to_numpy()
    row = {"unusable": int((lengths == 0).sum()), "shortest": int(lengths.min()), "longest": int(lengths.max())}
    ids = vectors = b""
    if row["shortest"] == row["longest"] > 0:
        rows = column.flatten().to_numpy(zero_copy_only=False).reshape(len(lengths), -1)
        largest = np.abs(rows).max(axis=1)
        row["unusable"] = int((~np.isfinite(largest) | (largest == 0)).sum())
        face_ids = table.column("face_id").to_numpy()
        chosen = id_hash(face_ids, seed) / 2.0**64 < share if share < 1 else np.full(len(rows), True)
        ids, vectors = face_ids[chosen].tobytes(), rows[chosen].astype(np.float16).tobytes()
    return pa.RecordBatch.from_pylist([row | {"ids": ids, "vectors": vectors}])
