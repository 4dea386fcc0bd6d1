"""The proof: every file below the lake's places is read, as bytes and as what it is, and searched for the subject."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql import types as T
from pyspark.sql.pandas.types import to_arrow_schema

from facesieve.core.frames import columns, many_tasks
from facesieve.erasure.exports import files_and_empty_folders
from facesieve.erasure.kernels.needles import Needles
from facesieve.erasure.looking import look
from facesieve.erasure.subject import Subject
from facesieve.images.storage import Storage

NOT_COVERED = (
    "former versions of objects that a bucket keeps, and its backups",
    "what the file system keeps of deleted files, snapshots of disks and other backups",
    "copies elsewhere: exports and reports that were moved or sent, tables that other programs made",
    "logs of Spark, of the cluster and of others",
    "models that were trained with the images",
    "pivots of linking, which are means of the faces of a cell and stay unless they are a vector of the subject",
    "aligned faces and other pictures made from an image, unless their name or their table tells the image",
    "perceptual hashes, which other images may share",
    "names inside a longer name of another, or inside a place or a setting of the job",
    "what is packed or spelt in a way of its own: bzip2, texts in UTF-16 or Latin-1, vectors written as text",
)
"""What no search of these places can tell."""

_FOUND = T.StructType(
    [
        *columns("root string, name string, form string, size bigint, problem string"),
        T.StructField("hits", T.ArrayType(T.StringType())),
    ]
)
_ARROW = to_arrow_schema(_FOUND)


@dataclass(frozen=True)
class Proof:
    """What was looked at, and what was found. hits: place of a file, and the kinds of what is in it."""

    places: Sequence[str]
    forms: dict[str, int]
    size: int
    unread: Sequence[tuple[str, str]]
    hits: Sequence[tuple[str, Sequence[str]]]

    def record(self, subject: Subject) -> dict[str, Any]:
        """Return it for programs: counts of what was looked for, never the subject itself."""
        sought = {"images": subject.images, "faces": subject.faces, "uris": subject.uris, "digests": subject.digests}
        return {
            "looked_for": {name: len(values) for name, values in sought.items()}
            | {"names": len(subject.names), "vectors": len(subject.vectors)},
            "looked_at": {"places": list(self.places), "files": self.forms, "bytes": self.size},
            "not_read_as_what_it_is": [{"file": file, "why": why} for file, why in self.unread],
            "not_covered": list(NOT_COVERED),
            "found": [{"file": file, "what": list(kinds)} for file, kinds in self.hits],
        }


def prove(
    spark: SparkSession,
    places: Sequence[str],
    subject: Subject,
    cosine: float,
    apart: Collection[str] = (),
    others: Collection[str] = (),
) -> Proof:
    """Look through all files below places, but for those `apart`: the journal of the erasure itself.

    others: longer names of others, and places, in which a name of the subject is not the subject's.
    """
    needles = _needles(subject, others)
    below = {place: files_and_empty_folders(Storage(place)) for place in places}
    rows = [
        (place, os.fsencode(name))
        for place, (names, _empty) in below.items()
        for name in names
        if f"{place.rstrip('/')}/{name}" not in apart
    ]
    listed = spark.createDataFrame(rows, "root string, name binary").repartition(many_tasks(spark))
    looked = listed.mapInArrow(partial(_look, needles=needles, cosine=cosine), _FOUND).collect()
    return Proof(
        places,
        dict(sorted(Counter(row.form for row in looked).items())),
        sum(row["size"] for row in looked),
        sorted((f"{row.root}/{row.name}", row.problem) for row in looked if row.problem),
        sorted([*_named(below, needles), *((f"{row.root}/{row.name}", tuple(row.hits)) for row in looked if row.hits)]),
    )


def _needles(subject: Subject, others: Collection[str]) -> Needles:
    """Say what is looked for. Of the words of others only those are sent that have a name of the subject inside."""
    longer = (each for each in others if any(name != each and name in each for name in subject.names))
    return Needles(
        frozenset((*subject.images, *subject.faces)),
        frozenset(subject.digests),
        frozenset(subject.uris),
        frozenset(subject.names),
        subject.vectors,
        frozenset(longer),
    )


def _named(below: Mapping[str, tuple[Sequence[str], Sequence[str]]], needles: Needles) -> Iterator[tuple[str, Any]]:
    """Yield the empty folders that are called after the subject, and what their names are."""
    for place, (_files, empty) in below.items():
        for folder in empty:
            if hits := needles.in_name(folder):
                yield f"{place}/{folder}/", tuple(hits)


def _look(batches: Iterable[pa.RecordBatch], needles: Needles, cosine: float) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for row in batch.to_pylist():
            content = Storage(row["root"]).content(row["name"])
            # A name that is no UTF-8 is shown with its bytes.
            name = row["name"].decode("utf-8", errors="backslashreplace")
            looked = look(name, content, needles, cosine)
            answer = {"root": row["root"], "name": name, "form": looked.form, "size": len(content)}
            answer |= {"problem": looked.problem}
            yield pa.RecordBatch.from_pylist([answer | {"hits": sorted(looked.hits)}], schema=_ARROW)
