"""subject: what is held about a person, as JSON and as a page, for a request of access. Nothing is changed.

The files are created for their owner alone.
"""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from facesieve.core.console import Answer, count
from facesieve.core.errors import ConfigError, Fault, Refused
from facesieve.core.places import argument, is_uri
from facesieve.erasure import mark
from facesieve.erasure.access.collection import collect
from facesieve.erasure.access.images import images_of
from facesieve.erasure.access.page import page
from facesieve.erasure.access.shown import Shown
from facesieve.erasure.access.versions import exports_of, runs_of, versions_of
from facesieve.erasure.selection import subject_of
from facesieve.erasure.selectors import Selectors, add_selectors
from facesieve.erasure.subject import Subject
from facesieve.lake.side_job import SideJob

NOT_COVERED = (
    "images that show the person and were not chosen, as under another name",
    "backups, former versions of objects that a bucket keeps, and copies elsewhere",
    "reports, logs, and models that were trained with the images",
    "means of many faces, which linking keeps",
)
"""What this cannot tell."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what only this job is asked."""
    add_selectors(parser)
    parser.add_argument(
        "--out", type=argument, required=True, metavar="DIR", help="folder for subject.json and index.html"
    )


def subject(job: SideJob, arguments: Namespace) -> Answer:
    """Write what is held about a person. Raises Refused beside an erasure and above `erase.max_images`."""
    selectors, folder = _selectors(arguments), _folder(arguments.out)
    mark.refuse_beside(job.spark, job.lake)
    person = _person(job, selectors)
    if not person.images:
        return Answer("The lake holds no image that the selectors choose.", {"images": 0})
    record = record_of(job, selectors, person)
    written = {"subject.json": json.dumps(record, indent=1, sort_keys=True) + "\n", "index.html": page(record)}
    for name, text in written.items():
        _write(folder, name, text)
    counts = {name: len(record[name]) for name in ("images", "tables", "exports", "runs")}
    text = f"{count(counts['images'])} images: {folder / 'subject.json'} and {folder / 'index.html'}"
    return Answer(text, counts | {"out": str(folder), "warnings": job.warnings})


def record_of(job: SideJob, selectors: Selectors, person: Subject) -> dict[str, Any]:
    """Return all that is held, as plain values."""
    collected, versions = collect(job.lake, person), versions_of(job, person)
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "asked_for": {name: list(values) for name, values in asdict(selectors).items() if values},
        "images": images_of(collected, Shown(selectors, person)),
        "edges": dict(zip(("own", "with_other_images"), collected.linked, strict=True)),
        "tables": versions,
        "exports": exports_of(job, person),
        "runs": runs_of(job, versions),
        "not_covered": list(NOT_COVERED),
    }


def _selectors(arguments: Namespace) -> Selectors:
    if not any(getattr(arguments, name) for name in Selectors.__dataclass_fields__):
        raise ConfigError([Fault("--identity", "nothing says whose data is asked for", "Give one of the selectors.")])
    return Selectors.of(arguments)


def _person(job: SideJob, selectors: Selectors) -> Subject:
    most = job.config.erase.max_images
    try:
        return subject_of(job.lake, selectors, most)
    except Refused as problem:
        raise Refused(
            f"more images are chosen than erase.max_images ({most}). Nothing was written. Check the selectors, or "
            "raise erase.max_images."
        ) from problem


def _folder(place: str) -> Path:
    """Make the folder, for its owner alone if it is new. Raises ConfigError where that cannot be."""
    fix = "Name a folder of this machine that this job may write."
    if is_uri(place):
        raise ConfigError([Fault("--out", f"{place} is no folder of this machine", fix)])
    folder = Path(place)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as problem:
        raise ConfigError([Fault("--out", f"{place} cannot be made ({type(problem).__name__})", fix)]) from None
    return folder


def _write(folder: Path, name: str, text: str) -> None:
    """Write a file anew, which nobody but its owner can read at any time."""
    aside = folder / f".{name}.{os.getpid()}"
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    aside.replace(folder / name)
