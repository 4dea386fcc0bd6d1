"""One set of images in other people's forms: the verdicts of files, and the time that listing and embedding take.

    python tests/bench/sources.py [IMAGES [FORM...]]      # LFW's people with ten images and more; 1,000 by default

Each form is written by a tool of its own: zipfile, tarfile, webdataset, datasets, TensorFlow, and a writer of records
from the published description. The job cleans the form where it lies. Then it cleans plain files that bear the very
uris, since ids, and with them coins, come from uris. Every decision must be equal, to the bit.

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
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import datasets  # type: ignore[import-untyped]
import tensorflow as tf
import webdataset  # type: ignore[import-untyped]
from bench_environment import CONFIG, DATA, ROOT, session
from pack_writers import face_line, labelled, recordio
from results import note

from facesieve.cli import main as job
from facesieve.cluster.step import cluster
from facesieve.core import sections, tables
from facesieve.decide.step import decide
from facesieve.embed.step import embed
from facesieve.lake.catalog import Lake
from facesieve.link.step import link

PLACE = ROOT / "build" / "bench" / "sources"
LEAST, MOST, SHARD = 10, 20, 250
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
    for name in arguments[1:] or WRITERS:
        form, plain = f"form_{name}", f"files_{name}"
        of_form = cleaned(form, WRITERS[name](files, placed(name)))
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


def zipped(files: list[Path], place: Path) -> dict[str, object]:
    """Write one zip archive with a folder for each person."""
    with zipfile.ZipFile(place / "faces.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, f"{file.parent.name}/{file.name}")
    return {"images.root": place}


def tarred(files: list[Path], place: Path) -> dict[str, object]:
    """Write one tar archive with a folder for each person."""
    with tarfile.open(place / "faces.tar", "w") as archive:
        for file in files:
            archive.add(file, f"{file.parent.name}/{file.name}")
    return {"images.root": place}


def sharded(files: list[Path], place: Path) -> dict[str, object]:
    """Let webdataset write shards; the name of the person is the text of the sample."""
    with webdataset.ShardWriter(f"file:{place}/%06d.tar", maxcount=SHARD, verbose=0) as shards:
        for number, file in enumerate(files):
            shards.write({"__key__": f"{number:09d}", "jpg": file.read_bytes(), "txt": file.parent.name})
    return {"images.root": place, "images.format": "webdataset"}


def hugging(files: list[Path], place: Path) -> dict[str, object]:
    """Let datasets write Parquet with an image struct and names of labels."""
    people = sorted({file.parent.name for file in files})
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=people)})
    rows = {
        "image": [{"bytes": file.read_bytes(), "path": file.name} for file in files],
        "label": [people.index(file.parent.name) for file in files],
    }
    datasets.Dataset.from_dict(rows, features=features).to_parquet(str(place / "train.parquet"))
    return {"images.root": place, "images.format": "parquet"}


def recorded(files: list[Path], place: Path) -> dict[str, object]:
    """Write records as im2rec does; a person is a number."""
    people = sorted({file.parent.name for file in files})
    payloads = (
        labelled(people.index(file.parent.name), file.read_bytes(), number) for number, file in enumerate(files)
    )
    recordio(place, payloads)
    return {"images.root": place, "images.format": "recordio"}


def exampled(files: list[Path], place: Path) -> dict[str, object]:
    """Let TensorFlow write examples."""
    with tf.io.TFRecordWriter(str(place / "train.tfrecord")) as records:
        for file in files:
            values = {"image/encoded": file.read_bytes(), "image/class/text": file.parent.name.encode()}
            feature = {
                name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value])) for name, value in values.items()
            }
            records.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())
    return {"images.root": place, "images.format": "tfrecord"}


def lined(files: list[Path], place: Path) -> dict[str, object]:
    """Write lines of MS-Celeb-1M with seven cells; a person is a MID."""
    people = sorted({file.parent.name for file in files})
    with (place / "faces.tsv").open("wb") as lines:
        for number, file in enumerate(files):
            mid = f"m.{people.index(file.parent.name):05d}"
            lines.write(face_line(mid, number, "FaceId-0", file.read_bytes()))
    return {"images.root": place, "images.format": "msceleb"}


WRITERS: dict[str, Callable[[list[Path], Path], dict[str, object]]] = {
    "zip": zipped,
    "tar": tarred,
    "webdataset": sharded,
    "huggingface": hugging,
    "recordio": recorded,
    "tfrecord": exampled,
    "msceleb": lined,
}


if __name__ == "__main__":
    main(sys.argv[1:])
