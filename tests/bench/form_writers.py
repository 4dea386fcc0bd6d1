"""One set of images in the forms that other people's tools write, each by a tool of its own.

The tools are zipfile, tarfile, webdataset, datasets, pyarrow and TensorFlow. Writers from the published descriptions
write records and lines. A writer takes the files of people, each in a folder of the person, and an empty folder. It
returns the settings by which the job reads what it wrote.
"""

from __future__ import annotations

import base64
import hashlib
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import datasets  # type: ignore[import-untyped]
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf
import webdataset  # type: ignore[import-untyped]
from pack_writers import face_line, labelled, recordio

SHARD = 60


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


def tarred_and_zipped(files: list[Path], place: Path) -> dict[str, object]:
    """Write a compressed tar archive for every three people."""
    people = sorted({file.parent.name for file in files})
    for first in range(0, len(people), 3):
        with tarfile.open(place / f"{first:03d}.tar.gz", "w:gz") as archive:
            for file in (each for each in files if each.parent.name in people[first : first + 3]):
                archive.add(file, f"{file.parent.name}/{file.name}")
    return {"images.root": place}


def sharded(files: list[Path], place: Path) -> dict[str, object]:
    """Let webdataset write shards; the name of the person is the text of the sample."""
    with webdataset.ShardWriter(f"file:{place}/%06d.tar", maxcount=SHARD, verbose=0) as shards:
        for number, file in enumerate(files):
            shards.write({"__key__": f"{number:09d}", "jpg": file.read_bytes(), "txt": file.parent.name})
    return {"images.root": place, "images.format": "webdataset"}


def downloaded(files: list[Path], place: Path) -> dict[str, object]:
    """Let webdataset write shards as img2dataset has them: picture, caption, and what it noted of the download."""
    for shard in range(0, len(files), SHARD):
        name = f"{shard // SHARD:05d}"
        rows = [_noted(file, f"{name}{at:04d}") for at, file in enumerate(files[shard : shard + SHARD])]
        with webdataset.TarWriter(str(place / f"{name}.tar")) as samples:
            for file, row in zip(files[shard:], rows, strict=False):
                texts = {"txt": file.parent.name, "json": json.dumps(row).encode()}
                samples.write({"__key__": row["key"], "jpg": file.read_bytes(), **texts})
        pq.write_table(pa.Table.from_pylist(rows), place / f"{name}.parquet")
        (place / f"{name}_stats.json").write_text(json.dumps({"count": len(rows), "successes": len(rows)}))
    return {"images.root": place, "images.format": "webdataset", "images.columns.identity": "caption"}


def downloaded_rows(files: list[Path], place: Path) -> dict[str, object]:
    """Write Parquet files as img2dataset has them."""
    for shard in range(0, len(files), SHARD):
        name = f"{shard // SHARD:05d}"
        mine = files[shard : shard + SHARD]
        rows = [{**_noted(file, f"{name}{at:04d}"), "jpg": file.read_bytes()} for at, file in enumerate(mine)]
        pq.write_table(pa.Table.from_pylist(rows), place / f"{name}.parquet")
    return {"images.root": place, "images.format": "parquet", "images.columns.identity": "caption"}


def _noted(file: Path, key: str) -> dict[str, object]:
    """Return what img2dataset 1.47 notes of a picture that it left as it was."""
    address = f"http://127.0.0.1/{file.parent.name}/{file.name}"
    row = {"caption": file.parent.name, "url": address, "key": key, "status": "success", "error_message": None}
    return {**row, "exif": "{}", "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}


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


def searched(files: list[Path], place: Path) -> dict[str, object]:
    """Write lines of MS-Celeb-1M with six cells, the third of which is the rank of a search."""
    return _six(files, place, lambda name, number: (name.lower(), str(number), "http://i", "http://p"))


def aligned(files: list[Path], place: Path) -> dict[str, object]:
    """Write lines of MS-Celeb-1M with six cells, the third of which is the address of an image."""
    rectangle = base64.b64encode(bytes(16)).decode()
    return _six(files, place, lambda name, number: (name, f"http://i/{number}", f"FaceId-{number}", rectangle))


def _six(files: list[Path], place: Path, cells: Callable[[str, int], tuple[str, ...]]) -> dict[str, object]:
    people = sorted({file.parent.name for file in files})
    with (place / "faces.tsv").open("wb") as lines:
        for number, file in enumerate(files):
            mid = f"m.{people.index(file.parent.name):05d}"
            picture = base64.b64encode(file.read_bytes()).decode()
            lines.write("\t".join((mid, *cells(file.parent.name, number), picture)).encode() + b"\n")
    return {"images.root": place, "images.format": "msceleb"}


WRITERS: dict[str, Callable[[list[Path], Path], dict[str, object]]] = {
    "zip": zipped,
    "tar": tarred,
    "tar.gz": tarred_and_zipped,
    "webdataset": sharded,
    "img2dataset": downloaded,
    "img2dataset_rows": downloaded_rows,
    "huggingface": hugging,
    "recordio": recorded,
    "tfrecord": exampled,
    "msceleb": lined,
    "msceleb_searched": searched,
    "msceleb_aligned": aligned,
}
