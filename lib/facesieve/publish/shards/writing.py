"""Shards: a task writes a file of samples at a time, holding one picture, to local disk and then to its place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import partial
from itertools import groupby
from typing import IO, NewType, Protocol

import pyarrow as pa
from pyspark.sql import DataFrame

from facesieve.core.errors import InvariantError
from facesieve.images.storage import Storage
from facesieve.publish.copying import TALLY, Tallies, copied, tally
from facesieve.publish.exports import Batches, whole_file
from facesieve.publish.face_crops import Row
from facesieve.publish.pictures import Faces, Pictures, Reader

Samples = NewType("Samples", DataFrame)
"""Rows of NUMBERED, one for each sample, with the column path: the shard's file."""


class Shard(Protocol):
    """A shard that is being written."""

    def add(self, sample: Row, content: bytes) -> None:
        """Write a sample: its row of NUMBERED and its picture."""


class Form(Protocol):
    """How shards of an export are written. It can be pickled."""

    def __call__(self, file: IO[bytes], path: str) -> AbstractContextManager[Shard]:
        """Begin a shard in a local file; `path` is its name in the export."""


def write_shards(samples: Samples, pictures: Pictures, form: Form, folder: Storage) -> int:
    """Write the samples into the files that their column `path` names, by number; return how many there are.

    Raises ContractError if images vanished or changed since they were listed, InvariantError if a sample is lost.
    """
    shards, expected = samples.select("path").distinct().count(), samples.count()
    tasks = max(1, min(shards, expected))
    ordered = pictures.add_to(Faces(samples)).repartition(tasks, "path").sortWithinPartitions("path", "number")
    write = partial(_write, read=pictures.read, form=form, folder=folder)
    written = copied(Tallies(ordered.mapInArrow(write, TALLY)))
    if written != expected:
        raise InvariantError(f"the shards in {folder.root} hold {written} samples, there are {expected}")
    return written


def _write(batches: Batches, read: Reader, form: Form, folder: Storage) -> Iterator[pa.RecordBatch]:
    rows = (row for batch in batches for row in _rows(batch))
    for path, samples in groupby(rows, key=lambda row: str(row["path"])):
        problems: list[str | None] = []
        with whole_file(folder, path) as file, form(file, path) as shard:
            for sample in samples:
                content, problem = read(sample)
                problems.append(problem and f"{sample['uri']} {problem}")
                if content is not None:
                    shard.add(sample, content)
        yield tally(problems)


def _rows(batch: pa.RecordBatch) -> Iterator[Row]:
    """Rows one by one, so that one picture is copied at a time."""
    for index in range(batch.num_rows):
        yield {name: batch.column(name)[index].as_py() for name in batch.schema.names}
