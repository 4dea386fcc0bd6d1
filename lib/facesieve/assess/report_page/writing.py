"""The data files of a page, once all is chosen: contact sheets, lists, and the summary last."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from facesieve import __version__
from facesieve.assess.report_page import lists
from facesieve.assess.report_page.changes import verdict_changes
from facesieve.assess.report_page.contents import Contents, Frames
from facesieve.assess.report_page.contract import Paged, Summary
from facesieve.assess.report_page.destination import write_data
from facesieve.assess.report_page.given_files import given_files
from facesieve.assess.report_page.judgements import judgements, reliability
from facesieve.assess.report_page.run_tables import RunTables
from facesieve.assess.report_page.scores import histograms
from facesieve.assess.report_page.sheets import Members, SheetStyle, write_sheets
from facesieve.assess.report_page.summary import soundness
from facesieve.core.console import count
from facesieve.images.storage import Storage
from facesieve.lake.side_job import SideJob

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """What the report is made of, and how."""

    job: SideJob
    target: Storage
    run: RunTables
    before: RunTables | None
    pictures: bool = False
    blur: bool = False

    @property
    def names(self) -> bool:
        """Whether names of folders and files may be shown."""
        return self.job.config.report.names


@dataclass(frozen=True)
class Sheets:
    """The rows of the contact sheets, persisted, and the images that have a picture."""

    rows: Members
    pictures: frozenset[int] = frozenset()


def write_page(asked: Asked, shared: Frames, chosen: Contents, sheets: Sheets) -> Summary:
    """Write all data files; return the summary, which is one of them."""
    target = asked.target
    style = SheetStyle(asked.job.config.report.sheet_images, asked.names, sheets.pictures)
    number, size = write_sheets(sheets.rows, target, style)
    sheets.rows.unpersist()
    _log.info(f"report: {count(number)} contact sheets, {size / 1e6:.1f} MB")
    paged = {
        "queue": lists.write_queue(target, chosen),
        "groups": lists.write_groups(target, chosen),
        "pairs": lists.write_pairs(target, chosen),
        "folders": lists.write_names(target, shared.groups, names=asked.names),
    }
    summary = _summary(asked, shared, chosen, paged, len(sheets.pictures))
    write_data(target, "summary", summary)
    return summary


def _summary(asked: Asked, shared: Frames, chosen: Contents, paged: dict[str, Paged], pictures: int) -> Summary:
    run, before = asked.run, asked.before
    files = given_files(asked.job, run.record, names=asked.names)
    sound = soundness(run, before, shared.groups)
    judged = judgements(run, before, shared.images, files, names=asked.names)
    fields: dict[str, Any] = sound.fields | _of_run(run) | paged
    # What went wrong with pictures and files is a warning of the report's own.
    fields["warnings"] += [{"code": "report", "values": {}, "text": text} for text in asked.job.warnings]
    return Summary(
        version=__version__,
        before=before.run if before else None,
        pictures=bool(pictures),
        blur=asked.blur,
        names=asked.names,
        identities=sound.totals["folders"] > 0,
        totals=sound.totals | {"shown_pictures": pictures},
        changes=_changes(asked, chosen),
        histograms=histograms(run),
        reliability=reliability(run, before),
        judgements=judged,
        files=dict(files.texts),
        merge=files.merge,
        **fields,
    )


def _of_run(run: RunTables) -> dict[str, Any]:
    """Name, status and times of the run; times are null for a run whose record tells none."""
    record = run.record
    return {"run": run.run, "status": "done", "started": _utc(record.started), "ended": _utc(record.ended)}


def _utc(written: str | None) -> str | None:
    """Write a time of the ledger to the second.

    >>> _utc("2026-11-29T18:00:00.5+00:00"), _utc("")
    ('2026-11-29T18:00:00Z', None)
    """
    return f"{datetime.fromisoformat(written).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if written else None


def _changes(asked: Asked, chosen: Contents) -> dict[str, Any] | None:
    if asked.before is None:
        return None
    clusters = {"clusters_split": chosen.changes.split, "clusters_merged": chosen.changes.merged}
    return verdict_changes(asked.run, asked.before) | clusters
