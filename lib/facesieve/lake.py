"""The tables in the lake: read, write, reuse and roll back through Apache Iceberg.

This module alone knows catalogs, snapshots and branches. A write goes to a branch that starts at the snapshot the
stage began with, and `main` is then fast-forwarded to it. Iceberg refuses that if another run moved `main` meanwhile,
so of two runs on one lake one is refused and has changed nothing. A killed run leaves whole commits only.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, DataFrameWriterV2, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from facesieve import config, tables
from facesieve.errors import ConfigError, ContractError, Fault, Refused
from facesieve.tables import Table

_BRANCH = "facesieve-"
_BRANCH_TIME = "%Y%m%dT%H%M%S"
_STALE = timedelta(days=2)
"""A branch this old was left by a run that was killed: no single commit takes so long."""
_PROPERTIES = {
    "format-version": "2",
    "write.parquet.compression-codec": "zstd",
    # One file per task and partition, without a shuffle that would send a whole scope to one task.
    "write.distribution-mode": "none",
    "write.spark.fanout.enabled": "true",
}


@dataclass(frozen=True)
class Snapshot:
    """One version of a table: Iceberg's snapshot id, and which run made it with which key from which inputs."""

    table: str
    id: int
    key: str
    run: str
    inputs: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Stamp:
    """What a commit says of itself in its snapshot properties."""

    run: str
    key: str
    inputs: Mapping[str, int]


class Lake:
    """The tables of one namespace of one Iceberg catalog."""

    def __init__(self, spark: SparkSession, settings: config.Lake) -> None:
        self._spark = spark
        self._settings = settings
        self._namespace = f"{settings.catalog}.{settings.namespace}"

    def open(self, table: Table, buckets: int = 1) -> None:
        """Make the table, with an empty first snapshot, if it is not there.

        A table whose columns are not the declared ones is refused with a ContractError.
        `buckets` is the n of a `bucket(n, identity)` partition; an existing table is moved to the new n.
        """
        name = self._name(table)
        partition = ", ".join(part.replace("bucket(", f"bucket({buckets}, ") for part in table.partition)
        columns = ", ".join(f"`{column.name}` {column.dataType.simpleString()}" for column in table.columns)
        properties = ", ".join(f"'{name}' = '{value}'" for name, value in _PROPERTIES.items())
        try:
            self._spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {self._namespace}")
            self._spark.sql(
                f"CREATE TABLE IF NOT EXISTS {name} ({columns}) USING iceberg "
                + (f"PARTITIONED BY ({partition}) " if partition else "")
                + f"TBLPROPERTIES ({properties})"
            )
            found = self._spark.table(name).schema
        except (Py4JJavaError, PySparkException) as problem:
            raise ConfigError([self._unusable(table, problem)]) from problem
        said = tables.differences(table, found)
        if said:
            fix = "Move that table away or name another lake.root or lake.namespace."
            raise ContractError(f"{name} is not a table of facesieve: {'; '.join(said)}. {fix}")
        self._drop_stale_branches(table)
        if "bucket" in partition:
            self._rebucket(table, buckets)
        if self.current(table) is None:
            # A branch needs something to start from, and a refused first run something to go back to.
            empty = self._spark.createDataFrame([], table.columns)
            _stamped(empty.writeTo(name), Stamp("", "", {})).append()

    def current(self, table: Table) -> Snapshot | None:
        """Return the snapshot that `main` stands at; None for a table that is absent or holds nothing yet."""
        if not self._exists(table):
            return None
        rows = self._spark.sql(
            f"SELECT s.snapshot_id, s.summary FROM {self._name(table)}.refs r "
            f"JOIN {self._name(table)}.snapshots s ON r.snapshot_id = s.snapshot_id WHERE r.name = 'main'"
        ).collect()
        return _snapshot(table, rows[0]) if rows else None

    def standing(self, table: Table) -> Snapshot:
        """Return the snapshot that the opened table stands at (ContractError if someone dropped it meanwhile)."""
        snapshot = self.current(table)
        if snapshot is None:
            raise ContractError(f"the table {table.name} has vanished or has no snapshot. Start the job again.")
        return snapshot

    def find(self, table: Table, key: str) -> Snapshot | None:
        """Return the newest snapshot that bears `key`, wherever `main` stands."""
        if not self._exists(table):
            return None
        rows = (
            self._spark.table(f"{self._name(table)}.snapshots")
            .where(F.col("summary")["facesieve.key"] == F.lit(key))
            .orderBy(F.desc("committed_at"), F.desc("snapshot_id"))
            .select("snapshot_id", "summary")
            .limit(1)
            .collect()
        )
        return _snapshot(table, rows[0]) if rows else None

    def read(self, table: Table, at: Snapshot) -> DataFrame:
        """Read the table as it was at a snapshot."""
        return self._spark.read.option("snapshot-id", at.id).table(self._name(table))

    def overwrite(self, table: Table, frame: DataFrame, stamp: Stamp, since: Snapshot) -> Snapshot:
        """Replace all rows in one commit; Refused if the table has moved from `since`."""
        return self._commit(table, frame, stamp, since, replace=True)

    def append(self, table: Table, frame: DataFrame, stamp: Stamp, since: Snapshot) -> Snapshot:
        """Add rows in one commit; Refused if the table has moved from `since`."""
        return self._commit(table, frame, stamp, since, replace=False)

    def make_current(self, table: Table, snapshot: Snapshot, since: Snapshot) -> None:
        """Let `main` stand at an existing snapshot; Refused if the table has moved from `since`."""
        self._refuse_if_moved(table, since)
        if since.id != snapshot.id:
            self._call("set_current_snapshot", self._local(table), snapshot.id)

    def put_row(self, table: Table, row: DataFrame, column: str, value: str) -> None:
        """Replace the row whose partitioning `column` equals `value`, or add it."""
        row.coalesce(1).writeTo(self._name(table)).overwrite(F.col(column) == F.lit(value))

    def version(self) -> str:
        """Return the version of Iceberg that serves the catalog."""
        return str(self._spark.sql(f"SELECT {self._settings.catalog}.system.iceberg_version()").collect()[0][0])

    def _commit(self, table: Table, frame: DataFrame, stamp: Stamp, since: Snapshot, *, replace: bool) -> Snapshot:
        self._refuse_if_moved(table, since)
        branch = f"{_BRANCH}{datetime.now(UTC):{_BRANCH_TIME}}-{uuid.uuid4().hex[:8]}"
        name = self._name(table)
        self._spark.sql(f"ALTER TABLE {name} CREATE BRANCH `{branch}` AS OF VERSION {since.id}")
        try:
            writer = _stamped(tables.conform(frame, table).writeTo(f"{name}.`branch_{branch}`"), stamp)
            if replace:
                writer.overwrite(F.lit(True))
            else:
                writer.append()
            self._refuse_if_moved(table, since)
            self._fast_forward(table, branch)
        finally:
            self._spark.sql(f"ALTER TABLE {name} DROP BRANCH IF EXISTS `{branch}`")
        made = self.current(table)
        if made is None or (made.run, made.key) != (stamp.run, stamp.key):
            raise _moved(table)
        return made

    def _refuse_if_moved(self, table: Table, since: Snapshot) -> None:
        now = self.current(table)
        if now is None or now.id != since.id:
            raise _moved(table)

    def _fast_forward(self, table: Table, branch: str) -> None:
        try:
            self._call("fast_forward", self._local(table), "main", branch)
        except (Py4JJavaError, PySparkException) as problem:
            if "fast-forward" in str(problem) or "CommitFailed" in str(problem):
                raise _moved(table) from problem
            raise

    def _drop_stale_branches(self, table: Table) -> None:
        name = self._name(table)
        oldest = f"{_BRANCH}{datetime.now(UTC) - _STALE:{_BRANCH_TIME}}"
        refs = self._spark.table(f"{name}.refs").where(F.col("name").startswith(_BRANCH)).select("name").collect()
        for stale in (row.name for row in refs if row.name < oldest):
            self._spark.sql(f"ALTER TABLE {name} DROP BRANCH IF EXISTS `{stale}`")

    def _rebucket(self, table: Table, buckets: int) -> None:
        name = self._name(table)
        partitioning = self._spark.sql(f"DESCRIBE TABLE {name}").where("data_type LIKE 'bucket(%'").collect()
        if partitioning and partitioning[0].data_type != f"bucket({buckets}, identity)":
            old = partitioning[0].data_type
            self._spark.sql(f"ALTER TABLE {name} REPLACE PARTITION FIELD {old} WITH bucket({buckets}, identity)")

    def _call(self, procedure: str, *arguments: str | int) -> None:
        listed = ", ".join(str(value) if isinstance(value, int) else f"'{value}'" for value in arguments)
        self._spark.sql(f"CALL {self._settings.catalog}.system.{procedure}({listed})").collect()

    def _exists(self, table: Table) -> bool:
        return self._spark.catalog.tableExists(self._name(table))

    def _name(self, table: Table) -> str:
        return f"{self._namespace}.{table.name}"

    def _local(self, table: Table) -> str:
        return f"{self._settings.namespace}.{table.name}"

    def _unusable(self, table: Table, problem: Exception) -> Fault:
        named = "lake.root" if self._settings.catalog == "lake" else "lake.catalog"
        lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
        cause = next((line for line in lines if "Exception" in line), lines[0] if lines else type(problem).__name__)
        said = f"the table {table.name} cannot be opened or made there ({cause[:300]})"
        return Fault(named, said, "Name a place that this job may write, with nothing else in it.")


def _stamped(writer: DataFrameWriterV2, stamp: Stamp) -> DataFrameWriterV2:
    return (
        writer.option("snapshot-property.facesieve.run", stamp.run)
        .option("snapshot-property.facesieve.key", stamp.key)
        .option("snapshot-property.facesieve.inputs", json.dumps(dict(stamp.inputs), sort_keys=True))
    )


def _snapshot(table: Table, row: T.Row) -> Snapshot:
    summary = row.summary
    # A commit by other hands (an erasure, a compaction) bears no key of ours: its id is what it can be known by.
    key = summary.get("facesieve.key")
    return Snapshot(
        table=table.name,
        id=row.snapshot_id,
        key=f"snapshot:{row.snapshot_id}" if key is None else key,
        run=summary.get("facesieve.run", ""),
        inputs=json.loads(summary.get("facesieve.inputs", "{}")),
    )


def _moved(table: Table) -> Refused:
    return Refused(
        f"the table {table.name} was moved by another run since this stage began. "
        "Nothing was changed; start the same command again when the other run has ended."
    )
