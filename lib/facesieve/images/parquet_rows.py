"""The rows of Parquet files as images: what a Spark task reads, the needed columns alone, in bounded batches."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql.pandas.types import to_arrow_schema

from facesieve.core.errors import ContractError, first_line
from facesieve.core.sections import Columns
from facesieve.images import parquet_files
from facesieve.images.forms.exif_words import turn_of, with_turn
from facesieve.images.parquet_columns import PICTURES, Content, Places, Unfit, as_text, places, values
from facesieve.images.parquet_files import ParquetFile
from facesieve.images.patience import refuse_outage
from facesieve.images.protocol import SOURCE_IMAGES
from facesieve.images.storage import Storage
from facesieve.images.store_errors import translated

PARTS = "name string, row_group int, first bigint, rows bigint"
_ARROW = to_arrow_schema(SOURCE_IMAGES)


class Part(NamedTuple):
    """A row group of a file: the number of its first row in the file, and how many rows it has."""

    name: str
    row_group: int
    first: int
    rows: int


def parts(files: Iterable[ParquetFile]) -> Iterator[Part]:
    """Yield the row groups of files that have rows."""
    for file in files:
        firsts = itertools.accumulate(file.groups, initial=0)
        for group, (first, rows) in enumerate(zip(firsts, file.groups, strict=False)):
            if rows:
                yield Part(file.name, group, first, rows)


@dataclass(frozen=True)
class RowReader:
    """Reads row groups of the data set at `root`; without `content` size and content are null, and no bytes are read.

    It can be pickled. Raises ContractError, with the name of the file, if that cannot be read or is not as listed.
    """

    root: str
    columns: Columns
    content: bool = True
    holds: Content = PICTURES

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Turn batches of parts (columns PARTS) into batches of images (columns of SOURCE_IMAGES)."""
        listed = (Part(**row) for batch in batches for row in batch.to_pylist())
        for name, of_file in itertools.groupby(listed, key=lambda part: part.name):
            yield from self.read(name, of_file)

    def read(self, name: str, of_file: Iterable[Part]) -> Iterator[pa.RecordBatch]:
        """Read row groups of one file."""
        storage = Storage(self.root)
        shown = f"{self.root}/{name}" if name else self.root
        try:
            with parquet_files.opened(storage, name) as file:
                at = places(file.schema_arrow, parquet_files.folders(name), self.columns, self.holds)
                for part in of_file:
                    yield from self._rows(file, part, at, name or self.root.rpartition("/")[2])
        except (OSError, pa.ArrowException, IndexError, Unfit) as problem:
            if isinstance(problem, OSError) and storage.folder is None:
                refuse_outage(self.root, translated(problem, shown))
            text = first_line(problem)
            raise ContractError(f"{shown} cannot be read as it was listed ({text}). Mend or remove the file.") from None

    def _rows(self, file: pq.ParquetFile, part: Part, at: Places, name: str) -> Iterator[pa.RecordBatch]:
        number = part.first
        for batch in parquet_files.batches(file, part.row_group, at.names(content=self.content)):
            yield self._images(batch, at, name, number)
            number += batch.num_rows
        if number - part.first != part.rows:
            raise pa.ArrowInvalid(f"row group {part.row_group} has {number - part.first} rows, not {part.rows}")

    def _images(self, batch: pa.RecordBatch, at: Places, name: str, first: int) -> pa.RecordBatch:
        rows = batch.num_rows
        content, size = pa.nulls(rows, pa.binary()), pa.nulls(rows, pa.int64())
        if self.content:
            content = self.holds.cast(values(batch, at.bytes))
            content = _turned(content, values(batch, at.exif)) if at.exif.path else content
            size = pc.fill_null(pc.binary_length(content), 0).cast(pa.int64())
        numbered = [f"{name}#{number}" for number in range(first, first + rows)]
        uri = as_text(values(batch, at.uri)) if not at.uri.absent else pa.array(numbered, pa.string())
        columns = [uri, size, pa.nulls(rows, _ARROW.field("modified").type), as_text(values(batch, at.identity))]
        return pa.RecordBatch.from_arrays([*columns, content], schema=_ARROW)


def _turned(content: pa.Array, exif: pa.Array) -> pa.Array:
    """Write the turn into pictures that have it only as words beside them."""
    turns = [turn_of(words) for words in as_text(exif).to_pylist()]
    if set(turns) <= {turn_of(None)}:
        return content
    pairs = zip(content.to_pylist(), turns, strict=True)
    return pa.array([None if each is None else with_turn(each, turn) for each, turn in pairs], pa.binary())


@dataclass(frozen=True)
class RowFetch:
    """From a uri to bytes: reads the names of all files until the uri is there, then the bytes of its row group."""

    root: str
    columns: Columns

    @cached_property
    def _parts(self) -> list[Part]:
        """Row groups, listed with the first image that is fetched."""
        return list(parts(parquet_files.parquet_files(Storage(self.root)).files))

    def __call__(self, uri: str) -> bytes:
        """Return the bytes of an image. Raises FileNotFoundError if there are none."""
        for part in self._parts:
            if any(pc.index(batch["uri"], uri).as_py() >= 0 for batch in self._batches(part, content=False)):
                for batch in self._batches(part, content=True):
                    index = pc.index(batch["uri"], uri).as_py()
                    if index >= 0 and batch["content"][index].is_valid:
                        return bytes(batch["content"][index].as_py())
        raise FileNotFoundError(uri)

    def _batches(self, part: Part, *, content: bool) -> Iterator[pa.RecordBatch]:
        return RowReader(self.root, self.columns, content).read(part.name, [part])
