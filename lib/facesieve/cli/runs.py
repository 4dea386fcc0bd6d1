"""runs: who did what to the lake, when, for what purpose and on what legal ground, as the ledger keeps it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from facesieve.core.console import Answer, aligned
from facesieve.lake.records import Act, RunRecord
from facesieve.lake.side_job import SideJob

_HEAD = ["at", "run", "what", "operator", "purpose", "basis"]


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what only this job is asked: nothing."""


def runs(job: SideJob, _arguments: Namespace) -> Answer:
    """Print every act in the order of its time; for programs, print the whole record of every row."""
    records = job.ledger.records()
    lines = [(record.run, act) for record in map(RunRecord.from_json, records) for act in acts_of(record)]
    rows = [[act.at[:19], run, act.what, act.operator, act.purpose, act.basis] for run, act in _in_order(lines)]
    text = aligned([_HEAD, *rows]) if rows else "There is no run in this lake yet."
    return Answer(text, {"runs": records})


def acts_of(record: RunRecord) -> list[Act]:
    """Return the acts of a record; of one of before 0.6.0 what its times tell, without a person or a purpose.

    >>> [act.what for act in acts_of(RunRecord(started="2026-11-24T08:15:00+00:00", status="done"))]
    ['done']
    """
    if record.acts is not None:
        return list(record.acts)
    began = [Act(at=record.started, what="started")] if record.ended else []
    return [*began, Act(at=record.ended or record.started, what=record.status)]


def _in_order(lines: Sequence[tuple[str, Act]]) -> list[tuple[str, Act]]:
    return sorted(lines, key=lambda line: (line[1].at, line[0]))
