"""What is listed of one set of images in other people's forms: bytes, identities, and the time against plain files.

    python tests/bench/listed_forms.py [IMAGES [FORM...]]      # LFW's people with ten images and more; 1,000 by default

The forms are those of `sources.py`. Each form and the files are listed in turns, five times. The bytes of every image
must be those of its file, and two images must share an identity if they share a folder, and only then.
"""

from __future__ import annotations

import hashlib
import shutil
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench_environment import DATA, session
from form_writers import WRITERS
from pyspark.sql import Row
from results import note
from sources import PLACE, lfw, placed

from facesieve.core.sections import Images
from facesieve.embed.listing import listing
from facesieve.images.sources import source

ROUNDS = 5


def main(arguments: list[str]) -> None:
    """List every form and the plain files in turns; print what differs, and the ratio of the medians of seconds."""
    if not DATA.exists():
        print(f"skipped: {DATA} does not exist")
        return
    files = lfw(int(arguments[0]) if arguments else 1_000)
    shutil.rmtree(PLACE, ignore_errors=True)
    expected = {hashlib.sha256(file.read_bytes()).hexdigest(): file.parent.name for file in files}
    plain = Images(root=str(copied(files, placed("plain"))))
    forms = {name: images_of(WRITERS[name](files, placed(name))) for name in arguments[1:] or WRITERS}
    ratios = {}
    for name, images in forms.items():
        pairs = [(timed(images), timed(plain)) for _ in range(1 + ROUNDS)][1:]
        form, file = (statistics.median(pair[side].seconds for pair in pairs) for side in (0, 1))
        ratios[name] = form / file
        told = f"{name:12} {len(files)} images, listed in {form:.2f} s, files in {file:.2f} s, ratio {form / file:.2f}"
        print(f"{told}; images that differ: {differing(pairs[0][0].rows, expected)}", flush=True)
    note("listed_forms", **ratios)


def differing(rows: Sequence[Row], expected: Mapping[str, str]) -> int:
    """Count images of foreign bytes, too many or too few, and people who were united or parted."""
    people = {(row.identity, expected.get(row.sha256)) for row in rows}
    united, parted = (len(people) - len({pair[side] for pair in people}) for side in (0, 1))
    return sum(row.sha256 not in expected for row in rows) + abs(len(rows) - len(expected)) + united + parted


class Timed(NamedTuple):
    """The rows of a listing, and the seconds that it took."""

    rows: list[Row]
    seconds: float


def timed(images: Images) -> Timed:
    """List a source as the job does."""
    began = time.monotonic()
    tree = source(images)
    tree.check()
    frame = listing(tree.images(session()), None, images, tree.fetch())
    rows = frame.select("uri", "identity", "sha256").collect()
    frame.unpersist()
    return Timed(rows, time.monotonic() - began)


def images_of(settings: Mapping[str, object]) -> Images:
    """Return the section of the configuration."""
    return Images(root=str(settings["images.root"]), format=str(settings.get("images.format", "files")))


def copied(files: list[Path], place: Path) -> Path:
    """Copy the files into a tree of their own."""
    for file in files:
        (place / file.parent.name).mkdir(exist_ok=True)
        shutil.copyfile(file, place / file.parent.name / file.name)
    return place


if __name__ == "__main__":
    main(sys.argv[1:])
