"""The Parquet files of a data set: one list of them for whoever checks, counts or reads.

A file counts by its suffix; where no file bears it, files without a usual suffix are told by their content. Beside
files that bear it, such files are not read but told of. What begins with `_` or `.` is no data, as for Spark and Hive.
A file that two names lead to (links of the Hugging Face cache) counts once. The list is in the memory of the driver:
its length is that of the files and their row groups, not of the images.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.fs import FileType

from facesieve.core.errors import first_line
from facesieve.images.kinds import (
    HIDDEN_PARQUET,
    IMAGE_FILE,
    NO_SUFFIX,
    PICTURES,
    TOLD_BY_SUFFIX,
    UNNAMED_PARQUET,
    sort_of,
)
from facesieve.images.patience import refuse_outage
from facesieve.images.protocol import IgnoredKind
from facesieve.images.rules import LeftOut, Rules
from facesieve.images.storage import Storage
from facesieve.images.tally import Tally
from facesieve.images.uris import to_name
from facesieve.images.walk import WHOLE, walk

SUFFIXES = (".parquet", ".parq", ".pq")
HIDDEN = "name with _ or . before it"
SECOND_NAME = "second name of a Parquet file"
_MAGIC = b"PAR1"
_POINTER = b"version https://git-lfs"
_NULL_FOLDER = "__HIVE_DEFAULT_PARTITION__"
_MOST_BARE = 100_000  # files without a usual suffix that are looked into
_READERS = 16  # footers that are read at once
_BATCH_BYTES = 16 << 20  # of a batch of rows
_BATCH_ROWS = 256  # a page of few values may stand for many: a bound that the size alone does not give
_BUFFER = 4 << 20  # of a column under way: a row group may be larger than the memory
_TABLE_FORMATS = {"_delta_log": "Delta Lake", ".hoodie": "Hudi"}


class ParquetFile(NamedTuple):
    """A file by its name relative to the root ("" is the root itself): the rows of its row groups, and its columns.

    null: dotted names of the columns of bytes or text that hold nothing, as far as the footer tells.
    """

    name: str
    groups: tuple[int, ...]
    schema: pa.Schema
    null: frozenset[str] = frozenset()

    @property
    def rows(self) -> int:
        """Rows of all row groups."""
        return sum(self.groups)


@dataclass(frozen=True)
class ParquetFiles:
    """The files of a data set in the order of their names, what is beside them by kind, and what is wrong with some."""

    files: tuple[ParquetFile, ...] = ()
    beside: tuple[IgnoredKind, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Rows by the footers."""
        return sum(file.rows for file in self.files)


class EveryFile(Rules):
    """Leaves no file out of a walk."""

    def left_out(self, name: str, head: Callable[[], bytes]) -> LeftOut | None:
        """Return None."""
        return None


def parquet_files(storage: Storage) -> ParquetFiles:
    """List the Parquet files at or below a root, and read their footers. Raises OSError if the root cannot be read."""
    if storage.info().type == FileType.File:
        return _with_footers(storage, [""], Tally())
    names, bare, beside, tables = list[str](), list[str](), Tally(), set[str]()
    for entry in walk(storage, WHOLE, EveryFile(frozenset())):
        name = to_name(entry.uri).decode(errors="replace")
        kind = entry.ignored or _kind(name)
        tables.update(_table_formats(name))
        if kind in SUFFIXES:
            names.append(name)
        elif _is_bare(entry.ignored, kind) and len(bare) < _MOST_BARE:
            bare.append(name)
        else:
            _count(beside, IMAGE_FILE if kind in PICTURES else kind, name)
    if tables:
        return ParquetFiles(problems=(f"is a table of {min(tables)}, whose files hold rows that were deleted",))
    unnamed = _with_magic(storage, bare)
    files = _once(storage, sorted(names or unnamed), beside)
    real = {_real(storage, name) for name in files}
    for name in sorted(set(bare) - set(files)):
        lost = name in unnamed and _real(storage, name) not in real
        _count(beside, UNNAMED_PARQUET if lost else _kind(name), name)
    return _with_footers(storage, files, beside)


def folders(name: str) -> dict[str, str | None]:
    """Return what the folders of a file say, as Hive writes it; all of it is text.

    >>> folders("identity=Ann%20O%27Neil/year=0001/a.parquet")
    {'identity': "Ann O'Neil", 'year': '0001'}
    """
    pairs = (part.partition("=") for part in name.split("/")[:-1])
    return {
        unquote(key): None if value == _NULL_FOLDER else unquote(value)
        for key, equals, value in pairs
        if key and equals
    }


def opened(storage: Storage, name: str) -> pq.ParquetFile:
    """Open a file. Raises OSError or ArrowException."""
    return storage.ask(name, lambda files, path: pq.ParquetFile(files.open_input_file(path), buffer_size=_BUFFER))


def batches(file: pq.ParquetFile, group: int, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Read columns of a row group in batches of bounded size. Raises OSError or ArrowException."""
    rows, prefixes = file.metadata.row_group(group), tuple(f"{column}." for column in columns)
    if not columns:
        yield from _empty(rows.num_rows)
        return
    chunks = (rows.column(index) for index in range(rows.num_columns))
    size = sum(chunk.total_uncompressed_size for chunk in chunks if f"{chunk.path_in_schema}.".startswith(prefixes))
    each = max(1, size // max(1, rows.num_rows))
    at_once = max(1, min(_BATCH_ROWS, _BATCH_BYTES // each))
    yield from file.iter_batches(at_once, row_groups=[group], columns=columns, use_threads=False)


def _empty(rows: int) -> Iterator[pa.RecordBatch]:
    for first in range(0, rows, _BATCH_ROWS):
        nothing = pa.nulls(min(_BATCH_ROWS, rows - first))
        yield pa.RecordBatch.from_arrays([nothing], names=[""])


def _once(storage: Storage, files: list[str], beside: Tally) -> list[str]:
    """Leave out names that lead to a file for the second time."""
    single: dict[str, str] = {}
    for name in files:
        if single.setdefault(_real(storage, name), name) != name:
            _count(beside, SECOND_NAME, name)
    return list(single.values())


def _kind(name: str) -> str:
    """Say what a file is by its name. As Spark: a folder `_year=2020` is data. As macOS: `._a.parquet` is none."""
    kind = os.path.splitext(name)[1].lower() or NO_SUFFIX
    if any(part.startswith(".") or (part.startswith("_") and "=" not in part) for part in name.split("/")):
        return HIDDEN_PARQUET if kind in SUFFIXES and not name.rpartition("/")[2].startswith("._") else HIDDEN
    return kind


def _is_bare(ignored: str | None, kind: str) -> bool:
    """Say whether the content of a file tells what it is."""
    return ignored is None and kind not in (HIDDEN, HIDDEN_PARQUET) and kind not in TOLD_BY_SUFFIX | PICTURES


def _with_magic(storage: Storage, names: list[str]) -> set[str]:
    """Return which files begin as Parquet does."""
    with ThreadPoolExecutor(_READERS) as pool:
        heads = pool.map(lambda name: _head(storage, name), names)
        return {name for name, head in zip(names, heads, strict=True) if head == _MAGIC}


def _table_formats(name: str) -> set[str]:
    parts = name.split("/")
    iceberg = {"Iceberg"} if name.endswith(".metadata.json") and "metadata" in parts else set()
    return iceberg | {table for part, table in _TABLE_FORMATS.items() if part in parts}


def _real(storage: Storage, name: str) -> str:
    root = storage.folder
    return name if root is None else os.path.realpath(root / name)


def _head(storage: Storage, name: str, size: int = len(_MAGIC)) -> bytes:
    try:
        return storage.content(name.encode(), size)
    except OSError:
        return b""


def _count(beside: Tally, kind: str, name: str) -> None:
    beside.count(kind, sort_of(kind), 1, name)


def _with_footers(storage: Storage, names: list[str], beside: Tally) -> ParquetFiles:
    with ThreadPoolExecutor(_READERS) as pool:
        footers = list(pool.map(lambda name: _footer(storage, name), names))
    schemas: dict[pa.Schema, pa.Schema] = {}
    files = [
        footer._replace(schema=schemas.setdefault(footer.schema, footer.schema))  # equal ones share their memory
        for footer in footers
        if isinstance(footer, ParquetFile)
    ]
    problems = tuple(footer for footer in footers if isinstance(footer, str))
    return ParquetFiles(tuple(files), beside.ignored().kinds, problems)


def _footer(storage: Storage, name: str) -> ParquetFile | str:
    shown = name or "it"
    try:
        with opened(storage, name) as file:
            groups = [file.metadata.row_group(group) for group in range(file.metadata.num_row_groups)]
            rows = tuple(group.num_rows for group in groups)
            return ParquetFile(name, rows, file.schema_arrow, _null(groups))
    except (OSError, pa.ArrowException) as problem:
        refuse_outage(storage.root, problem)
        if _head(storage, name, len(_POINTER)) == _POINTER:
            return f"{shown} is a pointer of Git LFS, not the file (git lfs pull gets it)"
        return f"{shown} cannot be read as Parquet ({first_line(problem)})"


def _null(groups: list[pq.RowGroupMetaData]) -> frozenset[str]:
    """Return the columns of bytes or text that are null in all row groups."""
    null, filled = set[str](), set[str]()
    for group in groups:
        for chunk in (group.column(index) for index in range(group.num_columns)):
            if chunk.physical_type == "BYTE_ARRAY":
                counts = chunk.statistics if chunk.is_stats_set else None
                empty = counts is not None and counts.has_null_count and counts.null_count == chunk.num_values
                (null if empty else filled).add(chunk.path_in_schema)
    return frozenset(null - filled)
