"""A table begins anew from other rows: one version without a past, and nothing of the past in any file.

First `main` is moved to the new version, in one commit with all branches and tags. Then everything goes that this
version does not need: snapshots, data files, manifests, statistics, former files of metadata, orphans. Each part can
be repeated, so that after a kill the same calls go on.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NewType

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from facesieve.core.errors import Refused
from facesieve.lake import iceberg
from facesieve.lake.catalog import BRANCH
from facesieve.lake.iceberg import MAIN, Commit, IcebergTable
from facesieve.lake.references import Movement, commit
from facesieve.lake.tags import NOTE, Tags

Rows = NewType("Rows", DataFrame)
"""Rows of one table, with all columns that the table has."""

ERASURE = "facesieve.erasure"
"""The property of a snapshot that names the erasure by which the table began anew."""

_MOST_METADATA = "write.metadata.previous-versions-max"
_DELETE_METADATA = "write.metadata.delete-after-commit.enabled"
_MARGIN = timedelta(days=1)
"""Orphans are taken however young they are, also where the store's clock is ahead."""


@dataclass(frozen=True)
class Rebase:
    """One table that begins anew, by the erasure of that name."""

    spark: SparkSession
    name: str
    erasure: str

    def rewritten(self) -> Commit | None:
        """Return the version by which this erasure has begun the table anew; None if it has not."""
        now = self._here().current()
        return now if now is not None and now.summary.get(ERASURE) == self.erasure else None

    def read(self) -> Rows:
        """Read the table as it stands."""
        now = self._here().current()
        at = self.spark.read if now is None else self.spark.read.option("snapshot-id", now.id)
        return Rows(at.table(self.name))

    def rewrite(self, rows: Rows, summary: Mapping[str, str]) -> Commit:
        """Make rows the only ones, in a version with these properties; Refused if the table has moved meanwhile.

        The second, empty commit has none of the manifests that list what the first one took away, with their bounds.
        """
        here = self._here()
        since = here.current()
        if since is None:
            raise Refused(f"the table {self.name} has no version. Nothing was changed in it.")
        branch = f"{BRANCH}{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
        here.create_branch(branch, since.id)
        rows.writeTo(f"{self.name}.`branch_{branch}`").overwrite(F.lit(True))
        self._seal(branch, {**summary, ERASURE: self.erasure})
        self._move(since, branch)
        written = self.rewritten()
        if written is None:
            raise Refused(f"the table {self.name} was moved by another run. Start the same command again.")
        return written

    def purge(self) -> None:
        """Let everything go that the current version does not need."""
        here = self._here()
        now = here.current()
        here.expire([each.id for each in here.commits() if now is None or each.id != now.id])
        _forget_statistics(self._here().java)
        self._trim_metadata()
        self._delete_orphans()

    def _seal(self, branch: str, summary: Mapping[str, str]) -> None:
        append = self._here().java.newAppend().toBranch(branch)
        for name, value in summary.items():
            append.set(name, value)
        append.commit()

    def _move(self, since: Commit, branch: str) -> None:
        """Let `main` stand at the new version, with the tag of the run that published the former; all else goes."""
        here = self._here()
        new, heads = here.current(branch), here.heads()
        at = new.id if new else since.id
        own = Tags.of(heads, here.java.properties().get(NOTE))
        tag = own.at(since.id) or own.at(since.origin)
        tags = {tag: at} if tag else {}
        note = {NOTE: Tags(tags).note()} if own.own else {}
        dropped = [name for name in heads if name != MAIN and name not in tags]
        if not commit(here, Movement({MAIN: at}, tags, dropped, note), since.id):
            raise Refused(f"the table {self.name} was moved by another run. Start the same command again.")

    def _trim_metadata(self) -> None:
        """Let the table forget its former files of metadata, but for the last, which is as clean as the current one."""
        here = self._here()
        former = here.properties()
        here.java.updateProperties().set(_MOST_METADATA, "1").set(_DELETE_METADATA, "true").commit()
        back = self._here().java.updateProperties()
        for name in (_MOST_METADATA, _DELETE_METADATA):
            back = back.set(name, former[name]) if name in former else back.remove(name)
        back.commit()

    def _delete_orphans(self) -> None:
        jvm: Any = self.spark._jvm
        actions = jvm.org.apache.iceberg.spark.actions.SparkActions.get(self.spark._jsparkSession)
        before = int((datetime.now(UTC) + _MARGIN).timestamp() * 1_000)
        actions.deleteOrphanFiles(self._here().java).olderThan(before).execute()

    def _here(self) -> IcebergTable:
        return iceberg.existing(self.spark, self.name)


def _forget_statistics(java: Any) -> None:
    for each in list(java.statisticsFiles()):
        java.updateStatistics().removeStatistics(each.snapshotId()).commit()
    for each in list(java.partitionStatisticsFiles()):
        java.updatePartitionStatistics().removePartitionStatistics(each.snapshotId()).commit()
