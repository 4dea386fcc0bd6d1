"""maintain: compact the tables, and let go of versions and files that nobody needs. No row changes.

Without `--apply` it only says what it would do. Each of its steps is one commit, or deletes files that no version has:
after a kill the same command goes on. A run that is at work makes it refuse, since both would move the same tables.
"""

from __future__ import annotations

import logging
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from facesieve.cluster import borne_ids
from facesieve.core import tables
from facesieve.core.console import Answer, aligned, count
from facesieve.core.errors import Refused
from facesieve.erasure import idle, mark
from facesieve.lake import hadoop_files
from facesieve.lake.catalog import BRANCH
from facesieve.lake.ledger import Entry
from facesieve.lake.leftovers import leftovers
from facesieve.lake.retention import Retention, running
from facesieve.lake.side_job import SideJob
from facesieve.lake.upkeep import Size, Small, Upkeep

_log = logging.getLogger(__name__)

_WRITTEN_WHOLE = frozenset(
    table.name for table in (tables.LISTING, tables.VOTES, tables.CLUSTERS, tables.DECISIONS, tables.CLEANED)
) | {tables.IDENTITY_LINKS.name}
"""The next run writes these tables anew: to compact them would be for nothing."""
_MEGA = 1_000_000
_END_THEM = (
    "Wait until they have ended. Of a run that was killed, start the same command with --run NAME, or undo it with "
    "jobs/undo.py --undo NAME."
)


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what only this job is asked."""
    parser.add_argument("--apply", action="store_true", help="do it (without: say what would be done)")


@dataclass(frozen=True)
class Outcome:
    """What was done to a table, or would be.

    expired: snapshots; expired_files, expired_bytes: the data files that only those have. orphans: files that no
    version has. after: None where nothing was done.
    """

    before: Size
    small: Small
    expired: int = 0
    expired_files: int = 0
    expired_bytes: int = 0
    orphans: int = 0
    after: Size | None = None

    def record(self) -> dict[str, Any]:
        """Return it for programs."""
        sizes = {"before": self.before._asdict(), "after": self.after._asdict() if self.after else None}
        rewritten = {"rewritten": self.small._asdict()}
        names = ("expired", "expired_files", "expired_bytes", "orphans")
        return {**sizes, **rewritten, **{name: getattr(self, name) for name in names}}


@dataclass
class Maintenance:
    """The work on one lake at one time."""

    job: SideJob
    now: datetime
    apply: bool
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def carry_out(self) -> Answer:
        """Do it, or only look, and say what it came to."""
        entries = self.job.ledger.entries()
        self._refuse_running(entries)
        mark.refuse_beside(self.job.spark, self.job.lake)
        if self.apply:
            idle.note(self.job, self.now)
        noted = borne_ids.note(self.job.lake) if self.apply else len(borne_ids.unnoted(self.job.lake))
        upkeep = self._upkeep()
        for name, each in upkeep.items():
            self.outcomes[name] = Outcome(each.size(), self._compacted(name, each))
        going = Retention(self.oldest, entries).expirable({name: each.history() for name, each in upkeep.items()})
        for name, each in upkeep.items():
            self.outcomes[name] = self._cleared(each, going[name], self.outcomes[name])
        return _answer(self, noted, self._scratch())

    @property
    def oldest(self) -> datetime:
        """Return since when nothing may go that a run could be undone with."""
        return self.now - timedelta(days=self.job.config.maintain.keep_days)

    @property
    def longest_run(self) -> timedelta:
        """Return how long a run may last."""
        return timedelta(hours=self.job.config.maintain.longest_run_hours)

    def _upkeep(self) -> dict[str, Upkeep]:
        lake, here = self.job.lake, [table for table in tables.IN_LAKE if self.job.lake.current(table) is not None]
        for table in here if self.apply else ():
            lake.tidy(table)
        return {table.name: Upkeep(self.job.spark, lake.name_of(table)) for table in here}

    def _refuse_running(self, entries: Sequence[Entry]) -> None:
        names = ", ".join(entry.run for entry in running(entries, self.now, self.longest_run))
        if names and self.apply:
            raise Refused(f"runs are at work, or were killed: {names}. Nothing was changed. {_END_THEM}")
        if names:
            self.job.warn(
                f"maintain: runs are at work, or were killed: {names}. --apply would be refused now. {_END_THEM}"
            )

    def _compacted(self, name: str, upkeep: Upkeep) -> Small:
        """Rewrite what is small, unless a run is just writing to the table; return what was planned."""
        small = upkeep.small(data=name not in _WRITTEN_WHOLE)
        if any(small) and upkeep.busy(BRANCH):
            self.job.warn(f"maintain: a run is writing to the table {name}: its small files stay")
            return Small()
        if any(small) and self.apply:
            _log.info(f"maintain: {name}: {small.files} data files and {small.manifests} manifests are rewritten")
            upkeep.compact(data=name not in _WRITTEN_WHOLE)
        return small

    def _cleared(self, upkeep: Upkeep, going: Sequence[int], outcome: Outcome) -> Outcome:
        """Let snapshots and orphan files go, and return the outcome with what that was."""
        if upkeep.shared():
            self.job.warn(f"maintain: {upkeep.name} has gc.enabled = false: its snapshots and orphan files stay")
            return replace(outcome, after=upkeep.size() if self.apply else None)
        if more := upkeep.swept(going):
            why = f"the limit of age of a branch would take {count(more)} more, which undo may need"
            self.job.warn(f"maintain: {upkeep.name}: its snapshots stay, since {why}")
            going = ()
        files, total = upkeep.only_in(going) if going else (0, 0)
        if going and self.apply:
            _log.info(f"maintain: {upkeep.name}: {len(going)} snapshots with {files} data files of their own go")
            upkeep.expire(going)
        orphans = upkeep.orphans(self.now - self.longest_run, delete=self.apply)
        after = upkeep.size() if self.apply else None
        return replace(
            outcome, expired=len(going), expired_files=files, expired_bytes=total, orphans=orphans, after=after
        )

    def _scratch(self) -> int:
        places = leftovers(self.job.spark, self.job.config.lake, self.now, self.longest_run)
        for place in places if self.apply else ():
            hadoop_files.delete(self.job.spark, place)
        return len(places)


def maintain(job: SideJob, arguments: Namespace) -> Answer:
    """Look after every table of the lake, and say what that came to."""
    return Maintenance(job, datetime.now(UTC), arguments.apply).carry_out()


def noted(record: Mapping[str, Any]) -> dict[str, int]:
    """Return what the ledger keeps of the job's record: how many snapshots, orphan files and scratch folders went."""
    went = {name: sum(int(each[name]) for each in record["tables"].values()) for name in ("expired", "orphans")}
    return went | {"scratch": int(record["scratch"])}


_HEAD = ["table", "files", "MB", "snapshots", "rewritten", "expired", "orphans"]


def _answer(work: Maintenance, noted: int, leftover: int) -> Answer:
    rows = [_HEAD, *(_row(name, outcome) for name, outcome in work.outcomes.items())]
    rows.append(["all", *_sizes([each.before for each in work.outcomes.values()], _afters(work)), "", "", ""])
    parts = [aligned(rows) if work.outcomes else "There is no table in this lake yet."]
    expired = [(each.expired_files, each.expired_bytes) for each in work.outcomes.values()]
    files, total = (sum(column) for column in zip(*expired, strict=True)) if expired else (0, 0)
    went = "went" if work.apply else "would go"
    parts.append(f"{count(files)} data files ({total / _MEGA:,.1f} MB) of expired snapshots {went}.")
    parts.append(f"{count(leftover)} folders that killed runs have left in the scratch folder {went}.")
    if not work.apply:
        parts.append(
            f"Nothing was changed; --apply does it. {count(noted)} versions of clusters would have their ids noted. "
            "What small files become, and the metadata that goes with snapshots, is known afterwards only."
        )
    record = {"applied": work.apply, "noted": noted, "scratch": leftover, "warnings": work.job.warnings}
    return Answer("\n\n".join(parts), record | {"tables": {n: each.record() for n, each in work.outcomes.items()}})


def _afters(work: Maintenance) -> list[Size]:
    return [each.after for each in work.outcomes.values() if each.after is not None]


def _row(name: str, outcome: Outcome) -> list[str]:
    small = outcome.small
    sizes = _sizes([outcome.before], [outcome.after] if outcome.after else [])
    return [
        name,
        *sizes,
        *map(count, (small.files + small.deletes + small.manifests, outcome.expired, outcome.orphans)),
    ]


def _sizes(before: Sequence[Size], after: Sequence[Size]) -> list[str]:
    """Write files, megabytes and snapshots, each before and (if it was done) after."""
    pairs = zip(_sum(before), _sum(after) if after else _sum(before), strict=True)
    words = [
        (f"{a / _MEGA:,.1f}", f"{b / _MEGA:,.1f}") if column == 1 else (count(a), count(b))
        for column, (a, b) in enumerate(pairs)
    ]
    return [f"{a} -> {b}" if after else a for a, b in words]


def _sum(sizes: Sequence[Size]) -> Size:
    return Size(*(sum(column) for column in zip(*sizes, strict=True))) if sizes else Size(0, 0, 0)
