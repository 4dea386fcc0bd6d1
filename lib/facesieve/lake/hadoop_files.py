"""Files and folders wherever Spark writes them, through the session's Hadoop libraries."""

from __future__ import annotations

from typing import Any, NamedTuple

from pyspark.sql import SparkSession


class Child(NamedTuple):
    """What a folder holds: its name, and when it was last changed, in seconds since 1970."""

    name: str
    modified: float


def exists(spark: SparkSession, place: str) -> bool:
    """Say whether there is a file or a folder."""
    files, path = _at(spark, place)
    return bool(files.exists(path))


def children(spark: SparkSession, place: str) -> list[Child]:
    """Return what a folder holds; nothing if there is no such folder."""
    files, path = _at(spark, place)
    if not files.exists(path):
        return []
    return [Child(each.getPath().getName(), each.getModificationTime() / 1_000) for each in files.listStatus(path)]


def content(spark: SparkSession, place: str) -> tuple[int, int]:
    """Return how many files there are below a folder, and their bytes; 0 if there is no such folder."""
    files, path = _at(spark, place)
    if not files.exists(path):
        return 0, 0
    summary = files.getContentSummary(path)
    return int(summary.getFileCount()), int(summary.getLength())


def newest(spark: SparkSession, place: str) -> float | None:
    """Return when the newest file below a folder was changed, in seconds since 1970; None if there is no file.

    A folder's own time says little: on `s3a://` it is the time of the question.
    """
    files, path = _at(spark, place)
    times, below = list[int](), files.listFiles(path, True)
    while below.hasNext():
        times.append(int(below.next().getModificationTime()))
    return max(times) / 1_000 if times else None


def delete(spark: SparkSession, place: str) -> None:
    """Delete a file or a folder with all that it holds, if it is there."""
    files, path = _at(spark, place)
    files.delete(path, True)


def _at(spark: SparkSession, place: str) -> tuple[Any, Any]:
    jvm: Any = spark._jvm
    path = jvm.org.apache.hadoop.fs.Path(place)
    return path.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration()), path
