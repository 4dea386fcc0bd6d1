"""One set of images in other people's forms: the verdicts of files, and the time that listing and embedding take.

    python tests/bench/sources.py [IMAGES [FORM...]]      # LFW's people with ten images and more; 1,000 by default

The forms are those of `form_writers.py`, or a folder that img2dataset wrote (`FORM=FOLDER`, with the pictures as they
were). The job cleans the form where it lies. Then it cleans plain files that bear the very uris, since ids, and with
them coins, come from uris. Every decision must be equal, to the bit.

All runs share one Spark session, and a first run on other files warms it up.
`listed_forms.py` compares what is listed alone, in minutes.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench_environment import CONFIG, DATA, ROOT, session
from form_writers import WRITERS, zipped
from results import note

from facesieve.cli import main as job
from facesieve.cluster.step import cluster
from facesieve.core import sections, tables
from facesieve.decide.step import decide
from facesieve.embed.step import embed
from facesieve.lake.catalog import Lake
from facesieve.link.step import link

PLACE = ROOT / "build" / "bench" / "sources"
LEAST, MOST = 10, 20
DECIDED = ("image_id", "uri", "identity", "verdict", "reasons", "face_id", "moved_to", "kept_image_id", "confidence")


def main(arguments: list[str]) -> None:
    """Clean each form, and files of the same names."""
    if not DATA.exists():
        print(f"skipped: {DATA} does not exist")
        return
    files = lfw(int(arguments[0]) if arguments else 1_000)
    print(f"{len(files)} images of {len({file.parent for file in files})} people")
    shutil.rmtree(PLACE, ignore_errors=True)
    session()
    cleaned("warm", zipped(files[:LEAST], placed("warm")))
    ratios = {}
    for argument in arguments[1:] or WRITERS:
        name, _, folder = argument.partition("=")
        form, plain = (f"{side}_{name}".replace(".", "_") for side in ("form", "files"))
        written = WRITERS[name]([] if folder else files, placed(name))
        of_form = cleaned(form, {**written, "images.root": folder} if folder else written)
        of_files = cleaned(plain, as_files(form, files, PLACE / name))
        rows, differ = decided(form), len(set(decided(form)) ^ set(decided(plain)))
        ratios[name] = of_form / of_files
        seconds = f"embed {of_form:.1f} s, as files {of_files:.1f} s"
        print(f"{name:12} {seconds}; decisions that differ: {differ}", flush=True)
        if differ or len(rows) != len(files):
            sys.exit(1)
    note("sources", **ratios)


def lfw(images: int) -> list[Path]:
    """The first images of people who have many."""
    everybody = sorted((DATA / "lfw" / "images").iterdir())
    return [file for each in everybody if len(own := sorted(each.iterdir())) >= LEAST for file in own[:MOST]][:images]


def placed(name: str) -> Path:
    """Make the folder of a form."""
    (PLACE / name / "form").mkdir(parents=True)
    return PLACE / name / "form"


def cleaned(name: str, settings: Mapping[str, object]) -> float:
    """Run all steps but publish in a namespace; return the seconds of listing and embedding."""
    fixed = {"lake.root": PLACE / "lake", "embed.detector": "aligned", "link.scope": "identity"}
    sets = {**fixed, "lake.namespace": name, **settings}
    arguments = [part for key, value in sets.items() for part in ("--set", f"{key}={value}")]
    with contextlib.redirect_stdout(io.StringIO()) as written:
        code = job.main((embed, link, cluster, decide), "", ["--config", CONFIG, "--json", *arguments])
    if code:
        sys.exit(f"{name}: the run ended with exit code {code}")
    record: dict[str, Any] = json.loads(written.getvalue())
    return float(record["stages"]["embed"]["seconds"])


def rows_of(name: str, table: tables.Table, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Read columns of a table of a namespace."""
    lake = Lake(session(), sections.Lake(namespace=name))
    return [row.asDict() for row in lake.read(table, lake.snapshot(table)).select(*columns).collect()]


def decided(name: str) -> list[str]:
    """Every decision of a namespace as text: floats equal to the bit, or not equal."""
    return sorted(map(str, rows_of(name, tables.DECISIONS, DECIDED)))


def as_files(name: str, files: list[Path], place: Path) -> dict[str, object]:
    """Copy each image to its uri in the form, and write its identity there into a file of labels."""
    by_digest = {hashlib.sha256(file.read_bytes()).hexdigest(): file for file in files}
    with (place / "labels.csv").open("w", newline="", encoding="utf-8") as labels:
        lines = csv.writer(labels)
        lines.writerow(("uri", "identity"))
        for row in rows_of(name, tables.LISTING, ("uri", "identity", "sha256")):
            target = place / "files" / row["uri"]
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(by_digest[row["sha256"]], target)
            lines.writerow((row["uri"], row["identity"]))
    return {"images.root": place / "files", "images.labels": place / "labels.csv"}


if __name__ == "__main__":
    main(sys.argv[1:])
