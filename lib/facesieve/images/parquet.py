"""A Parquet data set of images: columns uri, bytes and, if there is one, identity.

One list of files (`parquet_files`) and one mapping of columns (`parquet_columns`) serve the check, the count and every
read (`parquet_rows`).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

import pyarrow as pa
from pyarrow.fs import FileType
from pyspark.sql import SparkSession

from facesieve.core.errors import ConfigError, Fault
from facesieve.core.frames import many_tasks
from facesieve.core.sections import Columns
from facesieve.images import left_out
from facesieve.images.kinds import LINKS
from facesieve.images.parquet_columns import PICTURES, Content
from facesieve.images.parquet_files import ParquetFiles, parquet_files
from facesieve.images.parquet_fit import misfits
from facesieve.images.parquet_rows import PARTS, RowFetch, RowReader, parts
from facesieve.images.protocol import SOURCE_IMAGES, Fetch, Ignored, SourceImages
from facesieve.images.storage import Storage, why_unreadable

_log = logging.getLogger(__name__)

_PROBLEMS_SHOWN = 5
_FIX = "Give a folder of Parquet files, or one such file, with columns uri (text), bytes (binary) and identity (text)."


@dataclass
class ParquetSet:
    """A Parquet data set: a folder, or one file. Its files are listed once; the list is kept."""

    root: str
    columns: Columns = field(default_factory=Columns)
    holds: Content = PICTURES
    _files: ParquetFiles | None = field(default=None, init=False, repr=False)

    @property
    def carries_content(self) -> bool:
        """Every row has the bytes."""
        return True

    def check(self) -> None:
        """Raise ConfigError if there is no Parquet file, no row, or a file whose columns are missing or do not fit."""
        problem = why_unreadable(self.root)
        if problem and not _is_file(self.root):
            raise ConfigError([Fault("images.root", problem, _FIX)])
        listed = self._list()
        problems = [f"{self.root}: {text}" for text in listed.problems[:_PROBLEMS_SHOWN]] or self._nothing(listed)
        faults = [Fault("images.root", text, _FIX) for text in problems] or misfits(
            self.root, listed.files, self.columns, self.holds
        )
        if faults:
            raise ConfigError(faults)
        self._tell_form(listed.files[0].schema)

    def images(self, spark: SparkSession, *, content: bool = True) -> SourceImages:
        """Return one row per row of the data set; absent bytes have size 0.

        content: without it size and content are null, and no bytes are read.
        """
        rows = list(parts(self._list().files))
        tasks = max(1, min(len(rows), many_tasks(spark)))
        dealt = spark.createDataFrame(spark.sparkContext.parallelize(rows, tasks), PARTS)
        return SourceImages(dealt.mapInArrow(RowReader(self.root, self.columns, content, self.holds), SOURCE_IMAGES))

    def rows(self) -> int:
        """Return how many rows the footers of the files tell."""
        return self._list().rows

    def count(self, spark: SparkSession) -> int:
        """Return how many rows there are, by the footers where they tell."""
        rows = self.rows()
        return self.images(spark, content=False).count() if rows is None else rows

    def state(self, spark: SparkSession) -> str | None:
        """Return None: rows have no time of their own, so that each run hashes their content."""
        return None

    def ignored(self, spark: SparkSession) -> Ignored:
        """Count what lies beside the Parquet files, by kind."""
        return Ignored(self._list().beside)

    def fetch(self) -> Fetch:
        """Return a function from uri to bytes; each call scans the data set, so join on uri for more than a few."""
        return RowFetch(self.root, self.columns)

    def _list(self) -> ParquetFiles:
        if self._files is None:
            self._files = parquet_files(Storage(self.root))
        return self._files

    def _tell_form(self, schema: pa.Schema) -> None:
        names = self.holds.recognised(schema, self.columns)
        if names != self.columns:
            uri = f'uri = "{names.uri}"' if names.uri else 'uri = "" (file and row number)'
            _log.info(f'images.columns, as recognised: {uri}, bytes = "{names.bytes}", identity = "{names.identity}"')

    def _nothing(self, listed: ParquetFiles) -> list[str]:
        if not listed.files:
            beside = left_out.counts(Ignored(listed.beside))
            links = " (links out of it are not followed)" if any(each.kind in LINKS for each in listed.beside) else ""
            return [f"{self.root} holds no Parquet file{links}" + (f", but {beside}" if beside else "")]
        return [] if listed.rows else [f"{self.root}: there is no row"]


def _is_file(root: str) -> bool:
    try:
        return bool(Storage(root).info().type == FileType.File)
    except OSError:
        return False
