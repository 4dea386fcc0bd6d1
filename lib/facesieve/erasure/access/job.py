"""subject: what is held about a person, as JSON and as a page, for a request of access. Nothing is changed.

The files are created for their owner alone. A photograph only shows who is near it: nothing is written before a person
has looked and confirmed.
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
from facesieve.core.errors import ConfigError, Fault
from facesieve.core.hidden_paths import path_seal
from facesieve.core.places import argument, is_uri
from facesieve.erasure import mark
from facesieve.erasure.access.collection import collect
from facesieve.erasure.access.images import images_of
from facesieve.erasure.access.page import page
from facesieve.erasure.access.shown import Shown
from facesieve.erasure.access.versions import exports_of, runs_of, versions_of
from facesieve.erasure.answers import nobody
from facesieve.erasure.choice import Choice, Chosen, add_choice, choose
from facesieve.erasure.probe import digest_of
from facesieve.erasure.subject import Subject
from facesieve.lake.side_job import SideJob

NOT_COVERED = (
    "images that show the person and were not chosen, as under another name",
    "backups, former versions of objects that a bucket keeps, and copies elsewhere",
    "reports, logs, and models that were trained with the images",
    "means of many faces, which linking keeps",
)
"""What this cannot tell."""
_FIX = "Name a folder of this machine that this job may write."


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what only this job is asked."""
    add_choice(parser)
    parser.add_argument(
        "--out", type=argument, required=True, metavar="DIR", help="folder for subject.json and index.html"
    )


def subject(job: SideJob, arguments: Namespace) -> Answer:
    """Write what is held about a person, or show whom a photograph is near.

    Raises Refused beside an erasure and above `erase.max_images`.
    """
    choice = Choice.of(arguments)
    _refuse_uri(arguments.out)
    mark.refuse_beside(job.spark, job.lake)
    chosen = choose(job, choice, arguments.config)
    if choice.unconfirmed or not chosen.subject.images:
        return _shown(job, chosen)
    folder = _folder(arguments.out)
    return _written(job, record_of(job, choice, chosen.subject), folder)


def _shown(job: SideJob, chosen: Chosen) -> Answer:
    """Show the candidates without their names; nothing else is told before they are confirmed."""
    shown = chosen.shown.nameless() if chosen.shown else None
    images = len(chosen.subject.images)
    if shown is None or not images:
        return nobody(shown)
    digest = digest_of(chosen.subject.images)
    tail = (
        f"{count(images)} images would be told of. Nothing was written; --confirm {digest} writes it. "
        "The table listing has the paths of the images."
    )
    record = shown.record() | {"images": images, "digest": digest, "warnings": job.warnings}
    return Answer(f"{shown.text()}\n\n{tail}", record)


def _written(job: SideJob, record: dict[str, Any], folder: Path) -> Answer:
    written = {"subject.json": json.dumps(record, indent=1, sort_keys=True) + "\n", "index.html": page(record)}
    for name, text in written.items():
        _write(folder, name, text)
    counts = {name: len(record[name]) for name in ("images", "tables", "exports", "runs")}
    text = f"{count(counts['images'])} images: {folder / 'subject.json'} and {folder / 'index.html'}"
    return Answer(text, counts | {"out": str(folder), "warnings": job.warnings})


def record_of(job: SideJob, choice: Choice, person: Subject) -> dict[str, Any]:
    """Return all that is held, as plain values. A probe's photograph is not named, and nothing is compared with it."""
    collected, versions = collect(job.lake, person), versions_of(job, person)
    lake = job.config.lake
    shown = Shown(choice.selectors, person, choice.pseudonyms(lake), path_seal(lake))
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "asked_for": _asked_for(choice),
        "images": images_of(collected, shown),
        "edges": dict(zip(("own", "with_other_images"), collected.linked, strict=True)),
        "tables": versions,
        "exports": exports_of(job, person),
        "runs": runs_of(job, versions),
        "not_covered": list(NOT_COVERED),
    }


def _asked_for(choice: Choice) -> dict[str, list[Any]]:
    asked = {name: list(values) for name, values in asdict(choice.selectors).items() if values}
    probe = choice.probe
    return asked | ({"probe": [f"photographs: {len(probe.places)}, cosine: {probe.cosine:g}"]} if probe else {})


def _refuse_uri(place: str) -> None:
    if is_uri(place):
        raise ConfigError([Fault("--out", f"{place} is no folder of this machine", _FIX)])


def _folder(place: str) -> Path:
    """Make the folder, for its owner alone if it is new. Raises ConfigError where that cannot be."""
    folder = Path(place)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as problem:
        raise ConfigError([Fault("--out", f"{place} cannot be made ({type(problem).__name__})", _FIX)]) from None
    return folder


def _write(folder: Path, name: str, text: str) -> None:
    """Write a file anew, which nobody but its owner can read at any time."""
    aside = folder / f".{name}.{os.getpid()}"
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    aside.replace(folder / name)
