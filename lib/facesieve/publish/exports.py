"""Exports of the cleaned data set for those without Iceberg: what all output forms share, and which is current.

An export of a run begins by clearing away whatever is there of the same run and ends with `_SUCCESS`. So what bears
that file is whole. Executors write the files; only counts come to the driver.

An edition says what an export holds: the version of the table, and on further lines the settings that shape it.
"""

from __future__ import annotations

import csv
import io
import tempfile
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import IO, Any, NewType

import pyarrow as pa
from pyarrow.fs import FileType
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core.errors import ConfigError, Fault
from facesieve.core.tables import Cleaned
from facesieve.images.storage import Storage

Batches = Iterable[pa.RecordBatch]

Lines = NewType("Lines", DataFrame)
"""Rows with at least the columns of a text file, one for each of its lines."""

LABELS = ("label", "identity", "images")
"""The columns of labels.csv."""

Rows = Sequence[tuple[Any, ...]]

SUCCESS = "_SUCCESS"
CURRENT = "CURRENT"
_MARK = ".facesieve"
_PIECE = 8 * 2**20
"""Bytes of a file that are held at once."""
_ENDS = frozenset("\t\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029")
"""What ends a cell of a list, or a line as `str.splitlines` has it."""


def cleared(target: Storage, name: str) -> Storage:
    """Make the folder `name` of a run's exports anew; what facesieve did not make is never cleared away."""
    claim(target)
    target.delete_tree(f"{name}/{SUCCESS}")
    target.delete_tree(name)
    return target.child(name)


def claim(target: Storage) -> None:
    """Mark the folder of a run's exports as ours. Raises ConfigError if it holds what facesieve did not make."""
    if target.exists(_MARK):
        return
    if target.exists() and target.entries():
        problem = "the run's folder there holds something that is no export of facesieve"
        raise ConfigError([Fault("publish.export_root", problem, "Name another place, or another --run.")])
    target.write(_MARK, b"")


@contextmanager
def whole_or_gone(target: Storage, name: str) -> Iterator[None]:
    """Delete the export `name` again if writing it fails; what facesieve did not make stays."""
    try:
        yield
    except BaseException:
        if target.exists(_MARK):
            target.delete_tree(f"{name}/{SUCCESS}")
            target.delete_tree(name)
        raise


def complete(folder: Storage, edition: str) -> None:
    """Say that an export is whole, and which edition it is. Raises OSError."""
    folder.write(SUCCESS, edition.encode("utf-8"))


def is_complete(target: Storage, name: str, edition: str) -> bool:
    """Whether the export `name` (`parquet`, `folders`) of a run is finished and is of that edition."""
    return _edition(target, name) == edition


def holds(target: Storage, name: str, version: int) -> bool:
    """Whether the export `name` of a run is finished and holds that version of the table, in whatever edition."""
    return (_edition(target, name) or "").partition("\n")[0] == str(version)


def _edition(target: Storage, name: str) -> str | None:
    done = f"{name}/{SUCCESS}"
    return target.read(done).decode("utf-8", errors="replace") if target.exists(done) else None


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


def write_labels(cleaned: Cleaned, target: Storage) -> None:
    """Write labels.csv: a row for each identity, with its label and how many images it has."""
    people = cleaned.select("label", "identity", "image_id").repartition("identity").groupBy(*LABELS[:2])
    counts = Lines(people.agg(F.count_distinct("image_id").alias("images")))
    write_csv(counts, target, "labels.csv", LABELS)


def write_csv(rows: Lines, target: Storage, name: str, columns: tuple[str, ...]) -> int:
    """Write rows, sorted by their columns, as a single file with a heading; return how many."""
    return _write_single(rows.select(*columns), columns, partial(_csv, target=target, name=name, columns=columns))


def write_list(rows: Lines, target: Storage, name: str, columns: tuple[str, ...]) -> int:
    """Write rows, sorted by their columns, as a single file without a heading, cells set apart by tabs.

    What would end a cell or a line is percent-encoded. Returns how many rows there are.
    """
    return _write_single(rows.select(*columns), columns, partial(_list, target=target, name=name, columns=columns))


@contextmanager
def whole_file(target: Storage, name: str) -> Iterator[IO[bytes]]:
    """Give a local file to write to; what it holds in the end becomes the file `name`, unless an error is raised."""
    with tempfile.TemporaryFile(prefix="facesieve-export-") as file:
        yield file
        target.write_pieces(name, lambda: from_start(file))


def from_start(file: IO[bytes]) -> Iterator[bytes]:
    """Yield all that a local file holds, one piece held at a time."""
    file.seek(0)
    while piece := file.read(_PIECE):
        yield piece


def pieces_of(target: Storage, name: str) -> Iterator[bytes]:
    """Yield the content of the file `name`, one piece held at a time. Raises OSError."""
    files, path = target.at(name)
    with files.open_input_stream(path) as stream:
        while piece := stream.read(_PIECE):
            yield piece


def counted(rows: int) -> pa.RecordBatch:
    """Return a row that says how many rows a task has written: rows bigint."""
    return pa.record_batch({"rows": pa.array([rows], pa.int64())})


def total(counts: DataFrame) -> int:
    """Add up what tasks count. They give few rows, so that no further shuffle is needed for the sum."""
    return sum(row.rows for row in counts.collect())


def _write_single(
    rows: DataFrame, columns: tuple[str, ...], write: Callable[[Batches], Iterator[pa.RecordBatch]]
) -> int:
    list(write(()))  # Spark may skip the task below where there is no row
    sorted_rows = rows.repartition(1).sortWithinPartitions(*columns)
    return total(sorted_rows.mapInArrow(write, "rows bigint"))


def _csv(batches: Batches, target: Storage, name: str, columns: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    with whole_file(target, name) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(columns)
        rows = sum(_written(lines.writerows, cells) for cells in _cells(batches, columns))
        text.detach()
    yield counted(rows)


def _list(batches: Batches, target: Storage, name: str, columns: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    def write(rows: Rows) -> None:
        file.writelines(("\t".join(plain(str(cell)) for cell in row) + "\n").encode("utf-8") for row in rows)

    with whole_file(target, name) as file:
        rows = sum(_written(write, cells) for cells in _cells(batches, columns))
    yield counted(rows)


def _cells(batches: Batches, columns: tuple[str, ...]) -> Iterator[Rows]:
    for batch in batches:
        yield list(zip(*(batch[column].to_pylist() for column in columns), strict=True))


def _written(write: Callable[[Rows], None], rows: Rows) -> int:
    write(rows)
    return len(rows)


def plain(cell: str) -> str:
    """Percent-encode what would end a cell or a line.

    >>> plain("new\\nline"), plain("100 %")
    ('new%0Aline', '100 %')
    """
    return "".join(urllib.parse.quote(each) if each in _ENDS else each for each in cell)
