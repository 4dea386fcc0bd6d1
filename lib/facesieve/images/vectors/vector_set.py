"""A set of vectors without images: array files, or Parquet files with a column of vectors."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T
from typing_extensions import override

from facesieve.core.errors import ConfigError, Fault
from facesieve.core.frames import many_tasks
from facesieve.core.sections import Columns, Images
from facesieve.images import left_out
from facesieve.images.parquet import ParquetSet
from facesieve.images.parquet_files import SUFFIXES as PARQUET_SUFFIXES
from facesieve.images.protocol import SOURCE_IMAGES, Fetch, Ignored, Source, SourceImages
from facesieve.images.store_errors import in_words
from facesieve.images.vectors.vector_column import VECTOR_ROWS
from facesieve.images.vectors.vector_files import VectorFiles, is_array_file, names_below, place_of, vector_files
from facesieve.images.vectors.vector_rows import PARTS, VectorReader, parts

Work = Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]
"""From batches with the columns of SOURCE_IMAGES to other batches. It can be pickled."""

_log = logging.getLogger(__name__)

_PROBLEMS_SHOWN = 5
_FIX = "Give .npy, .npz or .bin files of vectors, one a row, or Parquet files with a column of them."


def vector_source(root: str, images: Images) -> Source:
    """Return the source of the vectors at `root`: array files where there are any, else Parquet files."""
    names = names_below(root)
    if names and not any(map(is_array_file, names)) and any(name.endswith(PARQUET_SUFFIXES) for name in names):
        return VectorTable(root, replace(images.columns, bytes=images.columns.vector), VECTOR_ROWS)
    return VectorSet(root, images.columns, images.dimension)


class VectorTable(ParquetSet):
    """Parquet files with a column of vectors."""

    @override
    def fetch(self) -> Fetch:
        """Return what says of every uri that there is no picture."""
        return no_picture


@dataclass
class VectorSet:
    """Array files at or below `root`. They are listed once; the list is kept.

    dimension: numbers of a vector in files without a header; 0 where it is not known.
    """

    root: str
    columns: Columns = field(default_factory=Columns)
    dimension: int = 0
    _files: VectorFiles | None = field(default=None, init=False, repr=False)

    @property
    def carries_content(self) -> bool:
        """Every row has its vector."""
        return True

    def check(self) -> None:
        """Raise ConfigError if there are no vectors, or files that cannot be read or do not fit each other."""
        try:
            listed = self._list()
        except FileNotFoundError:
            raise ConfigError([Fault("images.root", f"{self.root} does not exist", _FIX)]) from None
        except OSError as problem:
            text = f"{self.root} cannot be read ({in_words(problem)})"
            raise ConfigError([Fault("images.root", text, _FIX)]) from None
        problems = [f"{self.root}: {text}" for text in listed.problems[:_PROBLEMS_SHOWN]] or self._nothing(listed)
        if not problems and len(listed.dimensions) > 1:
            shown = " and ".join(map(str, listed.dimensions[:2]))
            problems = [f"{self.root} holds vectors of {shown} numbers"]
        if problems:
            raise ConfigError([Fault("images.root", text, _FIX) for text in problems])
        if not any(file.identities for file in listed.files):
            _log.info("images.root: no vector bears an identity; docs/images.md says where names are looked for")

    def images(self, spark: SparkSession, *, content: bool = True) -> SourceImages:
        """Return one row per vector. Without `content` that is null, and no vectors are read."""
        return SourceImages(self.mapped(spark, _as_they_are, SOURCE_IMAGES, content=content))

    def mapped(self, spark: SparkSession, work: Work, columns: T.StructType, *, content: bool = True) -> DataFrame:
        """Return what `work` makes of all rows of `images`, in the processes that read them.

        So the vectors take no way from Python to Java and back.
        """
        files = tuple(self._list().files)
        rows = list(parts(files))
        tasks = max(1, min(len(rows), many_tasks(spark)))
        dealt = spark.createDataFrame(spark.sparkContext.parallelize(rows, tasks), PARTS)
        place = place_of(self.root)
        reader = VectorReader(place.storage, files, bool(place.only), content)
        return dealt.mapInArrow(lambda batches: work(reader(batches)), columns)

    def rows(self) -> int:
        """Return how many vectors the headers of the files tell."""
        return sum(file.vectors.rows for file in self._list().files)

    def count(self, spark: SparkSession) -> int:
        """Return how many vectors there are."""
        return self.rows()

    def state(self, spark: SparkSession) -> str | None:
        """Digest names, sizes and times of all files; None where a store tells no times."""
        files = self._list().files
        if any(file.modified is None for file in files):
            return None
        facts = [[file.vectors.name, file.vectors.rows, file.size, *file.times] for file in files]
        return hashlib.sha256(json.dumps([facts, self.dimension]).encode()).hexdigest()

    @property
    def numbered(self) -> bool:
        """Whether every uri is a file and the number of a row, so that none can stand there twice."""
        return not any(file.uris for file in self._list().files)

    @property
    def dimensions(self) -> list[int]:
        """How many numbers the vectors have: one number for each kind."""
        return self._list().dimensions

    def ignored(self, spark: SparkSession) -> Ignored:
        """Count what lies beside the vectors, by kind."""
        return self._list().beside

    def fetch(self) -> Fetch:
        """Return what says of every uri that there is no picture."""
        return no_picture

    def _list(self) -> VectorFiles:
        if self._files is None:
            self._files = vector_files(place_of(self.root), self.columns, self.dimension)
        return self._files

    def _nothing(self, listed: VectorFiles) -> list[str]:
        if self.rows():
            return []
        beside = left_out.counts(listed.beside)
        return [f"{self.root} holds no vectors" + (f", but {beside}" if beside else "")]


def no_picture(uri: str) -> bytes:
    """Raise FileNotFoundError: a vector has no picture."""
    raise FileNotFoundError(uri)


def _as_they_are(batches: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
    return batches
