"""One table through Iceberg's own Java library: snapshots, references and properties, without a Spark job.

Spark's metadata tables and procedures do the same with one to three jobs each. A commit needs half a dozen of them,
which for a small commit cost more than its rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

from facesieve.core.errors import ContractError
from facesieve.core.gateway import plain
from facesieve.lake.table_properties import OF_COLUMN

MAIN = "main"

_SAME = "facesieve.same-as"
_OF = "facesieve.rewritten"
_FORMAT = "format-version"
_Json = Mapping[str, Any]


@dataclass(frozen=True)
class Commit:
    """A snapshot of a table: its id, its summary (with the properties that were given to the commit), its parent.

    A compaction writes the same rows to other files: it is the same version as its parent. origin: the snapshot that
    first had the rows; stamp: its summary. at: when it was committed, in milliseconds since 1970.
    """

    id: int
    summary: Mapping[str, str]
    parent: int | None = None
    origin: int = 0
    stamp: Mapping[str, str] = field(default_factory=dict)
    at: int = 0

    @property
    def leans(self) -> bool:
        """Say whether only the parent tells which version this is: a rewrite of files that has copied nothing."""
        return self.summary.get("operation") == "replace" and self.summary.get(_OF) != str(self.parent)

    def copied(self) -> dict[str, str]:
        """Return what a rewrite of this snapshot's files says of itself, for the day when this snapshot is expired."""
        own = {name: value for name, value in self.stamp.items() if name.startswith("facesieve.")}
        return own | {_SAME: str(self.origin), _OF: str(self.id)}


class IcebergTable:
    """A table as it stood when it was loaded; what changes it is committed at once."""

    def __init__(self, table: Any, jvm: Any) -> None:
        self._table = table
        self._jvm = jvm

    def current(self, branch: str = MAIN) -> Commit | None:
        """Return the snapshot that a branch stands at; None if there is no such branch or it holds nothing yet."""
        snapshot = self._table.snapshot(branch)
        return None if snapshot is None else _commit(self._as_json(snapshot), self._snapshot)

    def commits(self) -> list[Commit]:
        """Return all snapshots, the oldest first."""
        snapshots = self._snapshots()
        ordered = sorted(snapshots.values(), key=lambda snapshot: snapshot.get("sequence-number", 0))
        return [_commit(snapshot, snapshots.get) for snapshot in ordered]

    def moves(self) -> list[tuple[int, int]]:
        """Return when `main` came to stand where, the oldest first: milliseconds since 1970, and the snapshot."""
        return [(int(each["timestamp-ms"]), int(each["snapshot-id"])) for each in self._metadata()["snapshot-log"]]

    def grew_from(self, since: int, to: int) -> int | None:
        """Return a snapshot of the version `since` from which `to` came by nothing but appends and rewrites of files.

        None if rows also went, or came otherwise, or if the snapshots between are gone.
        """
        snapshots = self._snapshots()
        while to in snapshots:
            commit = _commit(snapshots[to], snapshots.get)
            if since in (commit.id, commit.origin):
                return to
            if commit.summary["operation"] not in ("append", "replace"):
                return None
            to = commit.parent or -1
        return None

    def _snapshots(self) -> dict[int, _Json]:
        return {snapshot["snapshot-id"]: snapshot for snapshot in self._metadata()["snapshots"]}

    def _metadata(self) -> _Json:
        # As one text: to ask Java for one snapshot after the other would take a round trip for every word of it.
        text = self._jvm.org.apache.iceberg.TableMetadataParser.toJson(self._table.operations().current())
        return dict(json.loads(text))

    def _snapshot(self, id: int) -> _Json | None:
        snapshot = self._table.snapshot(id)
        return None if snapshot is None else self._as_json(snapshot)

    def _as_json(self, snapshot: Any) -> _Json:
        return dict(json.loads(self._jvm.org.apache.iceberg.SnapshotParser.toJson(snapshot)))

    def expire(self, ids: Sequence[int]) -> None:
        """Forget snapshots, and delete the files that no other snapshot has."""
        self._expiry(ids).commit()

    def swept(self, ids: Sequence[int]) -> set[int]:
        """Return the other snapshots that would go with these: a branch may have a limit of age of its own."""
        return {int(snapshot.snapshotId()) for snapshot in self._expiry(ids).apply()} - set(ids)

    def _expiry(self, ids: Sequence[int]) -> Any:
        # Without a time Iceberg would also take whatever is older than the table's own limit, 5 days.
        change = self._table.expireSnapshots().expireOlderThan(0)
        for each in ids:
            change = change.expireSnapshotId(each)
        return change

    @property
    def java(self) -> Any:
        """Return Iceberg's own table."""
        return self._table

    def heads(self) -> dict[str, int]:
        """Return all branches and tags with the snapshot that each stands at."""
        refs = self._table.refs()
        return {name: int(refs.get(name).snapshotId()) for name in plain(self._jvm, refs.keySet())}

    def properties(self) -> dict[str, str]:
        """Return the table's properties."""
        return dict(plain(self._jvm, self._table.properties()))

    def buckets(self) -> int | None:
        """Return the number of buckets that the table is divided into; None if it is not."""
        spec = json.loads(self._jvm.org.apache.iceberg.PartitionSpecParser.toJson(self._table.spec()))
        transforms = [field["transform"] for field in spec["fields"]]
        numbers = (re.fullmatch(r"bucket\[(\d+)\]", transform) for transform in transforms)
        return next((int(number[1]) for number in numbers if number), None)

    def create_branch(self, branch: str, at: int) -> None:
        """Let a new branch stand at a snapshot."""
        self._table.manageSnapshots().createBranch(branch, at).commit()

    def drop_branches(self, chosen: Callable[[str], bool]) -> None:
        """Drop the branches whose names are chosen; their snapshots remain until they are expired."""
        dropping = sorted(filter(chosen, plain(self._jvm, self._table.refs().keySet())))
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
        """Set the properties that the table lacks; those that somebody gave other values stay, and a newer format.

        Iceberg refuses properties of columns that the table does not have yet: they wait for the columns.
        """
        # The format is none of the properties, and asked for again it would be a downgrade of one that is newer.
        newer = int(self._table.operations().current().formatVersion()) >= int(wanted.get(_FORMAT, "0"))
        present = {*self.properties(), *([_FORMAT] if newer else [])}
        absent = {name for name in wanted if name.startswith(OF_COLUMN) and not self._has(name.removeprefix(OF_COLUMN))}
        missing = {name: value for name, value in wanted.items() if name not in present | absent}
        if missing:
            update = self._table.updateProperties()
            for name, value in missing.items():
                update.set(name, value)
            update.commit()

    def _has(self, column: str) -> bool:
        return self._table.schema().findField(column) is not None


def _commit(snapshot: _Json, by_id: Callable[[int], _Json | None]) -> Commit:
    """Read a snapshot, and of which version it is: a rewrite of files is of its parent's.

    Where the parent is gone, a rewrite by `maintain` tells what it has copied. It does not where it was committed upon
    another snapshot than it had rewritten.
    """
    first, parent = snapshot, _parent(snapshot, by_id)
    while parent is not None and first["summary"]["operation"] == "replace":
        first, parent = parent, _parent(parent, by_id)
    origin, of = first["snapshot-id"], first["summary"].get(_OF)
    if of is not None and int(of) == first.get("parent-snapshot-id"):
        origin = int(first["summary"][_SAME])
    elif first["summary"]["operation"] == "replace":
        first = {"summary": {}}
    return Commit(
        snapshot["snapshot-id"],
        snapshot["summary"],
        snapshot.get("parent-snapshot-id"),
        origin,
        first["summary"],
        snapshot["timestamp-ms"],
    )


def _parent(snapshot: _Json, by_id: Callable[[int], _Json | None]) -> _Json | None:
    parent = snapshot.get("parent-snapshot-id")
    return None if parent is None else by_id(parent)


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
