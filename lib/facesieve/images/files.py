"""A tree of image files, on a local disk or behind any file system that pyarrow knows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import NamedTuple

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T
from pyspark.sql.pandas.types import to_arrow_schema

from facesieve.core.errors import ConfigError, Fault
from facesieve.core.frames import many_tasks
from facesieve.images import kinds, left_out
from facesieve.images.links import MOST_LINKS, Links, walk_all
from facesieve.images.parts import parts
from facesieve.images.protocol import Fetch, Ignored, IgnoredKind, Sort, SourceImages
from facesieve.images.rules import Rules
from facesieve.images.storage import Storage, why_unreadable
from facesieve.images.tally import Tally
from facesieve.images.uris import to_name
from facesieve.images.walk import Entry, Part, Place, walk

_ROWS = 10_000  # rows of a batch that leaves the walk
_PARTS = "folder string, deep boolean, share int, shares int"
_WALKED = T.StructType(
    [
        T.StructField("uri", T.StringType()),
        T.StructField("size", T.LongType()),
        T.StructField("modified", T.TimestampType()),
        T.StructField("ignored", T.StringType()),
        T.StructField("sort", T.StringType()),
    ]
)
"""A row for each image, for each kind of what is left out, and for each link to a folder that may be followed.

The size of a kind is how many there are, its uri that of one of them. A link that may be followed has no sort.
"""

_WALKED_ARROW = to_arrow_schema(_WALKED)


@dataclass
class FileTree:
    """A tree of image files. It is walked once, by Spark jobs of its own; the result is kept for `ignored`."""

    root: str
    rules: Rules
    _walked: DataFrame | None = field(default=None, init=False, repr=False)
    _seen: _Seen | None = field(default=None, init=False, repr=False)

    @property
    def carries_content(self) -> bool:
        """Files are fetched by the workers."""
        return False

    def check(self) -> None:
        """Raise ConfigError if the root is not there, is no folder, or holds no image."""
        problem = why_unreadable(self.root)
        if problem:
            raise ConfigError([Fault("images.root", problem, "Give the folder that holds the images.")])
        tally = Tally()
        for entry in walk_all(Storage(self.root), self.rules):
            if entry.ignored is None:
                return
            tally.add(entry)
        raise ConfigError([_no_image(self.root, tally.ignored(), self.rules)])

    def images(self, spark: SparkSession, *, content: bool = True) -> SourceImages:
        """Return one row per image file; size is null where the file's state cannot be read."""
        walked = self._walk(spark)
        images = walked.where(F.col("ignored").isNull()).select(
            "uri",
            "size",
            "modified",
            F.lit(None).cast("string").alias("identity"),
            F.lit(None).cast("binary").alias("content"),
        )
        return SourceImages(images)

    def rows(self) -> int | None:
        """Nothing but the walk itself tells."""
        return None

    def count(self, spark: SparkSession) -> int:
        """Return how many image files there are."""
        return self._look(spark).images

    def state(self, spark: SparkSession) -> str | None:
        """Digest names, sizes and times of all images, and what is left out."""
        return self._look(spark).state

    def ignored(self, spark: SparkSession) -> Ignored:
        """Count the files that are no images, links that are not followed, unreadable folders and the like, by kind."""
        return self._look(spark).ignored

    def fetch(self) -> Fetch:
        """Return a function from uri to the file's content."""
        return _Files(Storage(self.root))

    def _look(self, spark: SparkSession) -> _Seen:
        if self._seen is None:
            self._seen = _seen(self._walk(spark))
        return self._seen

    def _walk(self, spark: SparkSession) -> DataFrame:
        if self._walked is None:
            follow = self.rules.follow_links and Storage(self.root).folder is not None
            self._walked = self._with_links(spark) if follow else self._round(spark, [""], frozenset())
        return self._walked

    def _with_links(self, spark: SparkSession) -> DataFrame:
        """Walk the root, then what its links lead to, and so on."""
        links, starts = Links(Storage(self.root), self.rules), [""]
        rounds = list[DataFrame]()
        while starts:
            walked = self._round(spark, starts, links.cut)
            onward = walked.where(F.col("ignored").isNotNull() & F.col("sort").isNull()).select("uri")
            more = [row.uri for row in onward.orderBy("uri").limit(MOST_LINKS).collect()]
            starts = links.follow(more)
            listed = sorted(set(more) - set(starts))
            tally = Tally()
            tally.count(kinds.LINK_LISTED, Sort.NO_IMAGE, len(listed), listed[0] if listed else "")
            tally.count(kinds.LINK_TO_FOLDER, Sort.MAYBE, onward.count() - len(more), more[-1] if more else "")
            counts = [
                (row.uri, row.size, None, row.ignored, str(row.sort)) for row in tally.rows()
            ]  # no StrEnum in Java
            rounds += [walked, spark.createDataFrame(counts, _WALKED)]
        return reduce(DataFrame.union, rounds)

    def _round(self, spark: SparkSession, starts: Sequence[str], cut: frozenset[Place]) -> DataFrame:
        tasks = many_tasks(spark)
        rows = parts(Storage(self.root), tasks, starts, cut)
        dealt = spark.sparkContext.parallelize(rows[::-1], min(len(rows), tasks))
        walker = _walker(self.root, self.rules, cut)
        return spark.createDataFrame(dealt, _PARTS).mapInArrow(walker, _WALKED).persist()


class _Seen(NamedTuple):
    """What one look at a walk tells: how many images, what is left out, and a digest of all."""

    images: int
    ignored: Ignored
    state: str | None


def _seen(walked: DataFrame) -> _Seen:
    row = F.xxhash64("uri", "size", "modified")
    files = F.when(F.col("ignored").isNull(), F.lit(1)).otherwise(F.col("size"))
    counts = F.sum(files).alias("files"), F.min("uri").alias("example"), F.count("modified").alias("timed")
    # A row that stands twice falls out of an exclusive or, but not out of a sum.
    digests = F.bit_xor(row).alias("x"), F.sum(row.cast("decimal(38,0)")).alias("total")
    by_kind = walked.groupBy("ignored", "sort").agg(*counts, *digests).collect()
    left = [IgnoredKind(kind.ignored, Sort(kind.sort), kind.files, kind.example) for kind in by_kind if kind.sort]
    ranked = sorted(left, key=lambda each: (-each.files, each.kind, each.sort))
    images = [(kind.files, kind.timed, kind.x, str(kind.total)) for kind in by_kind if kind.ignored is None]
    text = json.dumps([images, [(each.kind, each.files, each.example) for each in ranked]])
    total, timed = sum(each[0] for each in images), sum(each[1] for each in images)
    # A file without a time may have changed unseen.
    state = hashlib.sha256(text.encode()).hexdigest() if total == timed else None
    return _Seen(total, Ignored(tuple(ranked)), state)


@dataclass(frozen=True)
class _Files:
    storage: Storage

    def __call__(self, uri: str) -> bytes:
        return self.storage.content(to_name(uri))


def _no_image(root: str, ignored: Ignored, rules: Rules) -> Fault:
    there = f", but {left_out.counts(ignored)}" if ignored.files else ""
    suffixes = ", ".join(sorted(rules.suffixes))
    other = f"Give a folder with files that end in one of images.suffixes ({suffixes}), or change those."
    return Fault("images.root", f"{root} holds no image{there}", " ".join(left_out.fixes(ignored)) or other)


def _walker(
    root: str, rules: Rules, cut: frozenset[Place]
) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    def walked(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        storage, tally, rows = Storage(root), Tally(), list[Entry]()
        for batch in batches:
            for part in batch.to_pylist():
                for entry in walk(storage, Part(**part), rules, cut):
                    row = _row(entry, rules)
                    rows += [row] if row else []
                    if not row:
                        tally.add(entry)
                    elif len(rows) == _ROWS:
                        yield _batch(rows)
                        rows.clear()
        yield _batch(rows + tally.rows())

    return walked


def _row(entry: Entry, rules: Rules) -> Entry | None:
    """Return the row of an image, or of a link that may be followed; None for what is only counted."""
    if entry.ignored is None:
        return entry
    return entry._replace(sort=None) if rules.follow_links and entry.ignored == kinds.LINK_TO_FOLDER else None


def _batch(entries: list[Entry]) -> pa.RecordBatch:
    values = [[getattr(entry, name) for entry in entries] for name in _WALKED_ARROW.names]
    return pa.RecordBatch.from_arrays(
        [pa.array(column, kind) for column, kind in zip(values, _WALKED_ARROW.types, strict=True)],
        schema=_WALKED_ARROW,
    )
