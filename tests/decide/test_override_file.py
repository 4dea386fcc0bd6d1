"""People's verdicts: how files are read, what is wrong in them, which image is meant, which of two rows counts."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from facesieve.core.errors import ConfigError
from facesieve.core.tables import Listing
from facesieve.decide.override_file import OverrideRow, overrides, read_overrides
from facesieve.images.side_tables import Entries

LISTED = [(10, "Ann/a 1.jpg"), (20, "Ann/2.jpg"), (-30, "Bob/3.jpg"), (40, "40")]

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write rows of a CSV file and return its path."""

    def written(*rows: str, columns: str = "uri,image_id,verdict,moved_to,who,at") -> str:
        file = tmp_path / "verdicts.csv"
        file.write_text("\n".join([columns, *rows]) + "\n", encoding="utf-8")
        return str(file)

    return written


@pytest.fixture(scope="module")
def listing(spark: SparkSession) -> Listing:
    return Listing(spark.createDataFrame(LISTED, "image_id long, uri string").persist())


def resolved(given: Entries[OverrideRow], listing: Listing) -> tuple[list[tuple[Any, ...]], list[str]]:
    warned: list[str] = []
    found = overrides(given, listing, warned.append)
    return sorted(tuple(row) for row in found.collect()) if found is not None else [], warned


def problems(path: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_overrides(path)
    assert {fault.key for fault in caught.value.faults} == {"decide.overrides"}
    return [fault.problem.removeprefix(f"{path} ") for fault in caught.value.faults]


def test_an_image_is_named_by_uri_or_by_id(listing: Listing, write: Write) -> None:
    path = write("Ann/a 1.jpg,,drop,,me,", ",20,move, Bob ,me,2026-11-24", "Bob/3.jpg,-30,keep,,,")
    found, warned = resolved(read_overrides(path), listing)
    assert found == [(-30, "keep", None), (10, "drop", None), (20, "move", "Bob")]
    assert warned == []


def test_a_uri_may_be_a_path_below_the_root(listing: Listing, write: Write) -> None:
    table = read_overrides(write("/data/Ann/2.jpg,,drop,,,", ".\\Bob\\3.jpg,,keep,,,", "/other/Ann/2.jpg,,keep,,,"))
    warnings: list[str] = []
    answer = overrides(table, listing, warnings.append, "/data")
    assert answer is not None
    assert sorted((row.image_id, row.verdict) for row in answer.collect()) == [(-30, "keep"), (20, "drop")]
    assert "1 rows" in warnings[0]


def test_nothing_stated(listing: Listing) -> None:
    nothing = read_overrides("")
    assert (nothing.rows, nothing.digest) == ((), "")
    assert overrides(nothing, listing, pytest.fail) is None


def test_csv_and_parquet_in_any_order_have_one_digest(write: Write, tmp_path: Path) -> None:
    rows = ["a,,drop,,me,2026-11-24", ",-7,move,Bob,you,2026-11-24T18:00:00Z"]
    given = read_overrides(write(*rows))
    columns = {
        "image_id": [-7, None],
        "uri": [None, "a"],
        "verdict": ["move", "drop"],
        "moved_to": ["Bob", None],
        "at": [datetime(2026, 11, 24, 18, tzinfo=UTC), datetime(2026, 11, 24)],
    }
    timed = pa.table(columns | {"at": pa.array(columns["at"], pa.timestamp("us"))})
    pq.write_table(timed, tmp_path / "verdicts.parquet")
    assert read_overrides(str(tmp_path / "verdicts.parquet")).digest == given.digest
    assert read_overrides(write(*rows[::-1])).digest == given.digest
    assert read_overrides(write(rows[0])).digest != given.digest


def test_all_that_is_wrong_is_said_at_once_with_its_place(write: Write) -> None:
    said = problems(
        write(
            "a,,fail,,,",
            "b,,,,,",
            ",1.5,keep,,,",
            ",,keep,,,",
            "c,,move, ,,",
            "d,,drop,Bob,,",
            "e,,keep,,,yesterday",
            ",x,may,Bob,,24.11.2026",
        )
    )
    assert said == [
        "line 2: verdict 'fail' is not known",
        "line 3: verdict '' is not known",
        "line 4: image_id '1.5' is not an id",
        "line 5: names no image",
        "line 6: moves an image nowhere",
        "line 7: has moved_to 'Bob' without the verdict move",
        "line 8: at 'yesterday' is not a date",
        "line 9: verdict 'may' is not known",
        "line 9: image_id 'x' is not an id",
        "line 9: has moved_to 'Bob' without the verdict move",
        "line 9: at '24.11.2026' is not a date",
    ]


def test_columns_that_are_missing_and_files_that_cannot_be_read(write: Write, tmp_path: Path) -> None:
    assert problems(write("a", columns="image")) == ["has no column verdict", "has no column uri or image_id"]
    assert "cannot be read (it does not exist)" in problems(str(tmp_path / "none.csv"))[0]
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    assert "cannot be read" in problems(str(tmp_path / "broken.parquet"))[0]
    assert problems(write()) == ["holds no row"]


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        (["40,,keep,,,2026-01-01", "40,,drop,,,2026-01-02"], "drop"),
        (["40,,drop,,,2026-01-02T00:00:00+02:00", "40,,keep,,,2026-01-01T23:00:00Z"], "keep"),
        (["40,,keep,,,", "40,,keep,,,2026-01-02", "40,,keep,,,"], "keep"),
        (["40,,keep,,,2026-01-01", "40,,drop,,,2026-01-01", "40,,move,Bob,,2026-01-02"], "move"),
        (["40,,drop,,,2026-01-02", ",40,keep,,,2026-01-03"], "keep"),
    ],
)
def test_the_later_of_two_rows_counts(listing: Listing, write: Write, rows: list[str], verdict: str) -> None:
    for given in (rows, rows[::-1]):
        (found,), _ = resolved(read_overrides(write(*given)), listing)
        assert found[:2] == (40, verdict)


@pytest.mark.parametrize(
    "rows",
    [
        ["40,,keep,,,2026-01-01", "40,,drop,,,2026-01-01"],
        ["40,,keep,,,", "40,,drop,,,"],
        ["40,,keep,,,", "40,,drop,,,2026-01-01"],
        ["40,,move,Ann,,2026-01-01", "40,,move,Bob,,2026-01-01T00:00:00Z"],
        [",40,keep,,,", ",40,drop,,,"],
    ],
)
def test_two_rows_that_differ_and_none_is_later(write: Write, rows: list[str]) -> None:
    (said,) = problems(write(*rows))
    assert "line 2" in said
    assert "line 3" in said
    assert "say different things of 40" in said


def test_uri_and_id_of_one_image_contradict_each_other(listing: Listing, write: Write) -> None:
    given = read_overrides(write("Ann/2.jpg,,keep,,,", ",20,drop,,,"))
    with pytest.raises(ConfigError, match="say different things of 20"):
        resolved(given, listing)


def test_uri_and_id_in_one_row_must_be_of_one_image(listing: Listing, write: Write) -> None:
    with pytest.raises(ConfigError, match="line 2: uri and image_id name two images"):
        resolved(read_overrides(write("Ann/2.jpg,10,keep,,,")), listing)


def test_rows_of_no_image_are_left_out_and_warned_of_once(listing: Listing, write: Write) -> None:
    """Line 4: the file has changed since it was ruled upon by uri and id."""
    gone = [f"gone/{number},,drop,,," for number in range(4)]
    path = write("Ann/a 1.jpg,,drop,,,", ",99,keep,,,", "Bob/3.jpg,77,keep,,,", *gone)
    found, warned = resolved(read_overrides(path), listing)
    assert found == [(10, "drop", None)]
    said = "6 rows of {} name no image of this run (line 3, line 4, line 5, line 6, line 7, ...): they are left out"
    assert warned == ["decide.overrides: " + said.format(path)]
    nothing, _ = resolved(read_overrides(write(",99,keep,,,")), listing)
    assert nothing == []


def test_a_changed_file_keeps_what_was_said_of_its_uri_alone(spark: SparkSession, write: Write) -> None:
    given = read_overrides(write("Ann/2.jpg,,drop,,,", ",-30,drop,,,"))
    images = [(21, "Ann/2.jpg"), (-31, "Bob/3.jpg")]
    changed = Listing(spark.createDataFrame(images, "image_id long, uri string"))
    found, warned = resolved(given, changed)
    assert found == [(21, "drop", None)]
    assert "1 rows" in warned[0]


def test_many_rows(spark: SparkSession, tmp_path: Path) -> None:
    """By a Spark that need not collect the listing."""
    path = tmp_path / "many.csv"
    with path.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["uri", "verdict"])
        lines.writerows([f"folder/{number}.jpg", "keep"] for number in range(20_000))
    listing = Listing(spark.range(30_000).selectExpr("id image_id", "concat('folder/', id, '.jpg') uri"))
    found = overrides(read_overrides(str(path)), listing, pytest.fail)
    assert found is not None
    assert found.count() == 20_000
