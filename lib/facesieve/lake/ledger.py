"""The ledger: one row of the table `runs` per run, with everything needed to say later what it did and with what."""

from __future__ import annotations

import json
import platform
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from facesieve import __version__
from facesieve.core import tables
from facesieve.core.config import Config, as_dict
from facesieve.core.errors import ConfigError, Fault
from facesieve.lake.catalog import Lake, Snapshot
from facesieve.lake.records import Act, RunRecord
from facesieve.lake.step_record import StepRecord

_STATUSES = ("started", "done", "failed", "refused", "interrupted", "undone")
"""Of runs. The status of a row of any other job is the name of the job."""


def new_name(now: datetime) -> str:
    """Name a run by UTC time and four hex digits, for example `20261124T081500-3fa9`."""
    return f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"


@dataclass(frozen=True)
class Entry:
    """A row of the ledger without its record. before, after: table -> snapshot id."""

    run: str
    status: str
    started: datetime
    ended: datetime | None
    before: Mapping[str, int]
    after: Mapping[str, int]

    @property
    def last(self) -> datetime:
        """When the run was last known to be at work."""
        return self.ended or self.started

    def followed(self, entries: Sequence[Entry]) -> list[Entry]:
        """Return the other runs that were at work after this one started, the newest first."""
        return [entry for entry in newest_first(entries) if entry.run != self.run and entry.last > self.started]


def newest_first(entries: Sequence[Entry]) -> list[Entry]:
    """Order rows of the ledger by when their runs were last at work."""
    return sorted(entries, key=lambda entry: (entry.last, entry.run), reverse=True)


@dataclass
class Ledger:
    """The record of one run, written when it starts and again when it ends."""

    spark: SparkSession
    lake: Lake
    run: str
    config: Config
    model: str
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    before: Mapping[str, int] = field(default_factory=dict)
    stages: dict[str, StepRecord] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    _read: dict[str, dict[str, Any]] = field(default_factory=dict, init=False, repr=False)

    def open(self, before: Mapping[str, int]) -> frozenset[str]:
        """Write the row `started`, and return the runs that were undone.

        A run of that name that is done is refused, an unfinished one is resumed.

        A resumed run that no other has followed began with what stood before its first start: undo goes back there.
        """
        self.lake.open(tables.RUNS)
        entries = self.entries()
        former = next((entry for entry in entries if entry.run == self.run), None)
        if former and former.status in ("done", "undone"):
            fault = Fault("--run", f"a run named {self.run} is finished", "Give another name, or leave --run away.")
            raise ConfigError([fault])
        self.before = former.before if former and not former.followed(entries) else before
        acts = self.record_of(self.run).acts if former else None
        self.acts = [*(acts or ()), self._act("resumed" if former else "started")]
        self._write("started", None, {}, "")
        return frozenset(entry.run for entry in entries if entry.status == "undone")

    def entries(self) -> list[Entry]:
        """Return what the ledger says of every run; nothing where there is no ledger yet."""
        if self.lake.current(tables.RUNS) is None:
            return []
        runs = self._rows().where(F.col("status").isin(*_STATUSES))
        rows = runs.select("run", "status", "started", "ended", "before", "after").collect()
        # Spark gives times of the local clock, without a zone.
        moments = ({name: row[name] and row[name].astimezone(UTC) for name in ("started", "ended")} for row in rows)
        return [Entry(**row.asDict() | times) for row, times in zip(rows, moments, strict=True)]

    def mark_undone(self, run: str) -> None:
        """Say of an earlier run that it was undone, and when; all else of its row stays."""
        written, act = self._json_of(run), self._act("undone").to_json()
        acts = [*(written.get("acts") or []), act]
        record = json.dumps(written | {"status": "undone", "undone": act["at"], "acts": acts}, sort_keys=True)
        row = self._rows().where(F.col("run") == run)
        marked = row.withColumns({"status": F.lit("undone"), "record": F.lit(record)})
        self.lake.put_row(tables.RUNS, marked, "run", run)
        del self._read[run]

    def close(self, status: str, after: Mapping[str, int], error: str = "") -> RunRecord:
        """Write the row's end and return the record."""
        self.acts.append(self._act(status))
        return self._write(status, datetime.now(UTC), after, error)

    def begin(self, job: str) -> None:
        """Write a row of its own for a job that is no run; nothing where there is no ledger yet."""
        self.run, self.started = f"{job} {new_name(self.started)}", datetime.now(UTC)
        self.acts = [self._act("started")]
        self._note(job, None)

    def end(self, job: str, what: str, facts: Mapping[str, int | str] | None = None) -> None:
        """Say in that row how the job ended, and what it has done."""
        self.acts.append(self._act(what, facts))
        self._note(job, datetime.now(UTC))

    def records(self) -> list[dict[str, Any]]:
        """Return the records of all rows, also of jobs that are no runs, the oldest first."""
        if self.lake.current(tables.RUNS) is None:
            return []
        rows = self._rows().orderBy("started", "run").select("record").collect()
        return [dict(json.loads(row.record)) for row in rows]

    def step_of(self, run: str, step: str) -> StepRecord | None:
        """Return what an earlier run recorded of a step, for a run that reuses its result; None if unknown."""
        return self.record_of(run).stages.get(step)

    def record_of(self, run: str) -> RunRecord:
        """Return the record of an earlier run; without values if unknown."""
        return RunRecord.from_json(self._json_of(run))

    def _json_of(self, run: str) -> dict[str, Any]:
        # The steps of a run mostly reuse what one other run has made.
        if run not in self._read:
            rows = self._rows().where(F.col("run") == run).select("record").collect()
            self._read[run] = dict(json.loads(rows[0].record)) if rows else {}
        return self._read[run]

    def _act(self, what: str, facts: Mapping[str, int | str] | None = None) -> Act:
        audit, now = self.config.run, datetime.now(UTC).isoformat()
        return Act(at=now, what=what, operator=audit.operator, purpose=audit.purpose, basis=audit.basis, facts=facts)

    def _note(self, job: str, ended: datetime | None) -> None:
        if self.lake.current(tables.RUNS) is not None:
            self._write(job, ended, {}, "")

    def _rows(self) -> DataFrame:
        return self.lake.read(tables.RUNS, self.lake.snapshot(tables.RUNS))

    def _write(self, status: str, ended: datetime | None, after: Mapping[str, int], error: str) -> RunRecord:
        record = RunRecord(
            run=self.run,
            started=self.started.isoformat(),
            ended=ended.isoformat() if ended else None,
            status=status,
            config=as_dict(self.config),
            versions=self._versions(),
            model=self.model,
            before=dict(self.before),
            after=dict(after),
            stages=self.stages,
            warnings=self.warnings,
            error=error or None,
            acts=self.acts,
        )
        text = json.dumps(record.to_json(), sort_keys=True)
        row = (self.run, status, self.started, ended, dict(self.before), dict(after), text)
        self.lake.put_row(tables.RUNS, self.spark.createDataFrame([row], tables.RUNS.columns), "run", self.run)
        self._read.pop(self.run, None)
        return record

    def _versions(self) -> dict[str, str | None]:
        return {
            "code": __version__,
            "spark": self.spark.version,
            "graphframes": _installed("graphframes-py"),
            "iceberg": self.lake.version(),
            "tensorflow": _installed("tensorflow") or _installed("tensorflow-cpu"),
            "python": platform.python_version(),
        }


def snapshot_ids(snapshots: Mapping[str, Snapshot | None]) -> dict[str, int]:
    """Return table -> snapshot id for the tables that have one."""
    return {name: snapshot.id for name, snapshot in sorted(snapshots.items()) if snapshot is not None}


def _installed(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
