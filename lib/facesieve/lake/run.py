"""One run of the job: which version of each table it works on, and stages that are computed once and then reused.

A stage's key is a digest of its settings, its inputs' keys, the model and the code that it may run. A stage whose key
is borne by a snapshot of its table is not computed again: that snapshot is made current.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from facesieve.core.config import Config
from facesieve.core.console import count, duration
from facesieve.core.errors import ConfigError, Fault
from facesieve.core.frames import follow_rows
from facesieve.core.profiles import Profile
from facesieve.core.side_by_side import Aside
from facesieve.core.tables import Table
from facesieve.lake.catalog import Change, Lake, Snapshot, Stamp
from facesieve.lake.ledger import Ledger
from facesieve.lake.publication import Publication
from facesieve.lake.source_digest import code_digest
from facesieve.lake.step_record import StepRecord
from facesieve.lake.work import Work, work_so_far

_log = logging.getLogger(__name__)

STEP_OF = {
    "listing": "embed",
    "embeddings": "embed",
    "rejects": "embed",
    "edges": "link",
    "epochs": "link",
    "votes": "cluster",
    "clusters": "cluster",
    "decisions": "decide",
    "identity_links": "decide",
}
"""The step that makes a table."""


@dataclass
class Run:
    """Everything a stage needs to know of the run it is part of.

    What `undone` runs made is never reused. ahead: what goes on beside the run's beginning, for the first step.
    """

    name: str
    config: Config
    profile: Profile
    model: str
    full: bool
    spark: SparkSession
    lake: Lake
    ledger: Ledger
    at: dict[str, Snapshot] = field(default_factory=dict)
    replaced: dict[str, Snapshot] = field(default_factory=dict)
    undone: frozenset[str] = frozenset()
    ahead: Aside | None = None

    @contextmanager
    def beginning(self, ahead: Callable[[Run], None]) -> Iterator[None]:
        """Let a call go on beside the beginning of the run, and no longer than the block."""
        self.ahead = Aside(self.spark, partial(ahead, self))
        try:
            yield
        finally:
            self.ahead.cancel()

    def now(self, table: Table) -> Snapshot | None:
        """Return the version of a table that this run works on: its own, else the lake's current one."""
        return self.at.get(table.name) or self.lake.current(table)

    def stage(self, name: str, outputs: tuple[Table, ...], inputs: tuple[Table, ...], **settings: Any) -> Stage:
        """Begin a stage: fix its inputs' versions and Spark's partitions, derive its key, open its tables."""
        read = {table.name: self._input(table) for table in inputs}
        keys = {table: snapshot.key for table, snapshot in read.items()}
        key = _digest({"stage": name, "code": code_digest(name), "inputs": keys, "settings": settings})
        began = work_so_far(self.spark)
        since = {table.name: self.lake.open(table, self.config.publish.buckets) for table in outputs}
        follow_rows(self.spark, sum(snapshot.rows for snapshot in (read or since).values()))
        return Stage(self, name, key, outputs, read, since, began)

    def adopt(self, table: Table, snapshot: Snapshot, since: Snapshot) -> None:
        """Note that the table now stands at `snapshot` by this run's hand, and what it stood at before."""
        self.at[table.name] = snapshot
        self.replaced.setdefault(table.name, since)

    def warn(self, text: str) -> None:
        """Print a warning now, and again in the summary; the ledger keeps it."""
        _log.warning(text)
        self.ledger.warnings.append(text)

    def restore(self, tables: tuple[Table, ...]) -> None:
        """Let every table that still stands where this run put it stand where it stood before (for a refused run)."""
        for table in tables:
            before = self.replaced.get(table.name)
            now = self.lake.current(table)
            if before is not None and now is not None and now.version == self.at[table.name].version:
                self.lake.make_current(table, before, self.at[table.name])

    def _input(self, table: Table) -> Snapshot:
        snapshot = self.now(table)
        if snapshot is None or not snapshot.key:
            maker = STEP_OF[table.name]
            fix = f"Run jobs/{maker}.py first, or jobs/sieve.py, which runs all stages in order."
            raise ConfigError([Fault(f"table {table.name}", "is not in this lake yet", fix)])
        return snapshot


@dataclass
class Stage:
    """One stage of one run: its key, the versions it reads and those its tables stood at when it began, that moment.

    earlier: what the ledger holds of the stage whose result is reused, if another run has made it.
    """

    run: Run
    name: str
    key: str
    outputs: tuple[Table, ...]
    inputs: dict[str, Snapshot]
    since: dict[str, Snapshot]
    began: Work
    earlier: StepRecord | None = None

    def holds(self, rows: str) -> None:
        """Derive the key from the rows themselves (for the listing, which has no inputs)."""
        self.key = _digest({"stage": self.name, "code": code_digest(self.name), "rows": rows})

    def reuse(self) -> bool:
        """Make the snapshots that bear this key current, if every table has one; say whether it did."""
        snapshots = [snapshot for snapshot in map(self.find, self.outputs) if snapshot is not None]
        if len(snapshots) < len(self.outputs):
            return False
        for table, snapshot in zip(self.outputs, snapshots, strict=True):
            self._make_current(table, snapshot)
        # The output that is written last completes the stage.
        if snapshots[-1].run != self.run.name:
            self.earlier = self.run.ledger.step_of(snapshots[-1].run, self.name)
        return True

    def find(self, table: Table) -> Snapshot | None:
        """Return the newest version of an output that bears this key, current or not; None if there is none."""
        if self.run.full and self.name not in ("listing", "embed"):
            return None
        return self.run.lake.find(table, self.key, self.run.undone)

    def take_over(self, table: Table) -> bool:
        """Make one output that bears this key current, as a killed run has left it; say whether there is one."""
        snapshot = self.find(table)
        if snapshot is None:
            return False
        self._make_current(table, snapshot)
        return True

    def read(self, table: Table) -> DataFrame:
        """Read an input at the version fixed when the stage began, or an output as this stage left it."""
        return self.run.lake.read(table, self.inputs.get(table.name) or self.run.at[table.name])

    def count(self, table: Table) -> int:
        """Return the number of rows that `read` reads, without a Spark job where the version's summary tells it."""
        snapshot = self.inputs.get(table.name) or self.run.at[table.name]
        return snapshot.rows if snapshot.exact else self.read(table).count()

    def former(self, table: Table) -> DataFrame:
        """Read an output as it was when the stage began."""
        return self.run.lake.read(table, self.since[table.name])

    def of_model(self, table: Table) -> DataFrame:
        """Read the rows that the run's model has made, of a table with a column `model`."""
        return self._of_model(self.read(table))

    def added_of_model(self, table: Table) -> DataFrame | None:
        """Read those of them that came after what the first output was made from; None where others went or changed."""
        since = self.since[self.outputs[0].name].inputs.get(table.name)
        added = None if since is None else self.run.lake.added(table, since, self.inputs[table.name])
        return None if added is None else self._of_model(added)

    def _of_model(self, rows: DataFrame) -> DataFrame:
        return rows.where(F.col("model") == self.run.model)

    def overwrite(self, table: Table, frame: DataFrame) -> None:
        """Replace the table's rows in one commit that bears this stage's key."""
        with self.change(table) as change:
            change.overwrite(frame, last=True)

    def append(self, table: Table, frame: DataFrame, part: str = "") -> None:
        """Add rows in one commit. `part` marks a commit that does not complete the stage: it bears no stage's key."""
        with self.change(table, part) as change:
            change.append(frame, last=True)

    @contextmanager
    def change(self, table: Table, part: str = "") -> Iterator[Change]:
        """Make several writes to an output one version that bears this stage's key; nothing changes if one fails.

        `part` marks a version that does not complete the stage: it bears no stage's key.
        """
        key = f"{self.key}#{part}" if part else self.key
        since = self.run.at.get(table.name) or self.since[table.name]
        with self.run.lake.change(table, self._stamp(key), since) as change:
            yield change
            # Once more, since other outputs may have been written meanwhile: the last commit names them.
            change.stamp = self._stamp(key)
        self.run.adopt(table, change.at, self.since[table.name])

    @contextmanager
    def draft(self, table: Table) -> Iterator[Change]:
        """Write a version of an output on a branch of its own; `publish` makes it current, in the block."""
        with self.run.lake.draft(table, self._stamp(self.key), self.since[table.name]) as change:
            yield change

    def publish(self, table: Table, version: Snapshot, keep_tags: int, branch: str = "") -> str | None:
        """Make a version of an output current, with the run's tag; return the tag that it bears (None: none)."""
        publication = Publication(self.run.spark, self.run.lake, table)
        tag = publication.publish(version, self.since[table.name], (self.run.name, keep_tags), branch)
        self.run.adopt(table, version, self.since[table.name])
        return tag

    def reused(self, rows_in: int | None, rows_out: int) -> StepRecord:
        """Return the record of a stage that is reused: the earlier one, with this run's numbers of rows."""
        return replace(self.earlier or StepRecord(), rows_in=rows_in, rows_out=rows_out, reused=True)

    def done(self, record: StepRecord) -> None:
        """Keep the record in the ledger, with the stage's seconds, work and key, and print its line."""
        now = work_so_far(self.run.spark)
        seconds, jobs, tasks = now.minus(self.began)
        counts = {"jobs": jobs, "tasks": tasks} if now.jobs else {"jobs": None, "tasks": None}
        self.run.ledger.stages[self.name] = replace(record, seconds=round(seconds, 2), key=self.key, **counts)
        how = "reused" if record.reused else f"{count(record.rows_in)} rows in"
        _log.info(f"{self.name}: {how}, {count(record.rows_out)} rows out, {duration(seconds)}")

    def _make_current(self, table: Table, snapshot: Snapshot) -> None:
        self.run.lake.make_current(table, snapshot, self.since[table.name])
        self.run.adopt(table, snapshot, self.since[table.name])

    def _stamp(self, key: str) -> Stamp:
        """Name what a commit is made from: the inputs, and the outputs that this stage has written before it."""
        written = {table.name: self.run.at[table.name] for table in self.outputs if table.name in self.run.at}
        return Stamp(self.run.name, key, {name: at.version for name, at in (self.inputs | written).items()})


def _digest(made_of: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()
