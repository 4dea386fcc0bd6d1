"""Packs as a source of images: listed by Spark tasks, a piece each, and read image by image by the workers.

A listing reads what tells the images (or all of a pack, where only checksums or line ends do), and a worker reads an
image alone by its place. So no byte of a pack is read more than twice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T
from pyspark.sql.pandas.types import to_arrow_schema

from facesieve.core.errors import ConfigError, Fault
from facesieve.core.frames import columns, many_tasks
from facesieve.images import left_out
from facesieve.images.kinds import OUTSIDE_INDEX, sort_of
from facesieve.images.packs.byte_ranges import byte_ranges
from facesieve.images.packs.locators import Locator, located
from facesieve.images.packs.pack_files import PackFiles, pack_files
from facesieve.images.packs.records import COVERED, Form, Piece, Record
from facesieve.images.patience import refuse_outage
from facesieve.images.protocol import Fetch, Ignored, IgnoredKind, Sort, SourceImages
from facesieve.images.storage import Storage
from facesieve.images.store_errors import in_words

_ROWS = 5_000  # rows of a batch that leaves a task
_PIECES = "file string, start bigint, end bigint, modified bigint, index_file string"
_LISTED = T.StructType(
    [
        *columns("uri string, size bigint").fields,
        T.StructField("modified", T.TimestampType()),
        *columns("identity string, kind string").fields,
    ]
)
"""A row for each image, and for each kind of record that is none: its size is how many, its uri that of one of them."""

_ARROW = to_arrow_schema(_LISTED)


@dataclass
class PackSet:
    """Packs of one form at or below a root. Their files are listed once, and their records by one Spark job."""

    root: str
    form: Form
    ignore: tuple[str, ...] = ()
    _files: PackFiles | None = field(default=None, init=False, repr=False)
    _rows: DataFrame | None = field(default=None, init=False, repr=False)
    _kinds: tuple[IgnoredKind, ...] | None = field(default=None, init=False, repr=False)

    @property
    def carries_content(self) -> bool:
        """Images are fetched by the workers."""
        return False

    def check(self) -> None:
        """Raise ConfigError if there is no pack, or if it cannot be read as one."""
        try:
            listed = self._list()
            if not listed.files:
                raise ConfigError([self._nothing(listed)])
            faults = self.form.faults(listed.storage, listed.files, listed.companions)
        except OSError as problem:
            refuse_outage(self.root, problem)
            gone = isinstance(problem, FileNotFoundError)
            text = f"{self.root} {'does not exist' if gone else 'cannot be read'} ({in_words(problem)})"
            raise ConfigError([Fault("images.root", text, f"Give a folder with {self.form.what}.")]) from None
        if faults:
            raise ConfigError(faults)

    def images(self, spark: SparkSession, *, content: bool = True) -> SourceImages:
        """Return one row per image, also for one that cannot be read."""
        none = F.lit(None).cast("binary").alias("content")
        return SourceImages(
            self._listed(spark).where("kind IS NULL").select("uri", "size", "modified", "identity", none)
        )

    def rows(self) -> int | None:
        """Nothing but the packs themselves tells."""
        return None

    def count(self, spark: SparkSession) -> int:
        """Return how many images there are."""
        return self._listed(spark).where("kind IS NULL").count()

    def state(self, spark: SparkSession) -> str | None:
        """Digest names, sizes and times of all files; None where a file has no time, and may have changed unseen."""
        listed = self._list()
        files = [*listed.files, *listed.companions]
        if any(file.modified is None for file in files):
            return None
        return hashlib.sha256(json.dumps([files, [list(kind) for kind in listed.beside]]).encode()).hexdigest()

    def ignored(self, spark: SparkSession) -> Ignored:
        """Count what lies beside the packs, and the records in them that are no images, by kind."""
        if self._kinds is None:
            self._kinds = (*self._list().beside, *self._no_images(spark))
        return Ignored(tuple(sorted(self._kinds, key=lambda each: (-each.files, each.kind, each.sort))))

    def fetch(self) -> Fetch:
        """Return a function from uri to the image, which raises BadContent with what is wrong."""
        return _Images(self._list().storage, self.form)

    def _list(self) -> PackFiles:
        if self._files is None:
            self._files = pack_files(self.root, self.form, self.ignore)
        return self._files

    def _listed(self, spark: SparkSession) -> DataFrame:
        if self._rows is None:
            listed, tasks = self._list(), many_tasks(spark)
            pieces = self.form.pieces(listed.files, listed.companions, tasks)
            dealt = spark.sparkContext.parallelize(pieces, max(1, min(len(pieces), tasks)))
            frame = spark.createDataFrame(dealt, _PIECES)
            self._rows = frame.mapInArrow(_lister(listed.storage, self.form), _LISTED).persist()
        return self._rows

    def _no_images(self, spark: SparkSession) -> Iterator[IgnoredKind]:
        """Yield the kinds of records that are no images, and the packs of which the index names not all bytes."""
        rows = self._listed(spark).where("kind IS NOT NULL")
        sums = F.sum("size").alias("files"), F.min("uri").alias("example")
        for row in rows.where(F.col("kind") != COVERED).groupBy("kind").agg(*sums).collect():
            yield IgnoredKind(row.kind, sort_of(row.kind), row.files, row.example)
        indexed = rows.where(F.col("kind") == COVERED).groupBy("uri").agg(F.sum("size").alias("size"))
        covered = {located(row.uri).file: row.size for row in indexed.collect()}
        lacking = [file.uri for file in self._list().files if covered.get(file.uri, file.size) < file.size]
        if lacking:
            yield IgnoredKind(OUTSIDE_INDEX, Sort.MAYBE, len(lacking), lacking[0])

    def _nothing(self, listed: PackFiles) -> Fault:
        beside = Ignored(listed.beside)
        there = f", but {left_out.counts(beside)}" if beside.files else ""
        fixes = " ".join(left_out.fixes(beside)) or f"Give a folder with {self.form.what}."
        return Fault("images.root", f"{self.root} holds no image: there is not {self.form.what}{there}", fixes)


@dataclass(frozen=True)
class _Images:
    storage: Storage
    form: Form

    def __call__(self, uri: str) -> bytes:
        at = located(uri)
        with byte_ranges(self.storage, at.file) as ranges:
            return self.form.content(ranges, at)


def _lister(storage: Storage, form: Form) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    def listed(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        counts, rows = dict[str, tuple[int, str]](), list[tuple[object, ...]]()
        for piece in (Piece(**row) for batch in batches for row in batch.to_pylist()):
            for record in _records(storage, form, piece):
                if not record.kind:
                    size = 0 if record.problem else record.size
                    rows.append((record.at.uri, size, piece.modified, record.identity, None))
                elif record.kind == COVERED:
                    rows.append((record.at.uri, record.size, None, None, COVERED))
                else:
                    number, first = counts.get(record.kind, (0, record.at.uri))
                    counts[record.kind] = number + 1, min(first, record.at.uri)
                if len(rows) >= _ROWS:
                    yield _batch(rows)
                    rows.clear()
        yield _batch(rows + [(first, number, None, None, kind) for kind, (number, first) in counts.items()])

    return listed


def _records(storage: Storage, form: Form, piece: Piece) -> Iterator[Record]:
    """Yield the records of a piece. A file that cannot be read is an image that cannot, where the piece begins."""
    try:
        yield from form.records(storage, piece)
    except OSError as problem:
        refuse_outage(storage.root, problem)
        yield Record(Locator(piece.file, piece.start))


def _batch(rows: list[tuple[object, ...]]) -> pa.RecordBatch:
    values = list(zip(*rows, strict=True)) or [()] * len(_ARROW)
    arrays = [pa.array(column, kind) for column, kind in zip(values, _ARROW.types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=_ARROW)
