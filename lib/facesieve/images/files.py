"""A tree of image files, on a local disk or behind any file system that pyarrow knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from facesieve.core.errors import ConfigError, Fault
from facesieve.images.kinds import sort_of
from facesieve.images.protocol import Fetch, Ignored, IgnoredKind, SourceImages
from facesieve.images.storage import Storage, why_unreadable
from facesieve.images.walk import WHOLE, Entry, Part, parts, walk

_ROWS = 10_000  # rows of a batch that leaves the walk
_TASKS_PER_CORE = 4
_PARTS = "folder string, deep boolean, share int, shares int"
_WALKED = T.StructType(
    [
        T.StructField("uri", T.StringType()),
        T.StructField("size", T.LongType()),
        T.StructField("modified", T.TimestampType()),
        T.StructField("ignored", T.StringType()),
    ]
)
_WALKED_ARROW = pa.schema(
    [("uri", pa.string()), ("size", pa.int64()), ("modified", pa.timestamp("us", tz="UTC")), ("ignored", pa.string())]
)


@dataclass
class FileTree:
    """A tree of image files. It is walked once, by a Spark job of its own; the result is kept for `ignored`."""

    root: str
    suffixes: tuple[str, ...]
    _walked: DataFrame | None = field(default=None, init=False, repr=False)

    @property
    def carries_content(self) -> bool:
        """Files are fetched by the workers."""
        return False

    def check(self) -> None:
        """Raise ConfigError if the root is not there, is no folder, or holds no file with an image suffix."""
        problem = why_unreadable(self.root)
        if problem:
            raise ConfigError([Fault("images.root", problem, "Give the folder that holds the images.")])
        if all(entry.ignored for entry in walk(Storage(self.root), WHOLE, self._lower())):
            suffixes = ", ".join(self.suffixes)
            fix = f"Give a folder with files that end in one of images.suffixes ({suffixes}), or change those."
            raise ConfigError([Fault("images.root", f"{self.root} holds no image", fix)])

    def images(self, spark: SparkSession) -> SourceImages:
        """Return one row per file with an image suffix; size is null where the file's state cannot be read."""
        walked = self._walk(spark)
        images = walked.where(F.col("ignored").isNull()).select(
            "uri",
            "size",
            "modified",
            F.lit(None).cast("string").alias("identity"),
            F.lit(None).cast("binary").alias("content"),
        )
        return SourceImages(images)

    def ignored(self, spark: SparkSession) -> Ignored:
        """Count the files without an image suffix, links that are not followed, unreadable folders and the like."""
        counts = (
            self._walk(spark)
            .where(F.col("ignored").isNotNull())
            .groupBy("ignored")
            .agg(F.sum("size").alias("files"), F.min("uri").alias("example"))
        )
        rows = counts.orderBy(F.desc("files"), "ignored").collect()
        return Ignored(
            tuple(IgnoredKind(row.ignored, sort_of(row.ignored), row.files, row.example or "") for row in rows)
        )

    def fetch(self) -> Fetch:
        """Return a function from uri to the file's content."""
        return Storage(self.root).read

    def _lower(self) -> frozenset[str]:
        return frozenset(suffix.lower() for suffix in self.suffixes)

    def _walk(self, spark: SparkSession) -> DataFrame:
        if self._walked is None:
            tasks = _TASKS_PER_CORE * spark.sparkContext.defaultParallelism
            rows = parts(Storage(self.root), tasks)
            dealt = spark.sparkContext.parallelize(rows[::-1], min(len(rows), tasks))
            self._walked = (
                spark.createDataFrame(dealt, _PARTS).mapInArrow(_walker(self.root, self._lower()), _WALKED).persist()
            )
        return self._walked


def _walker(root: str, suffixes: frozenset[str]) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    def walked(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        storage, ignored, images = Storage(root), Counter[str](), list[Entry]()
        for batch in batches:
            for part in batch.to_pylist():
                for entry in walk(storage, Part(**part), suffixes):
                    if entry.ignored:
                        ignored[entry.ignored] += 1
                        continue
                    images.append(entry)
                    if len(images) == _ROWS:
                        yield _batch(images)
                        images.clear()
        yield _batch(images + [Entry(None, size=count, ignored=kind) for kind, count in ignored.items()])

    return walked


def _batch(entries: list[Entry]) -> pa.RecordBatch:
    columns = [[getattr(entry, name) for entry in entries] for name in ("name", "size", "modified", "ignored")]
    return pa.RecordBatch.from_arrays(
        [pa.array(column, kind) for column, kind in zip(columns, _WALKED_ARROW.types, strict=True)],
        schema=_WALKED_ARROW,
    )
