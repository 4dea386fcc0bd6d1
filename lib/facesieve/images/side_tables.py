"""Small tables that people write: a CSV file, a Parquet file, or a folder of either, by path or URI.

A fault names the place in the file, since somebody has to mend it there.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.fs import FileType

from facesieve.core.errors import ConfigError, Fault
from facesieve.images.storage import Storage

FAULTS_SHOWN = 20
_PARQUET = b"PAR1"


class Row(NamedTuple):
    """One row: where it stands, and its values by column; those of a CSV file are strings."""

    place: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class SideTable:
    """A table as somebody wrote it."""

    columns: frozenset[str]
    rows: tuple[Row, ...]


def read(key: str, path: str) -> SideTable:
    """Read the table that the configuration key `key` names.

    Raises ConfigError naming `key` if it cannot be read, or holds no row.
    """
    try:
        parts = [_parsed(name, content) for name, content in _contents(path)]
    except (OSError, ValueError, csv.Error, pa.ArrowException) as problem:
        said = getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
        problem_text = f"{path} cannot be read ({said.splitlines()[0]})"
        raise ConfigError(
            [Fault(key, problem_text, "Give a CSV file (UTF-8, with a header) or a Parquet file.")]
        ) from None
    rows = tuple(row for part in parts for row in part.rows)
    if not rows:
        raise ConfigError([Fault(key, f"{path} holds no row", f'Write rows into it, or set {key} = "".')])
    return SideTable(frozenset().union(*(part.columns for part in parts)), rows)


def refuse(faults: Sequence[Fault]) -> None:
    """Raise ConfigError if there are faults: with the first of them, and how many more there are."""
    if not faults:
        return
    shown = list(faults[:FAULTS_SHOWN])
    if len(faults) > len(shown):
        shown.append(Fault(faults[0].key, f"and {len(faults) - len(shown)} more", "Correct these alike."))
    raise ConfigError(shown)


def id_of(cell: Any) -> int | None:
    """Read a bigint, given as such or in digits; None if it is none."""
    if isinstance(cell, bool) or not re.fullmatch(r"\s*[+-]?\d{1,19}\s*", str(cell), re.ASCII):
        return None
    number = int(cell)
    return number if -(2**63) <= number < 2**63 else None


def _contents(path: str) -> Iterator[tuple[str, bytes]]:
    """Return the content of the file, or of each file in the folder with its name."""
    storage = Storage(path)
    kind = storage.info().type
    if kind == FileType.NotFound:
        raise FileNotFoundError(0, "it does not exist")
    if kind == FileType.Directory:
        files = [info.base_name for info in storage.entries() if info.type == FileType.File]
        yield from ((f"{name} ", storage.read(name)) for name in files if not name.startswith(("_", ".")))
    else:
        files, base = storage.at()
        with files.open_input_stream(base) as stream:
            yield "", stream.read()


def _parsed(name: str, content: bytes) -> SideTable:
    if content.startswith(_PARQUET):
        table = pq.read_table(pa.BufferReader(content))
        found = [Row(f"{name}row {number}", values) for number, values in enumerate(table.to_pylist(), 1)]
        return SideTable(frozenset(table.column_names), tuple(found))
    lines = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
    lines.fieldnames = [column.strip() for column in lines.fieldnames or ()]
    if len(set(lines.fieldnames)) < len(lines.fieldnames):
        raise ValueError(f"{name}the header names a column twice")
    found = []
    for values in lines:
        if None in values:
            raise ValueError(f"{name}line {lines.line_num} has more fields than the header")
        found.append(Row(f"{name}line {lines.line_num}", values))
    return SideTable(frozenset(lines.fieldnames), tuple(found))
