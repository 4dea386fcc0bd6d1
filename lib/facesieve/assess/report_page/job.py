"""report: a folder with one static page that shows what a finished run decided, and what to look at first."""

from __future__ import annotations

import logging
from argparse import ArgumentParser, Namespace
from typing import Any

from facesieve.assess.finished_run import add_run
from facesieve.assess.report_page import lists
from facesieve.assess.report_page.contents import contents, frames
from facesieve.assess.report_page.contract import Summary
from facesieve.assess.report_page.destination import claim, write_assets
from facesieve.assess.report_page.fiftyone import write_fiftyone
from facesieve.assess.report_page.pictures import with_pictures
from facesieve.assess.report_page.run_tables import run_before, run_tables
from facesieve.assess.report_page.writing import Asked, write_page
from facesieve.core.console import Answer, count
from facesieve.core.errors import ConfigError, Fault
from facesieve.core.frames import follow_rows
from facesieve.core.places import argument
from facesieve.lake.side_job import SideJob

_log = logging.getLogger(__name__)


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what only this job is asked."""
    parser.add_argument("--out", type=argument, required=True, metavar="DIR", help="folder of the report; path or URI")
    parser.add_argument("--pictures", action="store_true", help="with crops of faces from the source (personal data)")
    parser.add_argument("--blur", action="store_true", help="blur the crops, for demonstrations")
    parser.add_argument("--fiftyone", action="store_true", help="write the crops as fiftyone loads them, too")
    add_run(parser)


def report(job: SideJob, arguments: Namespace) -> Answer:
    """Write the report of a finished run into a folder; the lake stays as it is."""
    _refuse(arguments)
    run = run_tables(job, arguments.run)
    target = claim(arguments.out)
    follow_rows(job.spark, run.listing.count())
    asked = Asked(job, target, run, run_before(job, run), pictures=arguments.pictures, blur=arguments.blur)
    shared = frames(run)
    _log.info("report: choosing what to look at first")
    chosen = contents(run, asked.before, shared, job.config.report)
    chosen, sheets = with_pictures(asked, shared, chosen)
    summary = write_page(asked, shared, chosen, sheets)
    if arguments.fiftyone:
        write_fiftyone(target, run.run, lists.entries(chosen))
    shared.unpersist()
    write_assets(target)
    record = _record(arguments, summary, job.warnings)
    return Answer(_text(record), record)


def _refuse(arguments: Namespace) -> None:
    wanting = [f"--{name}" for name in ("blur", "fiftyone") if getattr(arguments, name) and not arguments.pictures]
    if wanting:
        raise ConfigError([Fault(name, "asks for pictures", "Add --pictures.") for name in wanting])


def _record(arguments: Namespace, summary: Summary, warnings: list[str]) -> dict[str, Any]:
    shown = {name: getattr(summary, name).entries for name in ("queue", "groups", "pairs")}
    return {
        "run": summary.run,
        "before": summary.before,
        "out": arguments.out,
        "images": summary.totals["images"],
        "pictures": summary.totals["shown_pictures"],
        "names": summary.names,
        "warnings": warnings,
        **shown,
    }


def _text(record: dict[str, Any]) -> str:
    lines = [
        f"Report of the run {record['run']}: {record['out'].rstrip('/')}/index.html",
        f"{count(record['images'])} images; {count(record['queue'])} questions in the queue,"
        f" {count(record['groups'])} folders and clusters, {count(record['pairs'])} pairs,"
        f" {count(record['pictures'])} pictures",
    ]
    if record["pictures"]:
        lines.append("The folder holds faces of people: keep it as you keep the images.")
    return "\n\n".join([*lines, *(f"WARNING: {text}" for text in record["warnings"])])
