"""Identities from a file (`images.labels`), for any source: who each image shows, by its uri.

The file takes the place of `images.identity`. An image without a row has no identity.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, NewType

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core.errors import ConfigError, Fault
from facesieve.core.frames import broadcast_if_few, columns
from facesieve.images import side_tables
from facesieve.images.protocol import SourceImages
from facesieve.images.side_tables import Entries, Problem, Reader, Row
from facesieve.images.spelled_uris import listed_uris

KEY = "images.labels"
FIX = (
    "Give a CSV or Parquet file with the columns uri and identity, or lines of a file name and an identity. "
    "A uri is the path below images.root, with /."
)

Labels = NewType("Labels", DataFrame)
"""The identity of labelled images of the source by uri, with the columns of LABELS. Persisted."""

LABELS = columns("uri string, label string")

_COLUMNS = ("uri", "identity")
_WANTED = columns("uri string, label string, rows bigint")


class LabelRow(NamedTuple):
    """One row: where it stands, the image, and who it shows (None: nobody)."""

    place: str
    uri: str
    identity: str | None


class Labelled(NamedTuple):
    """The labels of images, how many images have one and how many have none, and rows that name no image."""

    labels: Labels
    images: int
    unlabelled: int
    missing: int

    def of(self, images: SourceImages) -> SourceImages:
        """Return images of the source with their labels as identities, instead of the source's own."""
        few = broadcast_if_few(self.labels, self.images)
        joined = images.drop("identity").join(few, "uri", how="left").withColumnRenamed("label", "identity")
        return SourceImages(joined.select(*images.columns))


def read_labels(path: str) -> Entries[LabelRow]:
    """Read the identities that `images.labels` names; there are none where it is empty.

    Raises ConfigError with what is wrong in the file, also two identities of one uri.
    """
    return side_tables.entries(KEY, path, Reader(_column_problems, _row, _contradictions, _COLUMNS))


def labelled(names: SourceImages, table: Entries[LabelRow], root: str) -> Labelled:
    """Find the images that a table names, and the identity of each. Of `names` the uris alone are read.

    Raises ConfigError if no row names an image, or if rows that spell one uri in two ways differ.
    """
    meant = listed_uris([row.uri for row in table.rows], names, root)
    by_uri: dict[str, list[str | None]] = {}
    for row in table.rows:
        by_uri.setdefault(meant.get(row.uri, row.uri), []).append(row.identity)
    torn = sum(len(set(identities) - {None}) > 1 for identities in by_uri.values())
    rows = [(uri, max((each for each in named if each), default=None), len(named)) for uri, named in by_uri.items()]
    wanted = broadcast_if_few(names.sparkSession.createDataFrame(rows, _WANTED), len(rows))
    matched = names.select("uri").join(wanted, "uri", how="inner").dropDuplicates(["uri"]).persist()
    images, named_rows, without = matched.agg(
        F.count("*"), F.coalesce(F.sum("rows"), F.lit(0)), F.count_if(F.col("label").isNull())
    ).collect()[0]
    _refuse(table.path, images, torn)
    unlabelled = names.count() - images + without
    return Labelled(Labels(matched.select(*LABELS.names)), images, unlabelled, len(table.rows) - named_rows)


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
