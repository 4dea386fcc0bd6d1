"""The text of a small table as people and spreadsheets write it: its encoding, its separator, its header.

UTF-8 and, with a byte order mark, UTF-16 and UTF-32 are read. The separator is what a first line `sep=;` names, else
the most frequent of comma, semicolon and tab in the header. Columns without a name and a value are passed over, and so
are rows without a value: spreadsheets write both.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks, the longer first, since a mark of UTF-32 begins with one of UTF-16."""

_SEPARATORS = ",;\t"
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


class TextTable(NamedTuple):
    """Columns by name, and rows of cells by column, each with the number of its (last) line; absent cells are None."""

    columns: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str | None]], ...]


def text_table(content: bytes, headerless: tuple[str, str] | None = None) -> TextTable:
    """Read the content of a text file as a table.

    `headerless`: names of two columns; a file whose first line has neither a separator nor these names is read as
    lines of two words between blanks (or a tab). Raises ValueError with what is wrong, and csv.Error.
    """
    text = _decoded(content)
    first = next((line for line in text.splitlines() if line.strip()), "")
    if headerless and not set(first) & {",", ";"} and not set(headerless) <= set(_words(first)):
        return TextTable(headerless, tuple(_pairs(text, headerless)))
    if headerless and "\t" not in first and set(headerless) <= set(_words(first)):
        named = headerless if _words(first)[0] == headerless[0] else headerless[::-1]
        return TextTable(named, tuple(_pairs(text, named))[1:])
    return _separated(text, first)


def _decoded(content: bytes) -> str:
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8-sig")
    if encoding == "utf-8-sig" and b"\0" in content[:1000]:
        raise ValueError("it is UTF-16 without a byte order mark, or no text: save it as UTF-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as problem:
        line = content[: problem.start].count(b"\n") + 1
        if encoding != "utf-8-sig":
            raise ValueError(f"it begins as {encoding.upper()}, but is broken: save it as UTF-8") from None
        raise ValueError(f"line {line} is not UTF-8 but perhaps Latin-1: save the file as UTF-8") from None


def _words(line: str) -> list[str]:
    return [word.strip() for word in (line.split("\t") if "\t" in line else line.split())]


def _pairs(text: str, columns: tuple[str, str]) -> Iterator[tuple[int, dict[str, str | None]]]:
    for number, line in enumerate(text.splitlines(), 1):
        words = _words(line)
        if not any(words):
            continue
        if len(words) != len(columns):
            header = ",".join(columns)
            raise ValueError(f"line {number} has {len(words)} words, not 2: begin the file with the header {header}")
        yield number, dict(zip(columns, words, strict=True))


def _separated(text: str, first: str) -> TextTable:
    named = _SEPARATOR_LINE.fullmatch(first)
    separator = named[1] if named else max(_SEPARATORS, key=first.count)
    lines = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
    filled = (cells for cells in lines if any(cell.strip() for cell in cells))
    if named:
        next(filled)
    header = [column.strip() for column in next(filled, [])]
    columns = tuple(column for column in header if column)
    if len(set(columns)) < len(columns):
        raise ValueError("the header names a column twice")
    return TextTable(columns, tuple((lines.line_num, _row(header, cells, lines.line_num)) for cells in filled))


def _row(header: Sequence[str], cells: Sequence[str], line: int) -> dict[str, str | None]:
    if any(cell.strip() for cell in cells[len(header) :]):
        raise ValueError(f"line {line} has more fields than the header")
    row: dict[str, str | None] = dict.fromkeys(filter(None, header))
    for column, cell in zip(header, cells, strict=False):
        if column:
            row[column] = cell
        elif cell.strip():
            raise ValueError(f"line {line} has a value in a column without a name")
    return row
