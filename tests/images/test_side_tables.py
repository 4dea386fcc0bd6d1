"""Tables that people write: CSV and Parquet alike, cells as text, ids and moments, faults with their places."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from facesieve.core.errors import ConfigError
from facesieve.images import side_tables
from facesieve.images.side_tables import FAULTS_SHOWN, Problem, Reader, Row

KEY = "some.key"
DAY = 86_400_000_000
"""Microseconds of a day."""


class Pair(NamedTuple):
    """What a row of these tests says."""

    place: str
    name: str
    number: int


def _row(row: Row) -> Pair | list[Problem]:
    number = row.id("number")
    if number is None:
        return [row.no_id("number")]
    return Pair(row.place, row.text("name") or "", number)


def _columns(columns: frozenset[str]) -> list[Problem]:
    return [] if "number" in columns else [Problem("has no column number", "Add it.")]


def _across(rows: Any) -> list[Problem]:
    names = [row.name for row in rows]
    return [Problem(f"{row.place} repeats {row.name}", "Remove it.") for row in rows if names.count(row.name) > 1][1:]


READER = Reader(_columns, _row, _across)


def faults(path: Path | str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        side_tables.entries(KEY, str(path), READER)
    assert {fault.key for fault in caught.value.faults} == {KEY}
    return [str(fault).removeprefix(f"{KEY}: {path} ") for fault in caught.value.faults]


def cell(value: object) -> Row:
    return Row("line 2", {"c": value})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (" a ", "a"),
        ("", None),
        ("  ", None),
        (None, None),
        (0, "0"),
        (False, "False"),
        ("0", "0"),
        (12.0, "12"),
        (1.5, "1.5"),
        (float("nan"), None),
    ],
)
def test_text(value: object, text: str | None) -> None:
    assert cell(value).text("c") == text
    assert cell(value).text("absent") is None


def test_blanks_are_part_of_a_uri() -> None:
    assert cell(" a/b ").text("c", strip=False) == " a/b "
    assert cell("  ").text("c", strip=False) is None


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (7, 7),
        (" -7 ", -7),
        ("+7", 7),
        (2**63 - 1, 2**63 - 1),
        (str(-(2**63)), -(2**63)),
        (2**63, None),
        ("1.0", None),
        (1.0, None),
        (True, None),
        ("", None),
        (None, None),
        ("\u0661", None),
    ],
)
def test_ids(value: object, number: int | None) -> None:
    assert cell(value).id("c") == number


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("1970-01-02", DAY),
        (date(1970, 1, 2), DAY),
        (datetime(1970, 1, 2), DAY),
        ("1970-01-02T02:00:00+02:00", DAY),
        (datetime(1970, 1, 2, 2, tzinfo=timezone(timedelta(hours=2))), DAY),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), -1),
        ("yesterday", None),
        ("", None),
        (None, None),
        (12, None),
    ],
)
def test_moments_are_utc_where_no_zone_is_named(value: object, moment: int | None) -> None:
    assert cell(value).moment("c") == moment


def test_order_and_form_do_not_change_the_digest(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes("\ufeffname, number\r\na,1\r\n\r\nb, 2\r\n".encode())
    from_csv = side_tables.entries(KEY, str(file), READER)
    assert from_csv.rows == (Pair("line 2", "a", 1), Pair("line 4", "b", 2))
    pq.write_table(pa.table({"number": [2, 1], "name": ["b", "a"]}), tmp_path / "a.parquet")
    from_parquet = side_tables.entries(KEY, str(tmp_path / "a.parquet"), READER)
    assert from_parquet.rows == (Pair("row 1", "b", 2), Pair("row 2", "a", 1))
    assert from_parquet.digest == from_csv.digest
    file.write_text("name,number\na,1\nb,3\n")
    assert side_tables.entries(KEY, str(file), READER).digest != from_csv.digest


def test_a_folder_is_read_file_by_file(tmp_path: Path) -> None:
    for name, text in (("b.csv", "number\n2\n"), ("a.csv", "number\n1\n"), ("_SUCCESS", "x"), (".hidden", "y")):
        (tmp_path / name).write_text(text)
    listed = side_tables.entries(KEY, str(tmp_path), Reader(_columns, _row))
    assert [row.place for row in listed.rows] == ["a.csv line 2", "b.csv line 2"]


def test_nothing_is_named() -> None:
    nothing = side_tables.entries(KEY, "", READER)
    assert (nothing.rows, nothing.digest) == ((), "")


def test_what_cannot_be_read(tmp_path: Path) -> None:
    assert faults(tmp_path / "none")[0].startswith("cannot be read (it does not exist). Give a CSV file")
    file = tmp_path / "bad"
    for content, cause in (
        (b"PAR1 and no more", "Parquet"),
        (b"number\n\xff\n", "line 2 is not UTF-8"),
        (b'number\n"1', "end of data"),
        (b"number\n1,2\n", "line 2 has more fields than the header"),
        (b"number,number\n1,2\n", "the header names a column twice"),
    ):
        file.write_bytes(content)
        (text,) = faults(file)
        assert text.startswith("cannot be read (")
        assert cause in text
    file.write_text("number\n")
    assert faults(file) == ["holds no row. Write rows into it, or leave some.key empty."]


def test_columns_come_before_rows_and_rows_with_what_they_say_together(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("name\na\n")
    assert faults(file) == ["has no column number. Add it."]
    file.write_text("name,number\na,1\nb,x\na,2\n")
    assert [text.split(". ")[0] for text in faults(file)] == ["number 'x' is not an id", "line 4 repeats a"]


def test_many_faults_are_cut_short(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("number\n" + "x\n" * (FAULTS_SHOWN + 3))
    shown = faults(file)
    assert len(shown) == FAULTS_SHOWN + 1
    assert shown[-1] == "some.key: and 3 more. Correct these alike."


def test_an_apostrophe_guards_a_cell_of_csv_and_nothing_else(tmp_path: Path) -> None:
    def names(file: Path) -> list[str | None]:
        reader = Reader(lambda columns: [], lambda row: (row.place, row.text("name")))
        return [name for _, name in side_tables.entries(KEY, str(file), reader).rows]

    file = tmp_path / "a.csv"
    file.write_text("name,n\n'=cmd,1\n''@x,2\n't Hart,3\n'-5,4\n", encoding="utf-8")
    assert names(file) == ["=cmd", "'@x", "'t Hart", "-5"]
    pq.write_table(pa.table({"name": ["'=cmd"]}), tmp_path / "b.parquet")
    assert names(tmp_path / "b.parquet") == ["'=cmd"]
