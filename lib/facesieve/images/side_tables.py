"""Small tables that people write: a CSV file, a Parquet file, or a folder of either, by path or URI.

A table is read into the memory of the driver. A fault names the place in the file, since somebody has to mend it there.
"""

from __future__ import annotations

import csv
import hashlib
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Generic, NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.fs import FileType

from facesieve.core.errors import ConfigError, Fault, first_line
from facesieve.images.storage import Storage
from facesieve.images.table_text import text_table

FAULTS_SHOWN = 20
_PARQUET = b"PAR1"
_GUARDED = re.compile(r"'+[=+\-@\t\r]")
"""A cell in which an apostrophe keeps spreadsheets from taking it for a formula."""
_ID_FIX = "Give a whole number of 64 bits, as in the tables (spreadsheets round numbers of that length)."


class Problem(NamedTuple):
    """What is wrong in a table, as the end of a sentence that begins with its path, and what to do."""

    text: str
    fix: str


class Row(NamedTuple):
    """One row: where it stands, and its values by column; those of a CSV file are strings."""

    place: str
    values: Mapping[str, Any]

    def text(self, column: str, *, strip: bool = True) -> str | None:
        """Return the text of a cell; None for an empty one, for blanks alone, and where there is no such column.

        Without `strip` blanks around the text stay: those of a uri are part of the name. Numbers of a column that also
        has empty cells arrive as floats (pandas): 12.0 is the text 12, and NaN is an empty cell.
        """
        cell = self.values.get(column)
        if isinstance(cell, float):
            cell = None if math.isnan(cell) else int(cell) if cell.is_integer() else cell
        text = "" if cell is None else str(cell)
        return (text.strip() if strip else text) if text.strip() else None

    def id(self, column: str) -> int | None:
        """Read a bigint, given as such or in digits; None if it is none."""
        cell = self.values.get(column)
        if isinstance(cell, bool) or not re.fullmatch(r"\s*[+-]?\d{1,19}\s*", str(cell), re.ASCII):
            return None
        number = int(str(cell))
        return number if -(2**63) <= number < 2**63 else None

    def moment(self, column: str) -> int | None:
        """Read a date or a timestamp as microseconds since 1970, in UTC where it names no zone; None if it is none."""
        cell = self.values.get(column)
        if isinstance(cell, date) and not isinstance(cell, datetime):
            cell = datetime.combine(cell, time())
        if not isinstance(cell, datetime):
            try:
                cell = datetime.fromisoformat(str(cell).strip())
            except ValueError:
                return None
        zoned = cell if cell.tzinfo else cell.replace(tzinfo=UTC)
        return (zoned - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

    def no_id(self, column: str) -> Problem:
        """Say that a cell holds no id; the place goes before it."""
        return Problem(f"{column} {str(self.values.get(column))!r} is not an id", _ID_FIX)


class _Table(NamedTuple):
    """A table as somebody wrote it."""

    columns: frozenset[str]
    rows: tuple[Row, ...]


Entry = TypeVar("Entry", bound=tuple[Any, ...])
"""What a row says, as a tuple that begins with the row's place."""


@dataclass(frozen=True)
class Entries(Generic[Entry]):
    """What a table says, and a digest of it that neither the order of rows nor the form of the file changes."""

    path: str
    rows: tuple[Entry, ...]
    digest: str


class Reader(NamedTuple, Generic[Entry]):
    """How a kind of table is read: what is wrong with its columns, with a row, and with rows beside each other.

    headerless: the two columns of a text file that may also be lines of two words without a header.
    """

    columns: Callable[[frozenset[str]], list[Problem]]
    row: Callable[[Row], Entry | list[Problem]]
    across: Callable[[Sequence[Entry]], list[Problem]] = lambda entries: []
    headerless: tuple[str, str] | None = None


def entries(key: str, path: str, reader: Reader[Entry]) -> Entries[Entry]:
    """Read what the table says that `key` (of the configuration, or an argument) names; nothing where it is empty.

    Raises ConfigError with what is wrong in the file, up to FAULTS_SHOWN faults with their places.
    """
    if not path:
        return Entries("", (), "")
    table = _read(key, path, reader.headerless)
    if not table.rows:
        raise ConfigError([Fault(key, f"{path} holds no row", f"Write rows into it, or leave {key} empty.")])
    refuse(key, path, reader.columns(table.columns))
    outcomes = [reader.row(row) for row in table.rows]
    problems = [problem for outcome in outcomes if isinstance(outcome, list) for problem in outcome]
    rows = tuple(outcome for outcome in outcomes if not isinstance(outcome, list))
    refuse(key, path, problems + reader.across(rows))
    distinct = sorted({repr(tuple(row[1:])) for row in rows})
    return Entries(path, rows, hashlib.sha256("\n".join(distinct).encode()).hexdigest())


def plain_cell(cell: str) -> str:
    """Take away the apostrophe that guards a cell of a CSV file against being taken for a formula.

    The report writes cells so that begin as a formula does; a cell that has such apostrophes itself gets one more.

    >>> plain_cell("'=SUM(1+1)"), plain_cell("''@x"), plain_cell("'t Hart"), plain_cell("-5")
    ('=SUM(1+1)', "'@x", "'t Hart", '-5')
    """
    return cell[1:] if _GUARDED.match(cell) else cell


def guarded_cell(cell: str) -> str:
    """Guard a cell of a CSV file: the inverse of `plain_cell`. Whole numbers are no formulas, whatever their sign.

    >>> guarded_cell("=SUM(1+1)"), guarded_cell("'@x"), guarded_cell("'t Hart"), guarded_cell("-5"), guarded_cell("-5-")
    ("'=SUM(1+1)", "''@x", "'t Hart", '-5', "'-5-")
    """
    plain = re.fullmatch(r"-?\d+", cell, re.ASCII) or not re.match(r"'*[=+\-@\t\r]", cell)
    return cell if plain else f"'{cell}"


def refuse(key: str, path: str, problems: Iterable[tuple[str, str]]) -> None:
    """Raise ConfigError if there are problems: with the first of them, and how many more there are."""
    faults = [Fault(key, f"{path} {text}", fix) for text, fix in problems]
    if not faults:
        return
    shown = faults[:FAULTS_SHOWN]
    if len(faults) > len(shown):
        shown.append(Fault(key, f"and {len(faults) - len(shown)} more", "Correct these alike."))
    raise ConfigError(shown)


def _read(key: str, path: str, headerless: tuple[str, str] | None) -> _Table:
    try:
        parts = [_parsed(name, content, headerless) for name, content in _contents(path)]
    except (OSError, ValueError, csv.Error, pa.ArrowException) as problem:
        cause = first_line(getattr(problem, "strerror", None) or problem)
        fix = "Give a CSV file (UTF-8, with a header) or a Parquet file."
        raise ConfigError([Fault(key, f"{path} cannot be read ({cause})", fix)]) from None
    columns = frozenset().union(*(part.columns for part in parts))
    return _Table(columns, tuple(row for part in parts for row in part.rows))


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
        yield "", storage.read("")


def _parsed(name: str, content: bytes, headerless: tuple[str, str] | None) -> _Table:
    if content.startswith(_PARQUET):
        table = pq.read_table(pa.BufferReader(content))
        rows = [Row(f"{name}row {number}", values) for number, values in enumerate(table.to_pylist(), 1)]
        return _Table(frozenset(table.column_names), tuple(rows))
    try:
        text = text_table(content, headerless)
    except ValueError as problem:
        raise ValueError(f"{name}{problem}") from None
    return _Table(frozenset(text.columns), tuple(Row(f"{name}line {line}", _meant(row)) for line, row in text.rows))


def _meant(row: Mapping[str, str | None]) -> Mapping[str, str | None]:
    return {column: cell and plain_cell(cell) for column, cell in row.items()}
