"""One table through Iceberg's own Java library: snapshots, references and properties, without a Spark job.

Spark's metadata tables and procedures do the same with one to three jobs each. A commit needs half a dozen of them,
which for a small commit cost more than its rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

from facesieve.core.errors import ContractError

MAIN = "main"


@dataclass(frozen=True)
class Commit:
    """A snapshot of a table: its id, its summary (with the properties that were given to the commit), its parent."""

    id: int
    summary: Mapping[str, str]
    parent: int | None = None


class IcebergTable:
    """A table as it stood when it was loaded; what changes it is committed at once."""

    def __init__(self, table: Any, jvm: Any) -> None:
        self._table = table
        self._jvm = jvm

    def current(self, branch: str = MAIN) -> Commit | None:
        """Return the snapshot that a branch stands at; None if there is no such branch or it holds nothing yet."""
        snapshot = self._table.snapshot(branch)
        if snapshot is None:
            return None
        return Commit(snapshot.snapshotId(), dict(snapshot.summary()), snapshot.parentId())

    def commits(self) -> list[Commit]:
        """Return all snapshots, the oldest first."""
        ordered = sorted(self._snapshots(), key=lambda snapshot: snapshot.get("sequence-number", 0))
        return [_commit(snapshot) for snapshot in ordered]

    def only_grew(self, since: int, to: int) -> bool:
        """Say whether the snapshot `to` came from `since` by nothing but appends."""
        by_id = {snapshot["snapshot-id"]: snapshot for snapshot in self._snapshots()}
        while to != since:
            if to not in by_id or by_id[to]["summary"]["operation"] != "append":
                return False
            to = by_id[to].get("parent-snapshot-id", -1)
        return True

    def _snapshots(self) -> list[dict[str, Any]]:
        # As one text: to ask Java for one snapshot after the other would take a round trip for every word of it.
        text = self._jvm.org.apache.iceberg.TableMetadataParser.toJson(self._table.operations().current())
        return list(json.loads(text)["snapshots"])

    @property
    def java(self) -> Any:
        """Return Iceberg's own table."""
        return self._table

    def heads(self) -> dict[str, int]:
        """Return all branches and tags with the snapshot that each stands at."""
        refs = self._table.refs()
        return {str(name): int(refs[name].snapshotId()) for name in refs}

    def buckets(self) -> int | None:
        """Return the number of buckets that the table is divided into; None if it is not."""
        transforms = [str(field.transform().toString()) for field in self._table.spec().fields()]
        numbers = (re.fullmatch(r"bucket\[(\d+)\]", transform) for transform in transforms)
        return next((int(number[1]) for number in numbers if number), None)

    def create_branch(self, branch: str, at: int) -> None:
        """Let a new branch stand at a snapshot."""
        self._table.manageSnapshots().createBranch(branch, at).commit()

    def drop_branches(self, chosen: Callable[[str], bool]) -> None:
        """Drop the branches whose names are chosen; their snapshots remain until they are expired."""
        dropping = sorted(filter(chosen, self._table.refs()))
        if dropping:
            change = self._table.manageSnapshots()
            for branch in dropping:
                change.removeBranch(branch)
            change.commit()

    def fast_forward(self, branch: str) -> None:
        """Let `main` stand where `branch` stands and drop the branch, in one commit.

        Java's IllegalArgumentException or CommitFailedException if `main` has moved since the branch was made.
        """
        self._table.manageSnapshots().fastForwardBranch(MAIN, branch).removeBranch(branch).commit()

    def make_current(self, snapshot: int) -> None:
        """Let `main` stand at any snapshot of the table."""
        self._table.manageSnapshots().setCurrentSnapshot(snapshot).commit()

    def append_nothing(self, branch: str, summary: Mapping[str, str]) -> None:
        """Commit a snapshot without new rows to a branch, for what its summary says."""
        append = self._table.newFastAppend().toBranch(branch)
        for name, value in summary.items():
            append.set(name, value)
        append.commit()

    def add_properties(self, wanted: Mapping[str, str]) -> None:
        """Set the properties that the table lacks; those that somebody gave other values stay."""
        missing = {name: value for name, value in wanted.items() if name not in self._table.properties()}
        if missing:
            update = self._table.updateProperties()
            for name, value in missing.items():
                update.set(name, value)
            update.commit()


def _commit(snapshot: Mapping[str, Any]) -> Commit:
    return Commit(snapshot["snapshot-id"], snapshot["summary"], snapshot.get("parent-snapshot-id"))


def load(spark: SparkSession, name: str) -> IcebergTable | None:
    """Load a table as it stands now; None if there is none of that name."""
    jvm: Any = spark._jvm
    try:
        table = jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(spark._jsparkSession, name)
    except AnalysisException as problem:
        if problem.getErrorClass() in ("TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND"):
            return None
        raise
    # A catalog that keeps tables in memory would give an old one.
    table.refresh()
    return IcebergTable(table, jvm)


def existing(spark: SparkSession, name: str) -> IcebergTable:
    """Load a table that must be there (ContractError if someone dropped it meanwhile)."""
    table = load(spark, name)
    if table is None:
        raise ContractError(f"the table {name} has vanished. Start the job again.")
    return table


def library_version(spark: SparkSession) -> str:
    """Return the version of Iceberg on Spark's class path."""
    jvm: Any = spark._jvm
    return str(jvm.org.apache.iceberg.IcebergBuild.version())
