"""The files that a run read, handed to the page: as CSV, guarded, and only where names may be shown."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from facesieve.assess.report_page.given_files import MOST_CHARACTERS, GivenFile, given_files, who_and_when
from facesieve.core.config import Config
from facesieve.images.side_tables import Row, guarded_cell, plain_cell
from facesieve.lake.records import RunRecord
from facesieve.lake.side_job import SideJob


@pytest.fixture
def nobody() -> SideJob:
    return SideJob(Config(), None, None, None)  # type: ignore[arg-type]


def _record(overrides: Path | str) -> RunRecord:
    return RunRecord(config={"decide": {"overrides": str(overrides)}})


def test_a_file_comes_back_as_it_was_and_formulas_stay_guarded(nobody: SideJob, tmp_path: Path) -> None:
    file = tmp_path / "o.csv"
    file.write_text("uri,verdict,moved_to\n'=a/1.jpg,move,'@bob\n-x,keep,\n", encoding="utf-8")
    texts = given_files(nobody, _record(file), names=True).texts
    rows = list(csv.DictReader(io.StringIO(texts["overrides"])))
    assert rows == [
        {"uri": "'=a/1.jpg", "verdict": "move", "moved_to": "'@bob"},
        {"uri": "'-x", "verdict": "keep", "moved_to": ""},
    ]
    assert texts["constraints"] == ""


def test_a_parquet_file_is_handed_over_as_csv(nobody: SideJob, tmp_path: Path) -> None:
    pq.write_table(pa.table({"image_id": [-5], "verdict": ["drop"]}), tmp_path / "o.parquet")
    files = given_files(nobody, _record(tmp_path / "o.parquet"), names=True)
    assert files.texts["overrides"] == "image_id,verdict\r\n-5,drop\r\n"
    assert files.merge


def test_without_names_nothing_is_handed_over(nobody: SideJob, tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_text("uri,verdict\nAnn/1.jpg,keep\n")
    files = given_files(nobody, _record(tmp_path / "o.csv"), names=False)
    assert (files.merge, files.texts["overrides"]) == (False, "")
    assert given_files(nobody, RunRecord(), names=False).merge


def test_what_cannot_be_read_or_is_too_long_is_not_merged(nobody: SideJob, tmp_path: Path) -> None:
    assert not given_files(nobody, _record(tmp_path / "gone.csv"), names=True).merge
    assert "decide.overrides" in nobody.warnings[0]
    (tmp_path / "long.csv").write_text("uri,verdict,why\n" + f"a,keep,{'x' * MOST_CHARACTERS}\n")
    assert not given_files(nobody, _record(tmp_path / "long.csv"), names=True).merge


def test_the_later_of_two_judges_is_named() -> None:
    rows = [
        {"image_id": "7", "verdict": "keep", "who": "Kim", "at": "2026-01-02"},
        {"uri": "a", "verdict": "drop", "who": "Lee", "at": "2026-01-03"},
    ]
    file = GivenFile("decide.overrides", "x", [Row("line 2", row) for row in rows])
    assert who_and_when(file, {"a": 7}) == {7: ("Lee", "2026-01-03")}


@pytest.mark.parametrize("cell", ["=1+1", "'=1", "''@x", "-5", "-x", "+1", "@SUM(1)", "\tx", "'t Hart", "", "O'=N"])
def test_a_guarded_cell_is_read_as_it_was_and_is_no_formula(cell: str) -> None:
    guarded = guarded_cell(cell)
    assert plain_cell(guarded) == cell
    assert guarded[:1] not in set("=+@\t\r")
    assert guarded[:1] != "-" or guarded == "-5"
