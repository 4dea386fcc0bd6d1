"""Identities from a file (`images.labels`), for any source: who each image shows, by its uri.

The file takes the place of `images.identity`. An image without a row has no identity.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, NewType

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from facesieve.core.errors import ConfigError, Fault
from facesieve.core.frames import broadcast_if_few, columns
from facesieve.images import side_tables
from facesieve.images.protocol import SourceImages
from facesieve.images.side_tables import Entries, Problem, Reader, Row
from facesieve.images.spelled_uris import spellings

KEY = "images.labels"
FIX = (
    "Give a CSV or Parquet file with the columns uri and identity, or lines of a file name and an identity. "
    "A uri is the path below images.root, with /."
)

Labels = NewType("Labels", DataFrame)
"""The identity of labelled images of the source by uri, with the columns of LABELS. Persisted."""

LABELS = columns("uri string, label string")

_COLUMNS = ("uri", "identity")
_WANTED = columns("number bigint, spelling int, uri string, label string")


class LabelRow(NamedTuple):
    """One row: where it stands, the image, and who it shows (None: nobody)."""

    place: str
    uri: str
    identity: str | None


class Labelled(NamedTuple):
    """The images with their labels as identities, how many of them have none, and rows that name no image."""

    images: SourceImages
    unlabelled: int
    missing: int


def read_labels(path: str) -> Entries[LabelRow]:
    """Read the identities that `images.labels` names; there are none where it is empty.

    Raises ConfigError with what is wrong in the file, also two identities of one uri.
    """
    return side_tables.entries(KEY, path, Reader(_column_problems, _row, _contradictions, _COLUMNS))


def labelled(images: SourceImages, table: Entries[LabelRow], root: str) -> Labelled:
    """Give each image the identity that the table says, instead of the source's own.

    Raises ConfigError if no row names an image, or if rows that spell one uri in two ways differ.
    """
    wanted = _wanted(images.sparkSession, table, root)
    rows = images.select("uri").join(wanted, "uri", how="inner")
    literal = rows.groupBy("number").agg(F.min_by("uri", "spelling").alias("uri"), F.first("label").alias("label"))
    by_uri = literal.groupBy("uri").agg(
        F.min("label").alias("label"), F.max("label").alias("last"), F.count("*").alias("rows")
    )
    labels = by_uri.persist()
    counts = labels.agg(
        F.count("*").alias("images"),
        F.coalesce(F.sum("rows"), F.lit(0)).alias("rows"),
        F.count_if(F.col("label") != F.col("last")).alias("torn"),
    ).collect()[0]
    _refuse(table.path, counts["images"], counts["torn"])
    few = broadcast_if_few(labels.select(*LABELS.names), counts["images"])
    joined = images.drop("identity").join(few, "uri", how="left").withColumnRenamed("label", "identity")
    unlabelled = images.count() - labels.where("label IS NOT NULL").count()
    return Labelled(SourceImages(joined.select(*images.columns)), unlabelled, len(table.rows) - counts["rows"])


def _wanted(spark: SparkSession, table: Entries[LabelRow], root: str) -> DataFrame:
    rows = [
        (number, spelling, uri, row.identity)
        for number, row in enumerate(table.rows)
        for spelling, uri in enumerate(spellings(row.uri, root))
    ]
    return broadcast_if_few(spark.createDataFrame(rows, _WANTED), len(rows))


def _refuse(path: str, matched: int, torn: int) -> None:
    if not matched:
        raise ConfigError([Fault(KEY, f"no row of {path} names an image of images.root", FIX)])
    if torn:
        problem = f"{path} gives {torn} images two identities, under two spellings of the uri"
        raise ConfigError([Fault(KEY, problem, "Give each image one identity.")])


def _column_problems(names: frozenset[str]) -> list[Problem]:
    return [Problem(f"has no column {name}", FIX) for name in _COLUMNS if name not in names]


def _row(row: Row) -> LabelRow | list[Problem]:
    uri = row.text("uri", strip=False)
    nested = [name for name in _COLUMNS if isinstance(row.values.get(name), (list, dict))]
    if nested:
        return [Problem(f"{row.place}: {nested[0]} is no plain value", "Give uri and identity as text.")]
    if uri is None:
        return [Problem(f"{row.place} names no image", "Fill uri, or remove the row.")]
    return LabelRow(row.place, uri, row.text("identity"))


def _contradictions(rows: Sequence[LabelRow]) -> list[Problem]:
    """Say which row gives an image another identity than the image's first row does."""
    first: dict[str, LabelRow] = {}
    pairs = ((first.setdefault(row.uri, row), row) for row in rows)
    return [
        Problem(f"{former.place} and {row.place} give {row.uri} two identities", "Give each image one identity.")
        for former, row in pairs
        if former.identity != row.identity
    ]
