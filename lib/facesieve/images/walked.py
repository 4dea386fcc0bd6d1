"""The rows that a walk of a tree leaves in Spark, and what one look at them tells."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, NewType

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T
from pyspark.sql.pandas.types import to_arrow_schema

from facesieve.images.kinds import ARCHIVE
from facesieve.images.protocol import Ignored, IgnoredKind, Sort
from facesieve.images.tally import Tally
from facesieve.images.walk import Entry

Walked = NewType("Walked", DataFrame)
"""A row for each image, for each kind of what is left out, and for each link or archive that may be gone into.

The size of a kind is how many there are, its uri that of one of them. What may be gone into has no sort.
"""

WALKED = T.StructType(
    [
        T.StructField("uri", T.StringType()),
        T.StructField("size", T.LongType()),
        T.StructField("modified", T.TimestampType()),
        T.StructField("ignored", T.StringType()),
        T.StructField("sort", T.StringType()),
        T.StructField("identity", T.StringType()),
    ]
)

_ARROW = to_arrow_schema(WALKED)
_ROWS = 10_000  # rows of a batch that leaves the walk


class Seen(NamedTuple):
    """What one look at a walk tells: images, archives to be gone into, what is left out, and a digest of all."""

    images: int
    archives: int
    ignored: Ignored
    state: str | None


def batches_of(entries: Iterable[Entry], row: Callable[[Entry], Entry | None]) -> Iterator[pa.RecordBatch]:
    """Turn entries into batches of rows. Those of which `row` makes none are counted by kind."""
    tally, rows = Tally(), list[Entry]()
    for entry in entries:
        mine = row(entry)
        rows += [mine] if mine else []
        if not mine:
            tally.add(entry)
        elif len(rows) == _ROWS:
            yield _batch(rows)
            rows.clear()
    yield _batch(rows + tally.rows())


def _batch(entries: list[Entry]) -> pa.RecordBatch:
    values = [[getattr(entry, name) for entry in entries] for name in _ARROW.names]
    arrays = [pa.array(column, kind) for column, kind in zip(values, _ARROW.types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=_ARROW)


def row_of(entry: Entry) -> tuple[str, int | None, datetime | None, str | None, str | None, str | None]:
    """Return an entry as a row for `createDataFrame`."""
    time = None if entry.modified is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=entry.modified)
    sort = None if entry.sort is None else str(entry.sort)  # no StrEnum in Java
    return entry.uri, entry.size, time, entry.ignored, sort, entry.identity


def archives_in(batch: pa.RecordBatch) -> Iterator[Entry]:
    """Yield the entries of archives of which a batch has the rows."""
    times = batch.column("modified").cast(pa.int64()).to_pylist()
    for uri, size, time in zip(batch.column("uri").to_pylist(), batch.column("size").to_pylist(), times, strict=True):
        yield Entry(uri, size, time, ARCHIVE)


def archives_of(walked: Walked) -> Walked:
    """Return the rows of archives to be gone into."""
    return Walked(walked.where(F.col("ignored").eqNullSafe(ARCHIVE)))


def without_archives(walked: Walked) -> Walked:
    """Return all other rows."""
    return Walked(walked.where(~F.col("ignored").eqNullSafe(ARCHIVE)))


def seen(walked: Walked) -> Seen:
    """Look at all rows of a walk."""
    row = F.xxhash64("uri", "size", "modified")
    files = F.when(F.col("ignored").isNull(), F.lit(1)).otherwise(F.col("size"))
    counts = F.sum(files).alias("files"), F.min("uri").alias("example"), F.count("modified").alias("timed")
    # A row that stands twice falls out of an exclusive or, but not out of a sum.
    digests = F.bit_xor(row).alias("x"), F.sum(row.cast("decimal(38,0)")).alias("total"), F.count("*").alias("rows")
    by_kind = walked.groupBy("ignored", "sort").agg(*counts, *digests).collect()
    left = [IgnoredKind(kind.ignored, Sort(kind.sort), kind.files, kind.example) for kind in by_kind if kind.sort]
    ranked = sorted(left, key=lambda each: (-each.files, each.kind, each.sort))
    images = [(kind.files, kind.timed, kind.x, str(kind.total)) for kind in by_kind if kind.ignored is None]
    text = json.dumps([images, [(each.kind, each.files, each.example) for each in ranked]])
    total, timed = sum(each[0] for each in images), sum(each[1] for each in images)
    # A file without a time may have changed unseen.
    state = hashlib.sha256(text.encode()).hexdigest() if total == timed else None
    archives = sum(kind.rows for kind in by_kind if kind.ignored == ARCHIVE)
    return Seen(total, archives, Ignored(tuple(ranked)), state)
