"""Face blocks: faces as they travel, many in one row, ids and vectors as bytes, vectors as float16.

Spark hands vectors to Python number by number. Once in blocks, a later pass costs a copy of memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NewType, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from facesieve.core.errors import ContractError
from facesieve.core.frames import columns
from facesieve.faces.hashing import id_hash
from facesieve.faces.vectors import Halves, Indices

RowBatches = Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]
Item = TypeVar("Item")

ListedFaces = NewType("ListedFaces", DataFrame)
"""Rows with face_id bigint, identity string (null: none) and vector array<float>; other columns are allowed."""

FaceBlocks = NewType("FaceBlocks", DataFrame)
"""Rows with the columns of FACE_BLOCKS."""

FACE_BLOCKS = columns(
    "faces int, nameless int, unusable int, shortest int, longest int, ids binary, codes binary, vectors binary"
)
"""How many faces; how many are without an id or a usable vector; lengths of vectors; the faces' numbers as bytes."""

BLOCK_FACES = 2_048
"""Faces in a block: half a megabyte, of which Spark sends 64 at a time."""

NO_IDENTITY = 0

_COUNTED_BY_THE_DRIVER = 4_000_000

_IDS = "face_id bigint, code bigint"
_NAMES = ("ids", "codes", "vectors")
_SAMPLED = "ids binary, codes binary, vectors binary"


@dataclass(frozen=True)
class Faces:
    """A block of faces: ids int64 [n], codes int64 [n] (hash of the identity, 0 = none), vectors float16 [n, D]."""

    ids: Indices
    codes: Indices
    vectors: Halves


def face_blocks(faces: ListedFaces) -> FaceBlocks:
    """Gather faces into blocks, noting on the way what is wrong with vectors.

    Persist the result: `inventory`, `sample` and the join read it, each anew.

        face_id identity vector        faces ids        codes               vectors (float16)
              7 Ann      [1, 0]            2 [7, 3]     [hash of Ann, 0]    [[1, 0], [0, 1]]
              3 null     [0, 1]   ->       2 [5, 4]     [hash of Ann, 0]    [[1, 1], [0, 2]]
              5 Ann      [1, 1]            2 [6, 1]     [hash of Bob, 0]    [[2, 0], [2, 1]]
              4 null     [0, 2]
              6 Bob      [2, 0]
              1 null     [2, 1]
    """
    return blocks_by_code(faces.select("face_id", code().alias("code"), "vector"))


def blocks_by_code(faces: DataFrame) -> FaceBlocks:
    """Gather faces whose identity is a code already (face_id bigint, code bigint, vector array<float>)."""
    return FaceBlocks(faces.select("face_id", "code", "vector").mapInArrow(_gather, FACE_BLOCKS))


def code() -> Column:
    """Return the column that stands for `identity` in face blocks: its hash, 0 where there is none."""
    return F.when(F.col("identity").isNull(), F.lit(NO_IDENTITY)).otherwise(F.xxhash64("identity"))


def inventory(blocks: FaceBlocks, dimension: int | None = None) -> int:
    """Count the faces of blocks, and check their vectors before anything is done with them.

    Raises ContractError with the column and the number of faces when vectors are missing, zero or not finite, or
    differ in length (from each other, or from the model's `dimension`).
    """
    sums = (F.sum("faces"), F.sum("nameless"), F.sum("unusable"), F.min("shortest"), F.max("longest"))
    total, nameless, unusable, shortest, longest = (value or 0 for value in blocks.agg(*sums).collect()[0])
    if nameless:
        raise ContractError(f"embeddings.face_id: {nameless} of {total} faces are without an id")
    if unusable:
        problem = "without a vector, or with one that is zero or not finite (as float16)"
        raise ContractError(f"embeddings.vector: {unusable} of {total} faces are {problem}")
    if total and (shortest != longest or longest != (dimension or longest)):
        expected = f", and the model makes {dimension}" if dimension else ""
        problem = f"from {shortest} to {longest} numbers, among {total} faces{expected}"
        raise ContractError(f"embeddings.vector: vectors of one model differ in length ({problem})")
    return int(total)


def refuse_double_ids(blocks: FaceBlocks, faces: int) -> None:
    """Raise ContractError, with the number of ids, if a face_id comes more than once; faces: how many there are.

    The driver counts the ids while they are few enough for it, some 100 MB. Else they alone are shuffled.
    """
    if faces <= _COUNTED_BY_THE_DRIVER:
        ids = np.concatenate([np.zeros(0, np.int64), *map(_ids, blocks.select("ids").collect())])
        double = int(np.count_nonzero(np.unique(ids, return_counts=True)[1] > 1))
    else:
        rows = ids_and_codes(blocks).groupBy("face_id").agg(F.count("*").alias("rows"))
        double = rows.where(F.col("rows") > 1).count()
    if double:
        raise ContractError(f"embeddings.face_id: {double} ids come more than once")


def _ids(row: Row) -> Indices:
    return np.frombuffer(row.ids, np.int64)


def ids_and_codes(blocks: DataFrame) -> DataFrame:
    """Return face_id bigint and code bigint of the faces in blocks (ids, codes as bytes)."""
    return blocks.select("ids", "codes").mapInArrow(_ids_and_codes, _IDS)


def sample(blocks: FaceBlocks, count: int, seed: int, total: int) -> Faces:
    """Collect about `count` of the `total` faces, by id hash and in its order: the same for any partitioning."""
    share = min(1.0, count / max(1, total))
    rows = blocks.select("ids", "codes", "vectors").mapInArrow(_sampled(share, seed), _SAMPLED).collect()
    drawn = concatenated(blocks_in(rows))
    order = np.argsort(id_hash(drawn.ids, seed), kind="stable")
    return Faces(drawn.ids[order], drawn.codes[order], drawn.vectors[order])


def concatenated(blocks: Iterable[Faces]) -> Faces:
    """Put blocks of faces one behind the other; no blocks make no faces, of dimension 0."""
    parts = list(blocks)
    if not parts:
        return Faces(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 0), np.float16))
    ids, codes, vectors = (np.concatenate([getattr(part, name) for part in parts]) for name in _NAMES)
    return Faces(ids, codes, vectors)


def rows_of(batches: Iterable[pa.RecordBatch]) -> Iterator[dict[str, Any]]:
    """Go through Arrow rows as dictionaries of column -> value, bytes uncopied."""
    for batch in batches:
        for row in range(batch.num_rows):
            yield {
                name: column[row].as_buffer() if _is_bytes(column.type) else column[row].as_py()
                for name, column in zip(batch.schema.names, batch.columns, strict=True)
            }


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def blocks_in(rows: Iterable[Any]) -> Iterator[Faces]:
    """Read rows (ids, codes, vectors as bytes) that hold faces as arrays."""
    for row in rows:
        ids = np.frombuffer(row["ids"], np.int64)
        if len(ids):
            codes = np.frombuffer(row["codes"], np.int64)
            yield Faces(ids, codes, np.frombuffer(row["vectors"], np.float16).reshape(len(ids), -1))


def gathered(items: Iterable[Item], weight: Callable[[Item], int], enough: int) -> Iterator[list[Item]]:
    """Gather items into lists that weigh `enough` or a little more."""
    batch: list[Item] = []
    total = 0
    for item in items:
        batch.append(item)
        total += weight(item)
        if total >= enough:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch


def block_groups(batches: Iterable[pa.RecordBatch], faces: int) -> Iterator[list[dict[str, Any]]]:
    """Gather rows of blocks (with ids as bytes) into lists of `faces` faces or a little more."""
    return gathered(rows_of(batches), lambda row: row["ids"].size // 8, faces)


def batch_of(**columns: Any) -> pa.RecordBatch:
    """Make an Arrow batch of named columns; bytes of arrays for lists of arrays."""
    arrays = [
        pa.array([np.ascontiguousarray(each).tobytes() for each in column], pa.binary())
        if isinstance(column, list)
        else pa.array(column)
        for column in columns.values()
    ]
    return pa.record_batch(arrays, names=list(columns))


def _gather(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in gathered(batches, len, BLOCK_FACES):
        table = pa.Table.from_batches(batch).combine_chunks()
        if len(table):
            yield _block(table)


def _block(table: pa.Table) -> pa.RecordBatch:
    column = table.column("vector").combine_chunks()
    lengths = column.value_lengths().fill_null(0).to_numpy()
    values = column.flatten().to_numpy(zero_copy_only=False)
    even = lengths.min() == lengths.max()
    with np.errstate(over="ignore"):
        halves = values.reshape(len(lengths), -1).astype(np.float16) if even else np.zeros((0, 0), np.float16)
    return batch_of(
        faces=np.array([len(table)], np.int32),
        nameless=np.array([table.column("face_id").null_count], np.int32),
        unusable=np.array([_unusable(values, lengths)], np.int32),
        shortest=np.array([lengths.min()], np.int32),
        longest=np.array([lengths.max()], np.int32),
        ids=[table.column("face_id").fill_null(0).to_numpy()],
        codes=[table.column("code").to_numpy()],
        vectors=[halves],
    )


def _unusable(values: npt.NDArray[np.float32], lengths: npt.NDArray[np.int32]) -> int:
    largest = np.zeros(len(lengths), np.float32)
    if len(values):
        largest[lengths > 0] = np.maximum.reduceat(np.abs(values), (np.cumsum(lengths) - lengths)[lengths > 0])
    # As float16, in which faces are compared, a tiny vector is zero and a huge one infinite.
    with np.errstate(over="ignore"):
        compared = largest.astype(np.float16)
    return int((~np.isfinite(compared) | (compared == 0)).sum())


def _ids_and_codes(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for row in rows_of(batches):
        yield batch_of(face_id=np.frombuffer(row["ids"], np.int64), code=np.frombuffer(row["codes"], np.int64))


def _sampled(share: float, seed: int) -> RowBatches:
    def sampled(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for block in blocks_in(rows_of(batches)):
            chosen = id_hash(block.ids, seed) / 2.0**64 < share if share < 1 else np.full(len(block.ids), True)
            yield batch_of(ids=[block.ids[chosen]], codes=[block.codes[chosen]], vectors=[block.vectors[chosen]])

    return sampled
