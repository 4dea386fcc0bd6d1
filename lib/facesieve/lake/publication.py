"""A version of a table becomes current, with the tag of the run that publishes it; or it is left for people to see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import SparkSession

from facesieve.core.tables import Table
from facesieve.lake import iceberg
from facesieve.lake.catalog import Lake, Snapshot
from facesieve.lake.iceberg import MAIN, IcebergTable
from facesieve.lake.references import Movement, commit, is_tag
from facesieve.lake.tags import NOTE, Tags
from facesieve.lake.versions import moved

STAGED = "staged"
"""The branch at a version that was written and did not become current."""


@dataclass(frozen=True)
class Publication:
    """Publishes versions of one table, which must be there."""

    spark: SparkSession
    lake: Lake
    table: Table

    def publish(self, version: Snapshot, since: Snapshot, tag: tuple[str, int], branch: str = "") -> str | None:
        """Let `main` stand at a version, set the tag, drop the branches `branch` and STAGED: all in one commit.

        tag: the run, and how many runs keep their tags. A run that changes nothing sets none if there is one already.
        Returns the tag that the version bears; None if none. Raises Refused if the table has moved from `since`.
        """
        run, keep = tag
        here, now = self._here(), self.lake.unmoved(self.table, since)
        before = _tags(here)
        stays = version.version == now.version
        still = stays and _tag(before, version) is not None
        after = before.newest(keep) if still else before.published(run, version.id, keep)
        dropped = _branches(here, branch, STAGED)
        self._commit(here, _movement(before, after, {} if stays else {MAIN: version.id}, dropped), now.id)
        return _tag(after, version)

    def leave(self, version: Snapshot) -> str:
        """Let the branch STAGED stand at a version that is not to be current; return what it can be read by.

        Where the branch cannot be set, as somebody has a tag of that name, that is the version's id.
        """
        here = self._here()
        if not is_tag(here, STAGED) and commit(here, Movement(branches={STAGED: version.id})):
            return STAGED
        return str(version.id)

    def withdraw(self, run: str) -> bool:
        """Drop the tag of a run, if it has one; say whether it had."""
        here = self._here()
        before = _tags(here)
        after = before.without(run)
        if after != before:
            self._commit(here, _movement(before, after, {}, ()), None)
        return after != before

    def _here(self) -> IcebergTable:
        return iceberg.existing(self.spark, self.lake.name_of(self.table))

    def _commit(self, here: IcebergTable, movement: Movement, since: int | None) -> None:
        if not commit(here, movement, since):
            raise moved(self.table)


def _tags(here: IcebergTable) -> Tags:
    return Tags.of(here.heads(), here.java.properties().get(NOTE))


def _tag(tags: Tags, version: Snapshot) -> str | None:
    """Return the tag of a version, also where it stands at a snapshot that has the same rows in other files."""
    return tags.at(version.id) or tags.at(version.version)


def _branches(here: IcebergTable, *names: str) -> tuple[str, ...]:
    return tuple(name for name in names if name in here.heads() and not is_tag(here, name))


def _movement(before: Tags, after: Tags, branches: Mapping[str, int], dropped: tuple[str, ...]) -> Movement:
    tags = {name: at for name, at in after.own.items() if before.own.get(name) != at}
    note = {} if after == before else {NOTE: after.note()}
    return Movement(branches, tags, (*dropped, *(set(before.own) - set(after.own))), note)
