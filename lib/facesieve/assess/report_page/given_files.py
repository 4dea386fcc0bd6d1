"""The files of judgements that a run read, as CSV: the page lays new marks over them, and saves both together."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from facesieve.core.errors import ConfigError
from facesieve.images import side_tables
from facesieve.images.side_tables import Problem, Reader, Row, guarded_cell
from facesieve.lake.records import RunRecord
from facesieve.lake.side_job import SideJob

OVERRIDES, CONSTRAINTS = "decide.overrides", "cluster.constraints"
MOST_CHARACTERS = 1_000_000
"""Length of a file that is handed to the page: longer ones stay where they are."""


class _GivenRow(NamedTuple):
    place: str
    row: Row


@dataclass(frozen=True)
class GivenFile:
    """A file that the run read. path: empty without one. rows: None where it can be read no more."""

    key: str
    path: str
    rows: Sequence[Row] | None

    @property
    def text(self) -> str:
        """Return the rows as CSV, whatever the file was; cells that begin as a formula does are guarded."""
        rows = self.rows or ()
        columns = list(dict.fromkeys(column for row in rows for column in row.values))
        if not columns:
            return ""
        lines = io.StringIO(newline="")
        writer = csv.writer(lines, lineterminator="\r\n")
        writer.writerow(columns)
        writer.writerows([_cell(row, column) for column in columns] for row in rows)
        return lines.getvalue()


@dataclass(frozen=True)
class GivenFiles:
    """Both files, and what the page gets of them. merge: the page has all that there was."""

    overrides: GivenFile
    constraints: GivenFile
    texts: Mapping[str, str]
    merge: bool


def given_files(job: SideJob, record: RunRecord, *, names: bool) -> GivenFiles:
    """Read the files that the run read, by the configuration in its record, where they still can be read.

    Without `names` the page gets nothing of them, for they hold uris, folders and who has judged.
    """
    overrides, constraints = (_given_file(job, record, key) for key in (OVERRIDES, CONSTRAINTS))
    texts = {"overrides": overrides.text, "constraints": constraints.text}
    fits = all(len(text) <= MOST_CHARACTERS for text in texts.values())
    nothing = not any(each.path for each in (overrides, constraints))
    merge = nothing or (names and fits and None not in (overrides.rows, constraints.rows))
    return GivenFiles(overrides, constraints, texts if merge else dict.fromkeys(texts, ""), merge)


def who_and_when(file: GivenFile, uris: Mapping[str, int]) -> dict[int, tuple[str | None, str | None]]:
    """Say who has judged an image, and when, by image_id; uris: image_id of each uri that rows name."""
    judged: dict[int, tuple[str | None, str | None]] = {}
    for row in file.rows or ():
        image = row.id("image_id")
        image = uris.get(row.text("uri", strip=False) or "") if image is None else image
        if image is not None and row.text("verdict"):
            judged[image] = max(judged.get(image, (None, None)), (row.text("who"), row.text("at")), key=_when)
    return judged


def _when(judged: tuple[str | None, str | None]) -> str:
    return judged[1] or ""


def _given_file(job: SideJob, record: RunRecord, key: str) -> GivenFile:
    section, _, name = key.partition(".")
    path = str(record.config.get(section, {}).get(name) or "")
    try:
        read = side_tables.entries(key, path, Reader(_no_problem, _as_it_is))
    except ConfigError:
        job.warn(f"report: the file of {key} that the run read can be read no more: the page does not merge with it")
        return GivenFile(key, path, None)
    return GivenFile(key, path, [each.row for each in read.rows])


def _no_problem(_columns: frozenset[str]) -> list[Problem]:
    return []


def _as_it_is(row: Row) -> _GivenRow:
    return _GivenRow(row.place, row)


def _cell(row: Row, column: str) -> str:
    value: Any = row.values.get(column)
    return guarded_cell("" if value is None else str(value))
