"""Versions of a table: what a snapshot says of itself, and how several writes become one version."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from facesieve.core import tables
from facesieve.core.errors import ContractError, Refused
from facesieve.core.frames import broadcast_if_few
from facesieve.core.tables import Table
from facesieve.lake import iceberg
from facesieve.lake.iceberg import Commit

KEY = "facesieve.key"
_RUN, _INPUTS = "facesieve.run", "facesieve.inputs"


@dataclass(frozen=True)
class Snapshot:
    """One version of a table: Iceberg's snapshot id, which run made it with which key from which inputs, its parent.

    rows: how many the snapshot's summary tells, 0 where it does not tell; rows deleted beside their file still count.
    exact: the summary tells, and no row was deleted beside its file.
    origin: the snapshot that first had these rows, where this one only has them in other files (a compaction).
    """

    table: str
    id: int
    key: str
    run: str
    inputs: Mapping[str, int] = field(default_factory=dict)
    parent: int | None = None
    rows: int = 0
    exact: bool = False
    origin: int = 0

    @property
    def version(self) -> int:
        """Return what this snapshot is known by: the id of the first one with the same rows."""
        return self.origin or self.id


@dataclass(frozen=True)
class Stamp:
    """What a commit says of itself in its snapshot properties."""

    run: str
    key: str
    inputs: Mapping[str, int]

    def summary(self) -> dict[str, str]:
        """Return the snapshot properties."""
        return {_RUN: self.run, KEY: self.key, _INPUTS: json.dumps(dict(self.inputs), sort_keys=True)}


def snapshot_of(table: Table, commit: Commit) -> Snapshot:
    """Read a snapshot's properties.

    A commit by other hands (an erasure) bears no key of ours: its id is what it can be known by. A compaction, by
    whatever hands, bears all that the version bears whose files it has rewritten.
    """
    summary = commit.stamp
    return Snapshot(
        table=table.name,
        id=commit.id,
        key=summary.get(KEY, f"snapshot:{commit.origin}"),
        run=summary.get(_RUN, ""),
        inputs=inputs_of(commit),
        parent=commit.parent,
        rows=int(commit.summary.get("total-records", "0")),
        exact="total-records" in commit.summary and commit.summary.get("total-delete-files") == "0",
        origin=commit.origin,
    )


def moved(table: Table) -> Refused:
    """Say that another run was at work on a table."""
    return Refused(
        f"the table {table.name} was moved by another run since this stage began. "
        "Nothing was changed; start the same command again when the other run has ended."
    )


def inputs_of(commit: Commit) -> dict[str, int]:
    """Return what a snapshot was made from: table -> version."""
    return dict(json.loads(commit.stamp.get(_INPUTS, "{}")))


@dataclass
class Change:
    """Writes to a branch of one table that become one version: only their last commit bears the stamp's key.

    The commits before it bear the key with `#` and a number, or (deletions) none: nobody ever finds a part.
    `at` is where the branch stands.
    """

    table: Table
    stamp: Stamp
    at: Snapshot
    spark: SparkSession
    name: str
    branch: str
    _parts: int = 0
    _ended: bool = False

    def read(self) -> DataFrame:
        """Read the table as the writes so far left it; later ones do not alter what was read."""
        return self.spark.read.option("snapshot-id", self.at.id).table(self.name)

    def overwrite(self, frame: DataFrame, *, last: bool = False) -> None:
        """Replace all rows. `last`: nothing follows that could fail, so that this commit bears the key itself."""
        self._write(frame, replace=True, last=last)

    def append(self, frame: DataFrame, *, last: bool = False) -> None:
        """Add rows. `last`: nothing follows that could fail, so that this commit bears the key itself."""
        self._write(frame, replace=False, last=last)

    def delete(self, keys: DataFrame) -> None:
        """Delete the rows whose key columns equal those of a row of `keys`; a null equals nothing.

        `keys` is counted and read once. Without any, nothing is committed.
        """
        gone = keys.select(*self.table.key).persist()
        count = gone.count()
        if count:
            same = " AND ".join(f"gone.`{column}` = old.`{column}`" for column in self.table.key)
            self.spark.sql(
                f"DELETE FROM {self._target} AS old WHERE EXISTS (SELECT 1 FROM {{gone}} AS gone WHERE {same})",
                gone=broadcast_if_few(gone, count),
            )
            self.at, self._ended = self._current(), False
        gone.unpersist()

    def seal(self) -> Snapshot:
        """Let the last commit of the branch bear the key, by one more if need be, and return that version."""
        if not self._ended:
            iceberg.existing(self.spark, self.name).append_nothing(self.branch, self.stamp.summary())
            self.at, self._ended = self._current(), True
        return self.at

    def _write(self, frame: DataFrame, *, replace: bool, last: bool) -> None:
        self._parts, self._ended = self._parts + 1, last
        part = dataclasses.replace(self.stamp, key=f"{self.stamp.key}#{self._parts}")
        writer = tables.conform(frame, self.table).writeTo(self._target)
        for name, value in (self.stamp if last else part).summary().items():
            writer = writer.option(f"snapshot-property.{name}", value)
        if replace:
            writer.overwrite(F.lit(True))
        else:
            writer.append()
        self.at = self._current()

    @property
    def _target(self) -> str:
        return f"{self.name}.`branch_{self.branch}`"

    def _current(self) -> Snapshot:
        commit = iceberg.existing(self.spark, self.name).current(self.branch)
        if commit is None:
            raise ContractError(f"a branch of the table {self.table.name} has vanished. Start the job again.")
        return snapshot_of(self.table, commit)
