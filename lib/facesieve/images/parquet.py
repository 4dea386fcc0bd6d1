"""A Parquet data set of images: columns uri, bytes and, if there is one, identity."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa
import pyarrow.dataset as ds
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from facesieve.core.errors import ConfigError, Fault, first_line
from facesieve.images.protocol import Fetch, Ignored, SourceImages
from facesieve.images.storage import Storage, why_unreadable

_TEXT = (pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string()))
_BINARY = (pa.binary(), pa.large_binary())


@dataclass(frozen=True)
class ParquetSet:
    """A Parquet data set with columns uri, bytes and, if there is one, identity."""

    root: str

    @property
    def carries_content(self) -> bool:
        """Every row has the bytes."""
        return True

    def check(self) -> None:
        """Raise ConfigError if the root is no Parquet data set, a column is missing or wrong, or there is no row."""
        problem = why_unreadable(self.root) or _why_not_images(self.root)
        if problem:
            fix = (
                "Give the folder of a Parquet data set with columns uri (string), bytes (binary) and identity (string)."
            )
            raise ConfigError([Fault("images.root", problem, fix)])

    def images(self, spark: SparkSession) -> SourceImages:
        """Return one row per row of the data set; absent bytes have size 0."""
        rows = spark.read.parquet(_for_spark(self.root))
        images = rows.select(
            "uri",
            F.coalesce(F.octet_length("bytes"), F.lit(0)).cast("bigint").alias("size"),
            F.lit(None).cast("timestamp").alias("modified"),
            _identity(rows).alias("identity"),
            F.col("bytes").alias("content"),
        )
        return SourceImages(images)

    def ignored(self, spark: SparkSession) -> Ignored:
        """Nothing: every row counts as an image."""
        return Ignored()

    def fetch(self) -> Fetch:
        """Return a function from uri to bytes; each call scans the data set, so join on uri for more than a few."""
        return _Rows(self.root)


@dataclass(frozen=True)
class _Rows:
    root: str

    def __call__(self, uri: str) -> bytes:
        contents = _dataset(self.root).to_table(columns=["bytes"], filter=ds.field("uri") == uri)["bytes"]
        if len(contents) == 0 or not contents[0].is_valid:
            raise FileNotFoundError(uri)
        return bytes(contents[0].as_py())


@lru_cache(maxsize=4)
def _dataset(root: str) -> ds.Dataset:
    files, path = Storage(root).at()
    return ds.dataset(path, filesystem=files, format="parquet", partitioning="hive")


def _why_not_images(root: str) -> str | None:
    try:
        rows = _dataset(root)
        filled = any(fragment.metadata.num_rows for fragment in rows.get_fragments())
    except (OSError, pa.ArrowException) as problem:
        return f"{root} cannot be read as Parquet ({first_line(problem)})"
    faults = []
    for name, allowed in (("uri", _TEXT), ("bytes", _BINARY), ("identity", _TEXT)):
        if name not in rows.schema.names:
            faults += [f"column {name} is missing"] if name != "identity" else []
        elif rows.schema.field(name).type not in allowed:
            faults.append(f"column {name} is {rows.schema.field(name).type}, not {allowed[0]}")
    if not faults and not filled:
        faults.append("there is no row")
    return f"{root}: {'; '.join(faults)}" if faults else None


def _for_spark(root: str) -> str:
    folder = Storage(root).folder
    if folder is None:
        return root
    return "file://" + re.sub(r"([\[\]{}*?\\])", r"\\\1", str(folder))  # else Spark takes the path for a glob


def _identity(rows: DataFrame) -> Column:
    return F.col("identity") if "identity" in rows.columns else F.lit(None).cast("string")
