"""In which tables, versions and exports a person is, counted; and which runs processed the person's images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from facesieve.core import tables
from facesieve.core.tables import Table
from facesieve.erasure.exports import without_subject
from facesieve.erasure.plan import export_roots, rows_of
from facesieve.erasure.rebase import Rows
from facesieve.erasure.subject import Subject
from facesieve.images.storage import Storage
from facesieve.lake import iceberg
from facesieve.lake.records import RunRecord
from facesieve.lake.side_job import SideJob

Facts = dict[str, Any]


def versions_of(job: SideJob, subject: Subject) -> dict[str, Facts]:
    """Count the person's rows of each table, as it stands and by version; tables without any are absent."""
    here = [table for table in tables.IN_LAKE if job.lake.current(table) is not None]
    counted = {table.name: _of_table(job, table, subject) for table in here}
    return {name: facts for name, facts in counted.items() if facts["versions"]}


def _of_table(job: SideJob, table: Table, subject: Subject) -> Facts:
    at = {each.id: each.at for each in iceberg.existing(job.spark, job.lake.name_of(table)).commits()}
    counts = [(each, rows_of(Rows(job.lake.read(table, each)), table, subject)) for each in job.lake.versions(table)]
    versions = [
        {"version": each.id, "at": _time(at[each.id]), "run": each.run, "rows": rows} for each, rows in counts if rows
    ]
    current = job.lake.snapshot(table).id
    return {"rows": next((each["rows"] for each in versions if each["version"] == current), 0), "versions": versions}


def exports_of(job: SideJob, subject: Subject) -> list[Facts]:
    """Return the exports that hold the person, with rows; unfinished ones may do so too."""
    touched = [each for root in export_roots(job) for each in without_subject(Storage(root), subject, apply=False)]
    return [{"run": each.run, "form": each.form, "rows": each.rows, "unfinished": not each.rows} for each in touched]


def runs_of(job: SideJob, versions: Mapping[str, Facts]) -> list[Facts]:
    """Return the runs that left a version with the person in it, and those of which that is not known any more."""
    holding = {each["version"] for facts in versions.values() for each in facts["versions"]}
    left = {each.id for table in tables.ALL if job.lake.current(table) for each in job.lake.versions(table)}
    records = [RunRecord.from_json(record) for record in job.ledger.records()]
    return [facts for record in records if record.after and (facts := _run(record, holding, left))]


def _run(record: RunRecord, holding: set[int], left: set[int]) -> Facts | None:
    after = set(record.after.values())
    if after & holding:
        return _facts(record, sure=True)
    return _facts(record, sure=False) if after - left else None


def _facts(record: RunRecord, *, sure: bool) -> Facts:
    acts: Sequence[Facts] = [act.to_json() for act in record.acts or ()]
    fields = ("at", "what", "operator", "purpose", "basis")
    return {
        "run": record.run,
        "status": record.status,
        "started": record.started,
        "ended": record.ended,
        "model": record.model,
        "sure": sure,
        "acts": [{name: act.get(name) or "" for name in fields} for act in acts],
    }


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1_000, UTC).isoformat(timespec="seconds")
