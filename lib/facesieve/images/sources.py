"""Where images come from: a tree of image files, or a Parquet data set. Nothing here ever writes.

Both sources give the same columns: uri string, size bigint, modified timestamp (null for Parquet), identity string (the
column of that name of a Parquet data set, else null), content binary (null for files, which are fetched by uri).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import pyarrow as pa
import pyarrow.dataset as ds
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from facesieve.core.config import Images
from facesieve.core.errors import ConfigError, Fault
from facesieve.images.storage import Storage, why_unreadable
from facesieve.images.walk import WHOLE, Entry, Part, parts, walk

_ROWS = 10_000  # rows of a batch that leaves the walk
_TASKS_PER_CORE = 4
_KINDS_SHOWN = 5
_TEXT = (pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string()))
_BINARY = (pa.binary(), pa.large_binary())
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


@dataclass(frozen=True)
class Ignored:
    """What was below the root and is no image: how many, and the most frequent kinds (suffixes) with their counts."""

    files: int = 0
    kinds: tuple[tuple[str, int], ...] = ()


class Source(Protocol):
    """Where images come from."""

    def check(self) -> None:
        """Raise ConfigError if there is no such place, or no image in it."""

    def images(self, spark: SparkSession) -> DataFrame:
        """Return one row per image (columns: see the module)."""

    def ignored(self, spark: SparkSession) -> Ignored:
        """Count what was not taken for an image."""

    def fetch(self) -> Callable[[str], bytes]:
        """Return a function, fit for pickling, from uri to content; it raises OSError."""


def source(images: Images) -> Source:
    """Return the source that the section `images` names; a local root becomes absolute, for the workers."""
    root = str(Storage(images.root).folder or images.root)
    return ParquetSet(root) if images.format == "parquet" else FileTree(root, images.suffixes)


@dataclass
class FileTree:
    """A tree of image files. It is walked once, by a Spark job of its own; the result is kept for `ignored`."""

    root: str
    suffixes: tuple[str, ...]
    _walked: DataFrame | None = field(default=None, init=False, repr=False)

    def check(self) -> None:
        """Raise ConfigError if the root is not there, is no folder, or holds no file with an image suffix."""
        problem = why_unreadable(self.root)
        if problem:
            raise ConfigError([Fault("images.root", problem, "Give the folder that holds the images.")])
        if all(entry.ignored for entry in walk(Storage(self.root), WHOLE, self._lower())):
            known = ", ".join(self.suffixes)
            fix = f"Give a folder with files that end in one of images.suffixes ({known}), or change those."
            raise ConfigError([Fault("images.root", f"{self.root} holds no image", fix)])

    def images(self, spark: SparkSession) -> DataFrame:
        """Return one row per file with an image suffix; size is null where the file's state cannot be read."""
        walked = self._walk(spark)
        return walked.where(F.col("ignored").isNull()).select(
            "uri",
            "size",
            "modified",
            F.lit(None).cast("string").alias("identity"),
            F.lit(None).cast("binary").alias("content"),
        )

    def ignored(self, spark: SparkSession) -> Ignored:
        """Count the files without an image suffix, links that are not followed, unreadable folders and the like."""
        counts = (
            self._walk(spark).where(F.col("ignored").isNotNull()).groupBy("ignored").agg(F.sum("size").alias("files"))
        )
        files = counts.agg(F.sum("files")).first()
        shown = counts.orderBy(F.desc("files"), "ignored").limit(_KINDS_SHOWN).collect()
        return Ignored((files and files[0]) or 0, tuple((row["ignored"], row["files"]) for row in shown))

    def fetch(self) -> Callable[[str], bytes]:
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


@dataclass(frozen=True)
class ParquetSet:
    """A Parquet data set with columns uri, bytes and, if there is one, identity."""

    root: str

    def check(self) -> None:
        """Raise ConfigError if the root is no Parquet data set, a column is missing or wrong, or there is no row."""
        problem = why_unreadable(self.root) or _why_not_images(self.root)
        if problem:
            fix = (
                "Give the folder of a Parquet data set with columns uri (string), bytes (binary) and identity (string)."
            )
            raise ConfigError([Fault("images.root", problem, fix)])

    def images(self, spark: SparkSession) -> DataFrame:
        """Return one row per row of the data set; absent bytes have size 0."""
        rows = spark.read.parquet(_for_spark(self.root))
        return rows.select(
            "uri",
            F.coalesce(F.octet_length("bytes"), F.lit(0)).cast("bigint").alias("size"),
            F.lit(None).cast("timestamp").alias("modified"),
            _identity(rows).alias("identity"),
            F.col("bytes").alias("content"),
        )

    def ignored(self, spark: SparkSession) -> Ignored:
        """Nothing: every row counts as an image."""
        return Ignored()

    def fetch(self) -> Callable[[str], bytes]:
        """Return a function from uri to bytes; each call scans the data set, so join on uri for more than a few."""
        return _Rows(self.root)


@dataclass(frozen=True)
class _Rows:
    root: str

    def __call__(self, uri: str) -> bytes:
        found = _dataset(self.root).to_table(columns=["bytes"], filter=ds.field("uri") == uri)["bytes"]
        if len(found) == 0 or not found[0].is_valid:
            raise FileNotFoundError(uri)
        return bytes(found[0].as_py())


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


@lru_cache(maxsize=4)
def _dataset(root: str) -> ds.Dataset:
    files, path = Storage(root).at()
    return ds.dataset(path, filesystem=files, format="parquet", partitioning="hive")


def _why_not_images(root: str) -> str | None:
    try:
        rows = _dataset(root)
        filled = any(fragment.metadata.num_rows for fragment in rows.get_fragments())
    except (OSError, pa.ArrowException) as problem:
        return f"{root} cannot be read as Parquet ({str(problem).splitlines()[0]})"
    said = []
    for name, allowed in (("uri", _TEXT), ("bytes", _BINARY), ("identity", _TEXT)):
        if name not in rows.schema.names:
            said += [f"column {name} is missing"] if name != "identity" else []
        elif rows.schema.field(name).type not in allowed:
            said.append(f"column {name} is {rows.schema.field(name).type}, not {allowed[0]}")
    if not said and not filled:
        said.append("there is no row")
    return f"{root}: {'; '.join(said)}" if said else None


def _for_spark(root: str) -> str:
    folder = Storage(root).folder
    if folder is None:
        return root
    return "file://" + re.sub(r"([\[\]{}*?\\])", r"\\\1", str(folder))  # else Spark takes the path for a glob


def _identity(rows: DataFrame) -> Column:
    return F.col("identity") if "identity" in rows.columns else F.lit(None).cast("string")
