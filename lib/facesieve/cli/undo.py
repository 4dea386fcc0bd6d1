"""undo: return every table and the exports to the state before a run. Images and exported files are left as they are.

What a run did is known from its row of the ledger: what every table stood at before it, and after. All is checked
before anything is changed. The row is marked last, so that an undo that was killed is finished by the same command.
"""

from __future__ import annotations

import logging
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any, NamedTuple

from pyspark.sql import functions as F

from facesieve.core import tables
from facesieve.core.console import Answer, aligned
from facesieve.core.errors import ConfigError, Fault, Refused
from facesieve.core.places import absolute
from facesieve.core.sections import OUTPUTS
from facesieve.core.tables import Table
from facesieve.erasure import mark
from facesieve.images.storage import Storage, why_unwritable
from facesieve.lake.catalog import Lake, Snapshot
from facesieve.lake.ledger import Entry, newest_first
from facesieve.lake.publication import Publication
from facesieve.lake.side_job import SideJob
from facesieve.publish import exports

_log = logging.getLogger(__name__)

_UNDONE = {"undone": "has been undone already", "refused": "was refused and has changed nothing"}
"""Statuses of runs that there is nothing to undo of."""
_SHOWN = 5


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what only this job is asked."""
    parser.add_argument(
        "--undo", required=True, metavar="RUN", help="run to be undone; first undo later runs that are done"
    )


def undo(job: SideJob, arguments: Namespace) -> Answer:
    """Let every table stand where it stood before the run, and CURRENT name the former export; mark the run undone."""
    entries = job.ledger.entries()
    entry = _entry(entries, arguments.undo)
    _refuse_later(entries, entry)
    mark.refuse_beside(job.spark, job.lake)
    steps = _steps(job.lake, entries, entry)
    pointer = _pointer(job, entry)
    for step in steps:
        job.lake.make_current(step.table, step.target, step.current)
        _log.info(f"undo: {step.table.name} stands where it stood before the run")
    if pointer.moves:
        _point(pointer)
    if job.lake.current(tables.CLEANED) is not None:
        # What was undone must not look published; the version itself stays until it is expired.
        Publication(job.spark, job.lake, tables.CLEANED).withdraw(entry.run)
    job.ledger.mark_undone(entry.run)
    return _answer(entry, steps, pointer)


class _Step(NamedTuple):
    """A table that goes back: from where, and to where."""

    table: Table
    current: Snapshot
    target: Snapshot


class _Pointer(NamedTuple):
    """The exports: their root (empty: none), the run that CURRENT names and the one to name (None: no file)."""

    root: str = ""
    named: str | None = None
    target: str | None = None
    left: bool = False

    @property
    def moves(self) -> bool:
        return self.named != self.target


def _entry(entries: Sequence[Entry], name: str) -> Entry:
    if not entries:
        fix = "Name the lake that the run wrote."
        raise ConfigError([Fault("lake.root", "there is no run in this lake", fix)])
    entry = next((entry for entry in entries if entry.run == name), None)
    if entry is not None and entry.status not in _UNDONE:
        return entry
    problem = f"the run {name} {_UNDONE[entry.status]}" if entry else f"no run of this lake is named {name}"
    newest = ", ".join(f"{entry.run} ({entry.status})" for entry in newest_first(entries)[:_SHOWN])
    raise ConfigError([Fault("--undo", problem, f"The newest runs are: {newest}.")])


def _refuse_later(entries: Sequence[Entry], entry: Entry) -> None:
    later = [other.run for other in newest_first(entries) if other.status == "done" and other.last > entry.last]
    if later:
        names = ", ".join(later)
        raise Refused(
            f"runs that ended after {entry.run} must be undone first, in this order: {names}. Nothing was changed."
        )


def _steps(lake: Lake, entries: Sequence[Entry], entry: Entry) -> list[_Step]:
    """Find the tables that have to go back. Raises Refused if one cannot, or no longer stands where the run left it."""
    steps, moved, lost = [], [], []
    alone = not entry.followed(entries)
    for table in (table for table in tables.ALL if table is not tables.RUNS):
        current = lake.current(table)
        if current is None:
            continue
        versions = lake.versions(table)
        target = _target(versions, entry)
        if target is not None and current.version == target.version:
            continue
        if not _left_by(entry, current, versions, alone=alone):
            moved.append(f"{table.name} ({f'by the run {current.run}' if current.run else 'by other hands'})")
        elif target is None:
            lost.append(table.name)
        else:
            steps.append(_Step(table, current, target))
    _refuse(entry, moved, lost, _erased_since(lake, entry) if lost else "")
    return steps


def _target(versions: Sequence[Snapshot], entry: Entry) -> Snapshot | None:
    """Return what the table stood at, or the same rows in fewer files. None if it was expired.

    Where there was no table that is its first, empty version.
    """
    former = entry.before.get(versions[0].table)
    if former is None:
        return next((each for each in versions if not each.key), None)
    return next((each for each in reversed(versions) if former in (each.id, each.version)), None)


def _erased_since(lake: Lake, entry: Entry) -> str:
    """Say that an erasure has taken former versions away, if there was one after the run."""
    at = lake.current(tables.ERASED)
    newest = lake.read(tables.ERASED, at).agg(F.max("at").alias("at")).collect()[0]["at"] if at else None
    if newest is None or newest.astimezone(UTC) <= entry.last:
        return ""
    return f" An erasure of {newest.astimezone(UTC):%Y-%m-%d} has taken away what could be returned to."


def _refuse(entry: Entry, moved: Sequence[str], lost: Sequence[str], why: str) -> None:
    if moved:
        raise Refused(
            f"tables have been moved since the run {entry.run}: {', '.join(moved)}. Nothing was changed. Undo the runs "
            "that moved them first; what other hands did cannot be undone here."
        )
    if lost:
        raise Refused(
            f"versions from before the run {entry.run} have been expired: of {', '.join(lost)}. It cannot be undone "
            f"any more. Nothing was changed.{why}"
        )


def _left_by(entry: Entry, current: Snapshot, versions: Sequence[Snapshot], *, alone: bool) -> bool:
    """Say whether the run let the table stand there.

    Of a run that was killed nobody has noted it: then by what bears its name, and also by what it went back to if no
    other run was at work since (`alone`).
    """
    if current.table in entry.after:
        after = entry.after[current.table]
        return current.version == next((each.version for each in versions if each.id == after), after)
    unnoted = entry.status == "started" and alone and bool(current.run)
    return current.run == entry.run or unnoted


def _pointer(job: SideJob, entry: Entry) -> _Pointer:
    """Find what CURRENT has to name: the run that made the former `cleaned`, if its export is there."""
    export_root = job.ledger.record_of(entry.run).export_root
    if not export_root:
        return _Pointer()
    place = absolute(export_root)
    root, versions = Storage(place), _cleaned_versions(job.lake)
    try:
        named, left = exports.current(root), root.child(entry.run).exists()
        by_the_run = named is not None and named in (entry.run, _made_by(versions, entry.after))
        target = _exported(root, versions, entry.before) if by_the_run else named
    except OSError as problem:
        why = problem.strerror or type(problem).__name__
        fault = f"{place}, where the run put its exports, cannot be read ({why})"
        raise ConfigError([Fault("publish.export_root", fault, "Make it readable, or move CURRENT away.")]) from problem
    wrong = why_unwritable(place) if named != target else None
    if wrong:
        raise ConfigError([Fault("publish.export_root", wrong, "The file CURRENT there must be written anew.")])
    return _Pointer(place, named, target, left)


def _cleaned_versions(lake: Lake) -> dict[int, Snapshot]:
    if lake.current(tables.CLEANED) is None:
        return {}
    return {snapshot.id: snapshot for snapshot in lake.versions(tables.CLEANED)}


def _made_by(versions: Mapping[int, Snapshot], at: Mapping[str, int]) -> str | None:
    snapshot = versions.get(at.get(tables.CLEANED.name, 0))
    return snapshot.run if snapshot else None


def _exported(root: Storage, versions: Mapping[int, Snapshot], before: Mapping[str, int]) -> str | None:
    """Return the run whose exports below the root hold the former `cleaned`; None if there are none."""
    former = versions.get(before.get(tables.CLEANED.name, 0))
    if former is None or not former.run:
        return None
    exported = root.child(former.run)
    whole = [exports.holds(exported, output, former.version) for output in OUTPUTS]
    return former.run if any(whole) else None


def _point(pointer: _Pointer) -> None:
    if pointer.target is None:
        exports.clear_current(Storage(pointer.root))
    else:
        exports.point_current(Storage(pointer.root), pointer.target)


def _answer(entry: Entry, steps: Sequence[_Step], pointer: _Pointer) -> Answer:
    rows = [["table", "from", "to", "made by"]]
    for step in steps:
        rows.append([step.table.name, str(step.current.id), str(step.target.id), step.target.run or "(empty)"])
    parts = [f"Run {entry.run} ({entry.status}) is undone."]
    parts.append(aligned(rows) if steps else "Every table stands where it stood before: nothing had to be returned.")
    if pointer.moves:
        now = f"names {pointer.target} again" if pointer.target else "is removed: nothing is exported"
        parts.append(f"{pointer.root}/{exports.CURRENT} {now}")
    if pointer.left:
        parts.append(f"The files exported by the run stay at {pointer.root}/{entry.run}: delete them if you like.")
    record: dict[str, Any] = {
        "undone": entry.run,
        "status": entry.status,
        "tables": {step.table.name: {"from": step.current.id, "to": step.target.id} for step in steps},
        "exports": {"root": pointer.root, "from": pointer.named, "to": pointer.target, "left": pointer.left},
    }
    return Answer("\n\n".join(parts), record)
