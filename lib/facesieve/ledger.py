"""The ledger: one row of the table `runs` per run, with everything needed to say later what it did and with what."""

from __future__ import annotations

import json
import platform
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from facesieve import __version__, tables
from facesieve.config import Config, as_dict
from facesieve.errors import ConfigError, Fault
from facesieve.lake import Lake, Snapshot


def new_name(now: datetime) -> str:
    """Name a run by UTC time and four hex digits, for example `20261124T081500-3fa9`."""
    return f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"


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
    stages: dict[str, dict[str, Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def open(self, before: Mapping[str, int]) -> None:
        """Write the row `started`; a run of that name that is done is refused, an unfinished one is resumed."""
        self.lake.open(tables.RUNS)
        statuses = self._rows().where(F.col("run") == self.run).select("status").collect()
        if any(row.status in ("done", "undone") for row in statuses):
            fault = Fault("--run", f"a run named {self.run} is finished", "Give another name, or leave --run away.")
            raise ConfigError([fault])
        self.before = before
        self._write("started", None, {}, "")

    def close(self, status: str, after: Mapping[str, int], error: str = "") -> dict[str, Any]:
        """Write the row's end and return the record."""
        return self._write(status, datetime.now(UTC), after, error)

    def stage_of(self, run: str, stage: str) -> dict[str, Any]:
        """Return what an earlier run recorded of a stage, for a run that reuses its result; empty if unknown."""
        rows = self._rows().where(F.col("run") == run).select("record").collect()
        recorded = json.loads(rows[0].record).get("stages", {}) if rows else {}
        return dict(recorded.get(stage, {}))

    def _rows(self) -> DataFrame:
        return self.lake.read(tables.RUNS, self.lake.standing(tables.RUNS))

    def _write(self, status: str, ended: datetime | None, after: Mapping[str, int], error: str) -> dict[str, Any]:
        record = {
            "run": self.run,
            "started": self.started.isoformat(),
            "ended": ended.isoformat() if ended else None,
            "status": status,
            "config": as_dict(self.config),
            "versions": self._versions(),
            "model": self.model,
            "before": dict(self.before),
            "after": dict(after),
            "stages": self.stages,
            "warnings": self.warnings,
        }
        if error:
            record["error"] = error
        text = json.dumps(record, sort_keys=True)
        row = (self.run, status, self.started, ended, dict(self.before), dict(after), text)
        self.lake.put_row(tables.RUNS, self.spark.createDataFrame([row], tables.RUNS.columns), "run", self.run)
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
