"""erase: a subject leaves the lake, its former versions, its exports and its leftovers for good, and that is proved.

Without `--apply` it says what would be done. With it, each part can be repeated: killed anywhere, the same command
finishes the work by its journal. Meanwhile other jobs refuse to begin.
"""

from __future__ import annotations

import json
import logging
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from pyspark.sql import functions as F

from facesieve.cluster import borne_ids
from facesieve.core import tables
from facesieve.core.console import Answer, count
from facesieve.core.errors import ConfigError, Fault, InvariantError, Refused
from facesieve.core.frames import follow_rows
from facesieve.core.places import argument
from facesieve.core.side_sections import Audit
from facesieve.core.tables import Table
from facesieve.erasure import idle, mark
from facesieve.erasure import journal as journals
from facesieve.erasure.answers import Done, dry_run, nobody
from facesieve.erasure.choice import Choice, add_choice, choose
from facesieve.erasure.clusters import renames
from facesieve.erasure.exports import Touched, without_subject
from facesieve.erasure.journal import Journal
from facesieve.erasure.kernels.words import is_bare, pattern
from facesieve.erasure.ledger_rows import AUDIT
from facesieve.erasure.plan import export_roots, killed, own_places, places
from facesieve.erasure.proof import Proof, prove
from facesieve.erasure.rebase import Rebase, Rows
from facesieve.erasure.refusals import refuse_running, refuse_shared
from facesieve.erasure.rows import IN_ORDER, Leaving
from facesieve.erasure.selection import longer_names
from facesieve.erasure.source_files import delete_source
from facesieve.erasure.subject import Subject
from facesieve.erasure.tombstone_rows import bury
from facesieve.images.storage import Storage
from facesieve.lake import hadoop_files
from facesieve.lake.ledger import new_name
from facesieve.lake.session import scratch
from facesieve.lake.side_job import SideJob
from facesieve.lake.versions import Stamp

_log = logging.getLogger(__name__)

_TABLES = {table.name: table for table in tables.IN_LAKE}
_OF_THE_LEDGER = ("tables", "versions")
"""What is done where no image goes, but rows of the ledger."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what only this job is asked."""
    add_choice(parser)
    parser.add_argument("--apply", action="store_true", help="do it (without: say what would be done)")
    parser.add_argument("--with-source", action="store_true", help="delete the files below images.root as well")
    parser.add_argument("--proof", type=argument, default="", metavar="FILE", help="write what was looked at, as JSON")
    parser.add_argument("--close", action="store_true", help="end the erasure even if the proof finds something")
    parser.add_argument("--by", default="", metavar="NAME", help="who erases, for the table erased (run.operator)")
    parser.add_argument(
        "--basis", default="", metavar="TEXT", help="why, for the table erased; name no subject (run.basis)"
    )


def erase(job: SideJob, arguments: Namespace) -> Answer:
    """Erase a subject, finish an erasure that was killed, or say what would be done.

    Raises Refused beside a run or another erasure, and above `erase.max_images`; InvariantError if the proof finds
    something.
    """
    choice = Choice.of(arguments)
    if arguments.apply:
        choice.refuse_unconfirmed()
    _suit(job, *IN_ORDER)
    mark.tidy(job.spark, job.lake)
    place = mark.under_way(job.spark, job.lake)
    journal = journals.read(place) if place else None
    if journal is not None and journal.choice != choice.digest:
        raise Refused("another erasure has begun and not ended. Nothing was changed. Finish it with its own command.")
    shown = None
    if journal is None:
        subject, shown = choose(job, choice, arguments.config)
        if not subject.images:
            return nobody(shown)
        refuse_naming(subject, arguments, job.config.run)
        journal = _journal(subject, choice.digest, arguments, job.config.run)
    if not arguments.apply:
        refuse_shared(job)
        return dry_run(job, journal, shown, begun=bool(place))
    refuse_running(job)
    if not place:
        place, journal = begin(job, journal)
    return Erasure(job, journal, place, arguments, choice.kinds).carry_out()


def _suit(job: SideJob, *names: str) -> None:
    """Let Spark's plans from now on suit the rows of tables."""
    here = (job.lake.current(_TABLES[name]) for name in names)
    follow_rows(job.spark, sum(at.rows for at in here if at is not None))


def refuse_naming(subject: Subject, arguments: Namespace, audit: Audit) -> None:
    """Raise ConfigError if a text that stays names the subject: it is written again after the proof."""
    words = pattern((*(name for name in subject.names if not is_bare(name)), *subject.uris))
    texts = {"--by": arguments.by, "--basis": arguments.basis}
    texts |= {f"run.{name}": getattr(audit, name) for name in AUDIT}
    naming = [name for name, text in texts.items() if words and words.search(text)]
    if naming:
        fix = "Write of what kind the request is, without a name: the text stays in the lake."
        raise ConfigError([Fault(name, "names who is to be erased", fix) for name in naming])


def _journal(subject: Subject, choice: str, arguments: Namespace, audit: Audit) -> Journal:
    now = datetime.now(UTC)
    by, basis = arguments.by or audit.operator, arguments.basis or audit.basis
    return Journal(f"erase-{new_name(now)}", choice, now.isoformat(), subject, by=by, basis=basis)


def begin(job: SideJob, journal: Journal) -> tuple[str, Journal]:
    """Write the journal, then let all jobs see it; a run that has begun meanwhile wins."""
    refuse_shared(job)
    borne_ids.note(job.lake)
    idle.note(job, datetime.now(UTC))
    here = {table.name: at for table in tables.IN_LAKE if (at := job.lake.current(table)) is not None}
    versions = {name: (at.id, at.version) for name, at in here.items()}
    whole = replace(journal, versions=versions, renames=renames(job.lake, journal.subject.faces))
    place = scratch(job.config.lake)
    journals.write(place, whole)
    mark.begin(job.spark, job.lake, place)
    try:
        refuse_running(job)
    except Refused:
        mark.end(job.spark, job.lake)
        raise
    return place, whole


@dataclass
class Erasure:
    """An erasure that has begun, with its journal at a place. chosen_by: the ways in which its subject was chosen."""

    job: SideJob
    journal: Journal
    place: str
    arguments: Namespace
    chosen_by: str = "retention"
    touched: list[Touched] = field(default_factory=list)
    deleted: int = 0

    def carry_out(self) -> Answer:
        """Do all parts in order, prove the result, and end."""
        parts: Mapping[str, Callable[[], None]] = {
            "tombstones": lambda: bury(self.job, self.journal),
            "tables": self._rewrite,
            "versions": self._purge,
            "exports": self._exports,
            "scratch": self._scratch,
            "source": self._source,
        }
        for name in parts if self.journal.subject.images else _OF_THE_LEDGER:
            _log.info(f"erase: {name}")
            parts[name]()
        _log.info("erase: proof")
        proof = self._proved()
        self._end(proof)
        done = Done(self.journal, self.chosen_by, self.touched, self.deleted, proof)
        return done.answer(self.job.warnings)

    def _rewrite(self) -> None:
        """Let every table begin anew without the subject, each after the tables that it was made from."""
        job, at = self.job, dict[int, int]()
        subject, cosine = self.journal.subject, job.config.erase.proof_cosine
        leaving = Leaving(job.spark, job.lake, subject, self.journal.renames, cosine, at)
        for name in self._names():
            _suit(job, name)
            rebase = self._rebase(name)
            new = rebase.rewritten()
            if new is None:
                _log.info(f"erase: the table {name} is written anew")
                new = rebase.rewrite(leaving.rows(name, self._staying(name, rebase)), self._summary(_TABLES[name], at))
            at.update(dict.fromkeys(self.journal.versions.get(name, ()), new.id))

    def _summary(self, table: Table, at: Mapping[int, int]) -> dict[str, str]:
        """Return what the new version says of itself: it is of the run that made the former, with a key of its own."""
        former = self.job.lake.snapshot(table)
        if not former.key or former.key.startswith("snapshot:"):
            return {}
        inputs = {name: at[version] for name, version in former.inputs.items() if version in at}
        return Stamp(former.run, f"{self.journal.name}:{table.name}", inputs).summary()

    def _purge(self) -> None:
        _suit(self.job, tables.RUNS.name)
        for name in self._names():
            self._rebase(name).purge()

    def _names(self) -> list[str]:
        """Return the tables that begin anew: without an image that goes, the ledger alone."""
        names = IN_ORDER if self.journal.subject.images else (tables.RUNS.name,)
        return [name for name in names if self.job.lake.current(_TABLES[name]) is not None]

    def _staying(self, name: str, rebase: Rebase) -> Rows:
        rows = rebase.read()
        going = self.journal.runs if name == tables.RUNS.name else ()
        return Rows(rows.where(~F.col("run").isin(*going))) if going else rows

    def _rebase(self, name: str) -> Rebase:
        return Rebase(self.job.spark, self.job.lake.name_of(_TABLES[name]), self.journal.name)

    def _exports(self) -> None:
        for root in export_roots(self.job):
            self.touched += without_subject(Storage(root), self.journal.subject, apply=True)

    def _scratch(self) -> None:
        for folder in killed(self.job):
            hadoop_files.delete(self.job.spark, folder)

    def _source(self) -> None:
        if self.arguments.with_source:
            self.deleted = delete_source(self.job, self.journal.subject)

    def _proved(self) -> Proof:
        own = f"{self.place.rstrip('/')}/{journals.FILE}"
        cosine = self.job.config.erase.proof_cosine
        looked_at = places(self.job) if self.journal.subject.images else ()
        subject = self.journal.subject
        others = {*longer_names(self.job.lake, subject.names), *own_places(self.job)}
        proof = prove(self.job.spark, looked_at, subject, cosine, (own,), others)
        if self.arguments.proof:
            written = proof.record(subject) | {"erasure": self.journal.name, "began": self.journal.began}
            Path(self.arguments.proof).write_text(json.dumps(written, indent=1, sort_keys=True) + "\n", "utf-8")
        return proof

    def _end(self, proof: Proof) -> None:
        if not proof.hits or self.arguments.close:
            mark.end(self.job.spark, self.job.lake)
        if proof.hits:
            images = len(self.journal.subject.images)
            raise InvariantError(
                f"erase: the subject is still in {count(len(proof.hits))} files. --proof FILE lists them and what was "
                "found: a word alone may be another's. Look at each. Delete what is the subject's and no file of "
                "facesieve, and start the same command again, or end the erasure with --close.",
                {"applied": True, "images": images, "proof": proof.record(self.journal.subject)},
            )
