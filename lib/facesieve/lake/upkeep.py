"""One table's upkeep: small files become large ones, old snapshots and files that nobody refers to go.

Small files are rewritten by Iceberg's own actions. Their commits bear what the version bears whose files they have
rewritten: keys and inputs stay, so that the next run reuses it. Rows never change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from pyspark.sql import DataFrame, SparkSession

from facesieve.lake import hadoop_files, iceberg, table_properties
from facesieve.lake.iceberg import IcebergTable
from facesieve.lake.retention import History

_MANY_MANIFESTS = 10
_SMALL_SHARE = 0.5
"""Manifests are rewritten if they are on average below this share of the size that the table asks for."""
_LOST_ROWS = {"delete-file-threshold": "1"}
"""A file that has lost a row is rewritten, so that no deleted row stays in a file of the current version."""
_EVERY_FILE = {"rewrite-all": "true"}
_MANIFEST_BYTES = "commit.manifest.target-size-bytes"
_MANIFEST_BYTES_DEFAULT = "8388608"


class Size(NamedTuple):
    """What a table's folder holds, and the table's snapshots."""

    files: int
    bytes: int
    snapshots: int


class Small(NamedTuple):
    """What is to be rewritten: data files and their bytes, files of deleted rows, manifests. 0: it is not worth it."""

    files: int = 0
    bytes: int = 0
    deletes: int = 0
    manifests: int = 0


@dataclass(frozen=True)
class Upkeep:
    """A table that is looked after."""

    spark: SparkSession
    name: str

    def history(self) -> History:
        """Return its snapshots, and those at which branches and tags stand."""
        here = self._table()
        return History(here.commits(), frozenset(here.heads().values()))

    def busy(self, branches: str) -> bool:
        """Say whether a run is writing to it: there is a branch besides `main` whose name begins so."""
        return any(name.startswith(branches) for name in self._table().heads())

    def shared(self) -> bool:
        """Say whether its files may be another table's too (property `gc.enabled` is false): then none may go."""
        properties = self._table().properties()
        return str(properties.get("gc.enabled", "true")).lower() == "false"

    def size(self) -> Size:
        """Count the files below the table's folder and their bytes, and its snapshots."""
        here = self._table()
        files, total = hadoop_files.content(self.spark, str(here.java.location()))
        return Size(files, total, len(here.commits()))

    def small(self, *, data: bool = True) -> Small:
        """Plan what is to be rewritten, as Iceberg would: five small files of a partition at least.

        Files that have lost rows also are, and all files of a table whose manifests may hold bounds of names.
        data: not only manifests.
        """
        java = self._table().java
        if java.currentSnapshot() is None:
            return Small()
        manifests = _small_manifests(java)
        if not data:
            return Small(manifests=manifests)
        actions: Any = self.spark._jvm.org.apache.iceberg.actions  # type: ignore[union-attr]
        files, total = _planned(actions.BinPackRewriteFilePlanner(java), self._options())
        deletes, _ = _planned(actions.BinPackRewritePositionDeletePlanner(java), {})
        return Small(files, total, deletes, manifests)

    def compact(self, *, data: bool = True) -> None:
        """Rewrite what `small` plans; each commit bears the keys of the version that it rewrites."""
        jvm: Any = self.spark._jvm
        bounds = data and self._has_bounds()
        actions = jvm.org.apache.iceberg.spark.actions.SparkActions.get(self.spark._jsparkSession)
        if self.small(data=data).files:
            options = self._options() | {"remove-dangling-deletes": "true"}
            self._commit(actions.rewriteDataFiles(self._table().java).options(options))
        if self.small(data=data).deletes:
            self._commit(actions.rewritePositionDeletes(self._table().java))
        # The commit that rewrites files lists the files that went, with their bounds: the next one does not.
        if bounds or self.small(data=data).manifests:
            self._commit(actions.rewriteManifests(self._table().java))
        if bounds:
            self._table().add_properties({table_properties.BARE: "none"})

    def only_in(self, going: Sequence[int]) -> tuple[int, int]:
        """Count the data files, and their bytes, that no snapshot but those that are `going` has."""
        staying = [commit.id for commit in self._table().commits() if commit.id not in set(going)]
        every = self.spark.table(f"{self.name}.all_files").select("file_path", "file_size_in_bytes").distinct()
        for part in _tens(staying):
            every = every.join(self._files_of(part), "file_path", how="left_anti")
        row = every.selectExpr("count(*)", "coalesce(sum(file_size_in_bytes), 0)").collect()[0]
        return int(row[0]), int(row[1])

    def swept(self, going: Sequence[int]) -> int:
        """Count the snapshots that Iceberg would expire with these, which shall stay."""
        return len(self._table().swept(going)) if going else 0

    def expire(self, going: Sequence[int]) -> None:
        """Forget these snapshots, and delete the files that no other has."""
        if going:
            self._table().expire(going)

    def orphans(self, before: datetime, *, delete: bool) -> int:
        """Count the files older than `before` to which the table does not refer, and delete them if told to."""
        catalog, _, table = self.name.partition(".")
        time = f"TIMESTAMP '{before:%Y-%m-%d %H:%M:%S}+00:00'"
        arguments = f"table => '{table}', older_than => {time}, dry_run => {str(not delete).lower()}"
        return self.spark.sql(f"CALL {catalog}.system.remove_orphan_files({arguments})").count()

    def _files_of(self, snapshots: Sequence[int]) -> DataFrame:
        queries = (f"SELECT file_path FROM {self.name}.files VERSION AS OF {id}" for id in snapshots)
        return self.spark.sql(" UNION ALL ".join(queries))

    def _options(self) -> dict[str, str]:
        return _LOST_ROWS | _EVERY_FILE if self._has_bounds() else _LOST_ROWS

    def _has_bounds(self) -> bool:
        return table_properties.may_have_bounds(self._table().properties())

    def _commit(self, action: Any) -> None:
        """Carry out a rewrite whose commit bears what the rewritten version bears."""
        now = self._table().current()
        for name, value in now.copied().items() if now else ():
            action = action.snapshotProperty(name, value)
        action.execute()

    def _table(self) -> IcebergTable:
        return iceberg.existing(self.spark, self.name)


def _planned(planner: Any, options: Mapping[str, str]) -> tuple[int, int]:
    """Let a planner of Iceberg choose files; return how many, and their bytes."""
    planner.init(options)
    files = total = 0
    groups = planner.plan().groups().iterator()
    while groups.hasNext():
        group = groups.next()
        files, total = files + int(group.inputFileNum()), total + int(group.inputFilesSizeInBytes())
    return files, total


def _small_manifests(java: Any) -> int:
    """Return how many manifests are to be rewritten: all, if there are many and most are small."""
    lengths = [int(manifest.length()) for manifest in java.currentSnapshot().allManifests(java.io())]
    wanted = int(java.properties().get(_MANIFEST_BYTES) or _MANIFEST_BYTES_DEFAULT)
    many = len(lengths) > _MANY_MANIFESTS and sum(lengths) < _SMALL_SHARE * wanted * len(lengths)
    return len(lengths) if many else 0


def _tens(ids: Sequence[int]) -> list[Sequence[int]]:
    """Divide ids: Spark plans a query of many parts slowly."""
    return [ids[start : start + 10] for start in range(0, len(ids), 10)]
