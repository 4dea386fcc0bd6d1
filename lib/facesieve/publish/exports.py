"""Exports of the cleaned data set for those without Iceberg: what all output forms share, and which is current.

An export of a run begins by clearing away whatever is there of the same run and ends with `_SUCCESS`. So what bears
that file is whole. Executors write the files; only counts come to the driver.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from functools import partial

import pyarrow as pa
from pyarrow.fs import FileType
from pyspark.sql import DataFrame

from facesieve.core.errors import ConfigError, Fault
from facesieve.images.storage import Storage

Batches = Iterable[pa.RecordBatch]

OUTPUTS = ("parquet", "folders")
SUCCESS = "_SUCCESS"
CURRENT = "CURRENT"
_MARK = ".facesieve"


def cleared(target: Storage, name: str) -> Storage:
    """Make the folder `name` of a run's exports anew; what facesieve did not make is never cleared away."""
    if target.exists() and target.entries() and not target.exists(_MARK):
        problem = "the run's folder there holds something that is no export of facesieve"
        raise ConfigError([Fault("publish.export_root", problem, "Name another place, or another --run.")])
    target.write(_MARK, b"")
    target.delete_tree(f"{name}/{SUCCESS}")
    target.delete_tree(name)
    return target.child(name)


def complete(folder: Storage, version: str) -> None:
    """Say that an export is whole, and which version of the table it holds. Raises OSError."""
    folder.write(SUCCESS, version.encode("utf-8"))


def is_complete(target: Storage, name: str, version: str) -> bool:
    """Whether the export `name` (`parquet`, `folders`) of a run is finished and holds that version of the table."""
    done = f"{name}/{SUCCESS}"
    return target.exists(done) and target.read(done) == version.encode("utf-8")


def point_current(export_root: Storage, run: str) -> None:
    """Make the file CURRENT of the export root name `run`; readers see the former name or this name. Raises OSError."""
    export_root.write(CURRENT, run.encode("utf-8"))


def current(export_root: Storage) -> str | None:
    """Return the run that the file CURRENT of the export root names; None without a file. Raises OSError."""
    return export_root.read(CURRENT).decode("utf-8", errors="replace").strip() if export_root.exists(CURRENT) else None


def pointer_is_folder(export_root: Storage) -> bool:
    """Say whether a folder stands where the file CURRENT has to."""
    return bool(export_root.child(CURRENT).info().type == FileType.Directory)


def clear_current(export_root: Storage) -> None:
    """Delete the file CURRENT of the export root: nothing is published. Raises OSError."""
    export_root.delete_tree(CURRENT)


def write_csv(rows: DataFrame, target: Storage, name: str, columns: tuple[str, ...]) -> int:
    """Write rows, sorted by their columns, as a single file with a heading; return how many."""
    write = partial(_write_csv, target=target, name=name, columns=columns)
    list(write(()))  # Spark may skip the task below where there is no row
    sorted_rows = rows.select(*columns).repartition(1).sortWithinPartitions(*columns)
    return total(sorted_rows.mapInArrow(write, "rows bigint"))


def counted(rows: int) -> pa.RecordBatch:
    """Return a row that says how many rows a task has written: rows bigint."""
    return pa.record_batch({"rows": pa.array([rows], pa.int64())})


def total(counts: DataFrame) -> int:
    """Add up what tasks count. They give few rows, so that no further shuffle is needed for the sum."""
    return sum(row.rows for row in counts.collect())


def _write_csv(batches: Batches, target: Storage, name: str, columns: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(columns)
    rows = 0
    for batch in batches:
        lines.writerows(zip(*(batch[column].to_pylist() for column in columns), strict=True))
        rows += batch.num_rows
    target.write(name, text.getvalue().encode("utf-8"))
    yield counted(rows)
