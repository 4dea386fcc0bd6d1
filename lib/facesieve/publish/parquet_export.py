"""The export `parquet`: a plain Parquet data set in buckets."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import Column
from pyspark.sql import functions as F

from facesieve.core.tables import Cleaned
from facesieve.faces.arrow_groups import groups
from facesieve.images.storage import Storage
from facesieve.publish.exports import Batches, cleared, complete, counted, total

_FILE_BYTES = 128 * 2**20
"""A Parquet file is closed when its rows take this much memory."""


def export_parquet(
    cleaned: Cleaned, target: Storage, buckets: int, version: str = "", split: Column | None = None
) -> int:
    """Write `cleaned` below `target` (the run's folder) as parquet/bucket=<k>/part-<n>.parquet; return its rows.

    k is the CRC-32 of the identity's UTF-8 bytes modulo `buckets`; within a bucket rows are sorted by identity,
    image_id and face_id. `version` says which edition this is (content of _SUCCESS). `split` becomes a further column
    of that name. Raises OSError.
    """
    folder = cleared(target, "parquet")
    bucket = F.pmod(F.crc32("identity"), F.lit(buckets)).cast("int")
    divided = cleaned if split is None else cleaned.withColumn("split", split)
    rows = divided.withColumn("bucket", bucket).repartition(buckets, "bucket")
    ordered = rows.sortWithinPartitions("bucket", "identity", "image_id", "face_id")
    rows_written = total(ordered.mapInArrow(partial(_write_buckets, target=folder), "rows bigint"))
    complete(folder, version)
    return rows_written


def _write_buckets(batches: Batches, target: Storage) -> Iterator[pa.RecordBatch]:
    for name, rows in _files_of_buckets(batches):
        sink = io.BytesIO()
        pq.write_table(rows.drop_columns(["bucket"]), sink, compression="zstd")
        target.write(name, sink.getvalue())
        yield counted(len(rows))


def _files_of_buckets(batches: Batches) -> Iterator[tuple[str, pa.Table]]:
    """Gather rows, sorted by bucket, into files of bounded size."""
    waiting: list[pa.RecordBatch] = []
    bucket, number, size = -1, 0, 0
    for piece in _pieces(batches):
        here = piece["bucket"][0].as_py()
        if waiting and (here != bucket or size >= _FILE_BYTES):
            yield f"bucket={bucket}/part-{number:05d}.parquet", pa.Table.from_batches(waiting)
            waiting, size, number = [], 0, number + 1
        number = number if here == bucket else 0
        bucket, size = here, size + piece.nbytes
        waiting.append(piece)
    if waiting:
        yield f"bucket={bucket}/part-{number:05d}.parquet", pa.Table.from_batches(waiting)


def _pieces(batches: Batches) -> Iterator[pa.RecordBatch]:
    """Cut batches, which are not empty, where the bucket changes."""
    for batch in batches:
        for part in groups(pa.Table.from_batches([batch]), ("bucket",)):
            yield batch.slice(part.start, part.stop - part.start)
