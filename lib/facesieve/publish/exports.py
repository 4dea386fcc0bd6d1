"""The cleaned data set for those without Iceberg: a plain Parquet data set, and folders with the image files.

An export of a run begins by clearing away whatever is there of the same run and ends with `_SUCCESS`, so what bears
that file is whole. Executors write the files; only counts come to the driver.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.fs import FileType
from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from facesieve.core.errors import ConfigError, ContractError, Fault
from facesieve.images.storage import Storage
from facesieve.publish import file_names

Fetch = Callable[[str], bytes]
Batches = Iterable[pa.RecordBatch]

OUTPUTS = ("parquet", "folders")
SUCCESS = "_SUCCESS"
_MARK = ".facesieve"
CURRENT = "CURRENT"
MANIFEST = ("path", "uri", "identity", "label", "image_id", "face_id", "sha256")
LABELS = ("label", "identity", "images")

_LISTED = ("image_id", "uri", "sha256")

_FILE_BYTES = 128 * 2**20
"""A Parquet file is closed when its rows take this much memory."""
_FILES_PER_TASK = 500


def export_parquet(cleaned: DataFrame, target: Storage, buckets: int, version: str = "") -> int:
    """Write `cleaned` below `target` (the run's folder) as parquet/bucket=<k>/part-<n>.parquet; return its rows.

    k is the CRC-32 of the identity's UTF-8 bytes modulo `buckets`; within a bucket rows are sorted by identity and
    image_id. Beside the folder stands labels.csv (LABELS: how many images an identity has). `version` says which
    version of the table this is (content of _SUCCESS). Raises OSError.
    """
    folder = _cleared(target, "parquet")
    _export_csv(cleaned.groupBy(*LABELS[:2]).agg(F.count("*").alias("images")), target, "labels.csv", LABELS)
    bucket = F.pmod(F.crc32("identity"), F.lit(buckets)).cast("int")
    rows = cleaned.withColumn("bucket", bucket).repartition(buckets, "bucket")
    ordered = rows.sortWithinPartitions("bucket", "identity", "image_id")
    written = ordered.mapInArrow(partial(_write_buckets, target=folder), "rows bigint").agg(F.sum("rows"))
    count = written.collect()[0][0] or 0
    folder.write(SUCCESS, version.encode("utf-8"))
    return int(count)


def export_folders(cleaned: DataFrame, source_fetch: Fetch, target: Storage, version: str = "") -> int:
    """Copy the image files below `target` (the run's folder) to folders/<identity>/<file>; return how many.

    Where `bytes` is null, `source_fetch` reads the file of a uri, on executors. With the files come manifest.csv
    (MANIFEST; path relative to it) and _SUCCESS.
    Raises ContractError if files vanished or changed since they were listed, OSError if one cannot be written.
    """
    folder = _cleared(target, "folders")
    placed = _placed(cleaned.select(*MANIFEST[1:]))
    tasks = max(cleaned.sparkSession.sparkContext.defaultParallelism, cleaned.count() // _FILES_PER_TASK)
    copy = partial(_copy, fetch=source_fetch, target=folder)
    contents = cleaned.select("image_id", "bytes")
    copied = placed.repartition(tasks, "image_id").join(contents, "image_id", how="inner")
    copies = copied.mapInArrow(copy, "image_id bigint, problem string")
    count, spoilt, example = copies.agg(F.count("*"), F.count("problem"), F.min("problem")).collect()[0]
    if spoilt:
        raise ContractError(
            f"{spoilt} of {count} image files are not as they were listed (one of them {example}); "
            "run the job again, so that the images are read anew"
        )
    _export_csv(placed, folder, "manifest.csv", MANIFEST)
    folder.write(SUCCESS, version.encode("utf-8"))
    return int(count)


def is_complete(target: Storage, name: str, version: str) -> bool:
    """Whether the export `name` (`parquet`, `folders`) of a run is finished and holds that version of the table."""
    done = f"{name}/{SUCCESS}"
    return target.exists(done) and target.read(done) == version.encode("utf-8")


def with_bytes(cleaned: DataFrame, source_fetch: Fetch) -> DataFrame:
    """Fill the column `bytes` with the content of the image files, read on executors.

    A file that vanished or changed since it was listed fails the Spark job with a ContractError.
    """
    return cleaned.mapInArrow(partial(_fill, fetch=source_fetch), cleaned.schema)


def point_current(export_root: Storage, run: str) -> None:
    """Make the file CURRENT of the export root name `run`; readers see the former name or this one. Raises OSError."""
    export_root.write(CURRENT, run.encode("utf-8"))


def current(export_root: Storage) -> str | None:
    """Return the run that the file CURRENT of the export root names; None without one. Raises OSError."""
    return export_root.read(CURRENT).decode("utf-8", errors="replace").strip() if export_root.exists(CURRENT) else None


def pointer_is_folder(export_root: Storage) -> bool:
    """Say whether a folder stands where the file CURRENT has to."""
    return bool(export_root.child(CURRENT).info().type == FileType.Directory)


def clear_current(export_root: Storage) -> None:
    """Delete the file CURRENT of the export root: nothing is published. Raises OSError."""
    export_root.delete_tree(CURRENT)


def _cleared(target: Storage, name: str) -> Storage:
    """Make the folder `name` of a run's exports anew; what facesieve did not make is never cleared away."""
    if target.exists() and target.entries() and not target.exists(_MARK):
        said = "the run's folder there holds something that is no export of facesieve"
        raise ConfigError([Fault("publish.export_root", said, "Name another place, or another --run.")])
    target.write(_MARK, b"")
    target.delete_tree(f"{name}/{SUCCESS}")
    target.delete_tree(name)
    return target.child(name)


def _write_buckets(batches: Batches, target: Storage) -> Iterator[pa.RecordBatch]:
    for name, rows in _files_of_buckets(batches):
        sink = io.BytesIO()
        pq.write_table(rows.drop_columns(["bucket"]), sink, compression="zstd")
        target.write(name, sink.getvalue())
        yield _one_row(rows=len(rows))


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
        buckets = batch["bucket"].to_numpy()
        bounds = [0, *(np.flatnonzero(np.diff(buckets)) + 1).tolist(), len(buckets)]
        yield from (batch.slice(start, stop - start) for start, stop in pairwise(bounds))


def _placed(images: DataFrame) -> DataFrame:
    """Give every image its path: the rows of the manifest."""
    fold, file = F.udf(file_names.fold, "string"), F.udf(file_names.file, "string")
    base = F.element_at(F.split("uri", "/"), -1)
    named = images.join(_folders(images), "identity", how="inner")
    crowded = _crowded(Window.partitionBy("identity", fold(base)))
    path = F.concat_ws("/", "folder", file("uri", "image_id", crowded))
    return named.withColumn("path", path).select(*MANIFEST)


def _folders(images: DataFrame) -> DataFrame:
    """One row per identity: the name of its folder."""
    fold, folder = F.udf(file_names.fold, "string"), F.udf(file_names.folder, "string")
    crowded = _crowded(Window.partitionBy(fold("identity")))
    return images.select("identity").distinct().select("identity", folder("identity", crowded).alias("folder"))


def _crowded(same_name: WindowSpec) -> Column:
    return F.count("*").over(same_name) > 1


def _copy(batches: Batches, fetch: Fetch, target: Storage) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        rows = batch.select(["path", "uri", "sha256", "bytes"]).to_pylist()
        problems = [_copy_one(row, fetch, target) for row in rows]
        yield pa.record_batch({"image_id": batch["image_id"], "problem": pa.array(problems, pa.string())})


def _copy_one(row: dict[str, Any], fetch: Fetch, target: Storage) -> str | None:
    given = row["bytes"]
    content, problem = _fetched(row["uri"], row["sha256"], fetch if given is None else lambda _: bytes(given))
    if content is not None:
        target.write(row["path"], content)
    return problem


def _fetched(uri: str, sha256: str, fetch: Fetch) -> tuple[bytes | None, str | None]:
    """Read an image file: its content if it is what was listed, else what is wrong."""
    try:
        content = fetch(uri)
    except OSError:
        return None, "cannot be read"
    if hashlib.sha256(content).hexdigest() != sha256:
        return None, "has changed"
    return content, None


def _fill(batches: Batches, fetch: Fetch) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        contents = []
        for image_id, uri, sha256 in zip(*(batch[name].to_pylist() for name in _LISTED), strict=True):
            content, problem = _fetched(uri, sha256, fetch)
            if problem:
                raise ContractError(f"the file of image {image_id} {problem} since it was listed; run the job again")
            contents.append(content)
        at = batch.schema.get_field_index("bytes")
        columns = [*batch.columns[:at], pa.array(contents, pa.binary()), *batch.columns[at + 1 :]]
        yield pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _export_csv(rows: DataFrame, target: Storage, name: str, columns: tuple[str, ...]) -> None:
    """Write rows, sorted by their first column, as one file with a heading."""
    write = partial(_write_csv, target=target, name=name, columns=columns)
    list(write(()))  # Spark may skip the task below where there is no row
    sorted_rows = rows.select(*columns).repartition(1).sortWithinPartitions(columns[0])
    sorted_rows.mapInArrow(write, "rows bigint").count()


def _write_csv(batches: Batches, target: Storage, name: str, columns: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(columns)
    for batch in batches:
        lines.writerows(zip(*(batch[column].to_pylist() for column in columns), strict=True))
        yield _one_row(rows=batch.num_rows)
    target.write(name, text.getvalue().encode("utf-8"))


def _one_row(rows: int) -> pa.RecordBatch:
    return pa.record_batch({"rows": pa.array([rows], pa.int64())})
