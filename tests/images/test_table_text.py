"""Tables as spreadsheets and people write them: encodings, separators, empty columns, lines without a header."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesieve.images.table_text import text_table

ROWS = (
    (2, {"uri": "é/1.jpg", "identity": "Ann, B."}),
    (3, {"uri": "b.jpg", "identity": ""}),
)
PLAIN = ("uri", "identity")


def _written(separator: str, end: str = "\r\n", more: str = "") -> str:
    quoted = '"Ann, B."' if separator == "," else "Ann, B."
    lines = [("uri", "identity"), ("é/1.jpg", quoted), ("b.jpg", "")]
    return "".join(separator.join(line) + more + end for line in lines)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_separators_and_line_ends(encoding: str, separator: str, end: str) -> None:
    table = text_table(_written(separator, end).encode(encoding))
    assert (table.columns, table.rows) == (PLAIN, ROWS)


def test_big_endian_as_some_programs_write_it() -> None:
    assert text_table(b"\xfe\xff" + _written(";").encode("utf-16-be")).rows == ROWS


@pytest.mark.parametrize(("separator", "line"), [(";", "sep=;"), (",", "SEP=,"), ("|", '"sep=|"')])
def test_a_first_line_names_the_separator(separator: str, line: str) -> None:
    shifted = tuple((number + 1, row) for number, row in ROWS)
    assert text_table(f"{line}\r\n{_written(separator)}".encode()).rows == shifted


def test_empty_columns_and_rows_are_passed_over() -> None:
    table = text_table((_written(",", more=",,") + ",,,\r\n\r\n").encode())
    assert (table.columns, table.rows) == (PLAIN, ROWS)
    assert text_table(b"uri,identity\na.jpg\n").rows == ((2, {"uri": "a.jpg", "identity": None}),)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"uri,identity\na.jpg,Jos\xe9\n", "line 2 is not UTF-8 but perhaps Latin-1"),
        ("uri,identity\na,b\n".encode("utf-16-le"), "UTF-16 without a byte order mark"),
        (b"\xff\xfeu", "begins as UTF-16, but is broken"),
        (b"uri,identity,\na.jpg,Ann,x\n", "line 2 has a value in a column without a name"),
        (b"uri,identity\na.jpg,Ann,x\n", "line 2 has more fields than the header"),
        (b"uri,uri\na,b\n", "the header names a column twice"),
    ],
)
def test_what_cannot_be_read_is_told(content: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        text_table(content)


@pytest.mark.parametrize(
    "text",
    [
        "000001.jpg 2880\n000002.jpg 2937\n",
        "000001.jpg\t2880\n000002.jpg\t2937\n\n",
        "uri   identity\n000001.jpg 2880\n\n000002.jpg 2937\n",
        "uri,identity\n000001.jpg,2880\n000002.jpg,2937\n",
        "uri\tidentity\n000001.jpg\t2880\n000002.jpg\t2937\n",
    ],
)
def test_lines_of_two_words_need_no_header(text: str) -> None:
    table = text_table(text.encode(), PLAIN)
    pairs = [tuple(row.values()) for _, row in table.rows]
    assert (table.columns, pairs) == (PLAIN, [("000001.jpg", "2880"), ("000002.jpg", "2937")])


def test_a_line_of_other_than_two_words_is_refused() -> None:
    with pytest.raises(ValueError, match="line 2 has 3 words, not 2: begin the file with the header uri,identity"):
        text_table(b"a.jpg Ann\nb.jpg Ann Li\n", PLAIN)
    assert text_table(b"a b.jpg\tAnn Li\n", PLAIN).rows == ((1, {"uri": "a b.jpg", "identity": "Ann Li"}),)


CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)


@given(st.lists(st.tuples(CELLS, CELLS), max_size=5), st.sampled_from(",;\t"), st.sampled_from(["utf-8", "utf-16"]))
def test_what_a_csv_writer_wrote_is_read(rows: list[tuple[str, str]], separator: str, encoding: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator).writerows([PLAIN, *rows])
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    assert [tuple(row.values()) for _, row in text_table(text.getvalue().encode(encoding)).rows] == filled


def test_a_header_between_blanks_names_the_columns_in_either_order() -> None:
    columns = ("uri", "identity")
    row = (2, {"uri": "a.jpg", "identity": "Ann"})
    assert text_table(b"uri identity\na.jpg Ann\n", columns).rows == (row,)
    assert text_table(b"identity  uri\nAnn a.jpg\n", columns).rows == (row,)
