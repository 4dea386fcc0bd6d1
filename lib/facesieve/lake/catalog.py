"""The tables in the lake: read, write, reuse and roll back through Apache Iceberg.

This module and `iceberg` alone know catalogs, snapshots and branches. Writes go to a branch that starts at the snapshot
the stage began with. Then `main` is fast-forwarded to the branch, once. Iceberg refuses that if another run has moved
`main`: of two runs on one lake one is refused and has changed nothing. A killed run leaves whole versions only.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from facesieve.core import sections, tables
from facesieve.core.errors import ConfigError, ContractError, Fault
from facesieve.core.tables import Table
from facesieve.lake import iceberg, table_properties
from facesieve.lake.iceberg import IcebergTable
from facesieve.lake.versions import KEY, Change, Snapshot, Stamp, moved, snapshot_of

__all__ = ["Change", "Lake", "Snapshot", "Stamp"]

BRANCH = "facesieve-"
"""What the names of branches that a run writes to begin with."""
_BRANCH_TIME = "%Y%m%dT%H%M%S"
_STALE = timedelta(days=2)
"""A branch this old was left by a run that was killed: no single commit takes so long."""


class Lake:
    """The tables of one namespace of one Iceberg catalog."""

    def __init__(self, spark: SparkSession, settings: sections.Lake) -> None:
        self._spark = spark
        self._settings = settings
        self._namespace = f"{settings.catalog}.{settings.namespace}"

    def open(self, table: Table, buckets: int = 1) -> Snapshot:
        """Make the table, with an empty first snapshot, if it is not there; return what it stands at.

        A table of an older version gets the declared columns that it lacks. Raises ContractError for a table of other
        hands: it lacks a column of the key, or has a column of another type.
        `buckets` is the n of a `bucket(n, identity)` partition; an existing table is moved to the new n.
        """
        name = self.name_of(table)
        try:
            here = iceberg.load(self._spark, name) or self._make(table, buckets)
            schema = self._spark.table(name).schema
        except (Py4JJavaError, PySparkException) as problem:
            raise ConfigError([self._unusable(table, problem)]) from problem
        if self._add_columns(table, schema):
            here = self._existing(table)
        self._tidy(here, table)
        if any("bucket(" in part for part in table.partition):
            self._rebucket(here, table, buckets)
        if here.current() is None:
            # A branch needs something to start from, and a refused first run something to go back to.
            here.append_nothing(iceberg.MAIN, Stamp("", "", {}).summary())
        return self.snapshot(table)

    def tidy(self, table: Table) -> None:
        """Drop what killed runs have left in an existing table, and give it the properties of this version."""
        self._tidy(self._existing(table), table)

    def current(self, table: Table) -> Snapshot | None:
        """Return the current snapshot, at which `main` stands; None for a table that is absent or holds nothing yet."""
        here = iceberg.load(self._spark, self.name_of(table))
        commit = here.current() if here else None
        return snapshot_of(table, commit) if commit else None

    def snapshot(self, table: Table) -> Snapshot:
        """Return the current snapshot of an opened table (ContractError if someone dropped it meanwhile)."""
        snapshot = self.current(table)
        if snapshot is None:
            raise ContractError(f"the table {table.name} has vanished or has no snapshot. Start the job again.")
        return snapshot

    def find(self, table: Table, key: str, undone: Collection[str] = ()) -> Snapshot | None:
        """Return the newest snapshot that bears `key`, wherever `main` stands, of those not made by `undone` runs."""
        here = iceberg.load(self._spark, self.name_of(table))
        borne = [commit for commit in here.commits() if commit.stamp.get(KEY) == key] if here else []
        versions = (snapshot_of(table, commit) for commit in reversed(borne))
        return next((version for version in versions if version.run not in undone), None)

    def versions(self, table: Table) -> list[Snapshot]:
        """Return all snapshots that the opened table still has, the oldest first."""
        return [snapshot_of(table, commit) for commit in self._existing(table).commits()]

    def read(self, table: Table, at: Snapshot) -> DataFrame:
        """Read the table as it was at a snapshot; declared columns that it did not have yet are null."""
        return _completed(self._spark.read.option("snapshot-id", at.id).table(self.name_of(table)), table)

    def added(self, table: Table, since: int, at: Snapshot) -> DataFrame | None:
        """Read the rows that were appended after the version `since`; None if rows also went, or came otherwise."""
        name = self.name_of(table)
        start = self._existing(table).grew_from(since, at.id)
        if start is None:
            return None
        if start == at.id:
            return self.read(table, at).limit(0)
        span = {"start-snapshot-id": start, "end-snapshot-id": at.id}
        return _completed(self._spark.read.options(**span).table(name), table)

    def overwrite(self, table: Table, frame: DataFrame, stamp: Stamp, since: Snapshot) -> Snapshot:
        """Replace all rows in one commit; Refused if the table has moved from `since`."""
        with self.change(table, stamp, since) as change:
            change.overwrite(frame, last=True)
        return change.at

    def append(self, table: Table, frame: DataFrame, stamp: Stamp, since: Snapshot) -> Snapshot:
        """Add rows in one commit; Refused if the table has moved from `since`."""
        with self.change(table, stamp, since) as change:
            change.append(frame, last=True)
        return change.at

    @contextmanager
    def draft(self, table: Table, stamp: Stamp, since: Snapshot) -> Iterator[Change]:
        """Write a version on a branch of its own, which starts at `since`; the branch goes if the block raises.

        `main` stays where it is: who lets `main` stand at the version drops the branch. Refused if the table has moved.
        """
        since = self.unmoved(table, since)
        branch = f"{BRANCH}{datetime.now(UTC):{_BRANCH_TIME}}-{uuid.uuid4().hex[:8]}"
        self._existing(table).create_branch(branch, since.id)
        try:
            yield Change(table, stamp, since, self._spark, self.name_of(table), branch)
        except BaseException:
            self._existing(table).drop_branches(lambda name: name == branch)
            raise

    @contextmanager
    def change(self, table: Table, stamp: Stamp, since: Snapshot) -> Iterator[Change]:
        """Make one version of several writes: `main` moves once, when the block ends, and not if it raises.

        Refused if the table has moved from `since`. Afterwards the version is the change's `at`.
        """
        with self.draft(table, stamp, since) as change:
            yield change
            change.seal()
            self.unmoved(table, since)
            self._fast_forward(table, change.branch)

    def make_current(self, table: Table, snapshot: Snapshot, since: Snapshot) -> None:
        """Let `main` stand at an existing snapshot; Refused if the table has moved from `since`."""
        if self.unmoved(table, since).id != snapshot.id:
            self._existing(table).make_current(snapshot.id)

    def name_of(self, table: Table) -> str:
        """Return the table's name in SQL: catalog, namespace, table."""
        return f"{self._namespace}.{table.name}"

    def put_row(self, table: Table, row: DataFrame, column: str, value: str) -> None:
        """Replace the row whose partitioning `column` equals `value`, or add it."""
        row.coalesce(1).writeTo(self.name_of(table)).overwrite(F.col(column) == F.lit(value))

    def version(self) -> str:
        """Return the version of Iceberg that serves the catalog."""
        return iceberg.library_version(self._spark)

    def _make(self, table: Table, buckets: int) -> IcebergTable:
        partition = ", ".join(part.replace("bucket(", f"bucket({buckets}, ") for part in table.partition)
        properties = ", ".join(f"'{name}' = '{value}'" for name, value in table_properties.of_new(table).items())
        self._spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {self._namespace}")
        self._spark.sql(
            f"CREATE TABLE IF NOT EXISTS {self.name_of(table)} ({_declared(table.columns)}) USING iceberg "
            + (f"PARTITIONED BY ({partition}) " if partition else "")
            + f"TBLPROPERTIES ({properties})"
        )
        return self._existing(table)

    def _tidy(self, here: IcebergTable, table: Table) -> None:
        here.drop_branches(_is_stale)
        here.add_properties(table_properties.of(table))

    def _add_columns(self, table: Table, schema: T.StructType) -> bool:
        name, lacking = self.name_of(table), _lacking(table, schema)
        of_other_types = tables.differences(table, T.StructType([*schema, *lacking]))
        if of_other_types or any(column.name in table.key for column in lacking):
            differences = "; ".join(tables.differences(table, schema))
            fix = "Move that table away or name another lake.root or lake.namespace."
            raise ContractError(f"{name} is not a table of facesieve: {differences}. {fix}")
        if lacking:
            self._spark.sql(f"ALTER TABLE {name} ADD COLUMNS ({_declared(lacking)})")
        return bool(lacking)

    def unmoved(self, table: Table, since: Snapshot) -> Snapshot:
        """Return what the table stands at: `since`, or the same rows in other files; Refused if it has moved."""
        now = self.current(table)
        if now is None or now.version != since.version:
            raise moved(table)
        return now

    def _fast_forward(self, table: Table, branch: str) -> None:
        try:
            self._existing(table).fast_forward(branch)
        except (Py4JJavaError, PySparkException) as problem:
            if "fast-forward" in str(problem) or "CommitFailed" in str(problem):
                raise moved(table) from problem
            raise

    def _rebucket(self, here: IcebergTable, table: Table, buckets: int) -> None:
        former = here.buckets()
        if former not in (None, buckets):
            change = f"bucket({former}, identity) WITH bucket({buckets}, identity)"
            self._spark.sql(f"ALTER TABLE {self.name_of(table)} REPLACE PARTITION FIELD {change}")

    def _existing(self, table: Table) -> IcebergTable:
        return iceberg.existing(self._spark, self.name_of(table))

    def _unusable(self, table: Table, error: Exception) -> Fault:
        key = "lake.root" if self._settings.catalog == "lake" else "lake.catalog"
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        cause = next((line for line in lines if "Exception" in line), lines[0] if lines else type(error).__name__)
        problem = f"the table {table.name} cannot be opened or made there ({cause[:300]})"
        return Fault(key, problem, "Name a place that this job may write, with nothing else in it.")


def _declared(columns: Iterable[T.StructField]) -> str:
    return ", ".join(f"`{column.name}` {column.dataType.simpleString()}" for column in columns)


def _lacking(table: Table, schema: T.StructType) -> list[T.StructField]:
    return [column for column in table.columns if column.name not in schema.names]


def _completed(frame: DataFrame, table: Table) -> DataFrame:
    """A snapshot is read with the columns that it was written with: those declared since then are added as nulls."""
    missing = [F.lit(None).cast(column.dataType).alias(column.name) for column in _lacking(table, frame.schema)]
    return frame.select("*", *missing) if missing else frame


def _is_stale(branch: str) -> bool:
    return branch.startswith(BRANCH) and branch < f"{BRANCH}{datetime.now(UTC) - _STALE:{_BRANCH_TIME}}"
