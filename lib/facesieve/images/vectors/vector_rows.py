"""The vectors of array files as rows of a source: the content of a row is its float32 numbers, little-endian."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql.pandas.types import to_arrow_schema

from facesieve.core.errors import ContractError, first_line
from facesieve.images.parquet_columns import as_text
from facesieve.images.patience import refuse_outage
from facesieve.images.protocol import SOURCE_IMAGES
from facesieve.images.storage import Storage
from facesieve.images.vectors.arrays import Array, NotAnArray, batches
from facesieve.images.vectors.vector_files import VectorFile
from facesieve.images.vectors.vector_names import Names

PARTS = "file int, first bigint, rows bigint"
_PART_ROWS = 50_000
_NAMED_ROWS = 10_000
_ARROW = to_arrow_schema(SOURCE_IMAGES)


class Part(NamedTuple):
    """Some rows of a file, which is told by its place in the list of files."""

    file: int
    first: int
    rows: int


def parts(files: Iterable[VectorFile]) -> Iterator[Part]:
    """Yield parts of files, each fit for one task."""
    for index, file in enumerate(files):
        rows = file.vectors.rows
        step = max(1, rows) if file.whole else _PART_ROWS
        for first in range(0, rows, step):
            yield Part(index, first, min(step, rows - first))


@dataclass(frozen=True)
class VectorReader:
    """Reads parts of array files; without `content` that is null, and no vectors are read.

    short: rows are named by the last name of their file. It can be pickled. Raises ContractError, with the name of the
    file, if that cannot be read as it was listed.
    """

    storage: Storage
    files: tuple[VectorFile, ...]
    short: bool = False
    content: bool = True

    def __call__(self, listed: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Turn batches of parts (columns PARTS) into batches of images (columns of SOURCE_IMAGES)."""
        for part in (Part(**row) for batch in listed for row in batch.to_pylist()):
            file = self.files[part.file]
            try:
                yield from self._rows(file, part)
            except (OSError, NotAnArray, UnicodeDecodeError, pa.ArrowException) as problem:
                if isinstance(problem, OSError) and self.storage.folder is None:
                    refuse_outage(self.storage.root, problem)
                shown, text = f"{self.storage.root}/{file.vectors.name}", first_line(problem)
                raise ContractError(
                    f"{shown} cannot be read as it was listed ({text}). Mend or remove the file."
                ) from None

    def _rows(self, file: VectorFile, part: Part) -> Iterator[pa.RecordBatch]:
        uris = self._uris(file, part)
        identities = _names(self.storage, file.identities, part) if file.identities else itertools.repeat(None)
        for number, vectors in self._vectors(file.vectors, part):
            named = (list(itertools.islice(names, number)) for names in (uris, identities))
            columns = [pa.array(each, pa.string()) for each in named]
            kind = _ARROW.field("modified").type
            modified = pa.repeat(pa.scalar(file.modified, pa.int64()), number).cast(pa.timestamp("us")).cast(kind)
            content = pa.nulls(number, pa.binary()) if vectors is None else as_content(vectors)
            size = pa.repeat(pa.scalar(4 * file.vectors.width, pa.int64()), number)
            yield pa.RecordBatch.from_arrays([columns[0], size, modified, columns[1], content], schema=_ARROW)

    def _vectors(self, array: Array, part: Part) -> Iterator[tuple[int, npt.NDArray[Any] | None]]:
        if self.content:
            yield from ((len(batch), batch) for batch in batches(self.storage, array, part.first, part.rows))
            return
        for first in range(0, part.rows, _NAMED_ROWS):
            yield min(_NAMED_ROWS, part.rows - first), None

    def _uris(self, file: VectorFile, part: Part) -> Iterator[str | None]:
        if file.uris:
            return _names(self.storage, file.uris, part)
        name = file.vectors.name.rpartition("/")[2] if self.short else file.vectors.name
        return (f"{name}#{row}" for row in range(part.first, part.first + part.rows))


def as_content(vectors: npt.NDArray[Any]) -> pa.Array:
    """Turn vectors [n, d] of any kind of floats into n values of 4 d bytes.

    >>> as_content(np.array([[1.0, 2.0]])).to_pylist() == [np.array([1, 2], "<f4").tobytes()]
    True
    """
    rows, width = vectors.shape
    with np.errstate(over="ignore"):
        numbers = np.ascontiguousarray(vectors, "<f4")
    offsets = np.arange(rows + 1, dtype=np.int32) * (4 * width)
    return pa.Array.from_buffers(pa.binary(), rows, [None, pa.py_buffer(offsets), pa.py_buffer(numbers)])


def _names(storage: Storage, names: Names, part: Part) -> Iterator[str | None]:
    if names.array is None:
        return _lines(storage, names.file, part)
    values = batches(storage, names.array, part.first, part.rows)
    native = (batch.astype(batch.dtype.newbyteorder("=")) for batch in values)
    return (text or None for batch in native for text in as_text(pa.array(batch)).to_pylist())


def _lines(storage: Storage, name: str, part: Part) -> Iterator[str | None]:
    with storage.ask(name, lambda files, path: files.open_input_stream(path)) as stream:
        lines = io.TextIOWrapper(io.BufferedReader(stream), encoding="utf-8-sig")
        for line in itertools.islice(lines, part.first, part.first + part.rows):
            yield line.strip() or None
