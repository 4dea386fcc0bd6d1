"""Rows of one group after the other, out of Arrow batches that end anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from facesieve.faces.blocks import gathered

Array = npt.NDArray[Any]

_CHUNK = 4_096
"""Rows gathered before whole groups are worked on, so that small groups share the cost of conversion."""


def whole_groups(batches: Iterable[pa.RecordBatch], keys: Sequence[str], chunk: int = _CHUNK) -> Iterator[pa.Table]:
    """Join batches, sorted by the key columns, into tables that cut no group.

    A group of n rows is looked at log n times.
    """
    waiting: list[pa.RecordBatch] = []
    count, wanted = 0, chunk
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        if count >= wanted:
            rows = pa.Table.from_batches(waiting)
            cut = int(starts(rows, keys)[-1])
            if cut:
                yield rows.slice(0, cut)
            waiting, count = rows.slice(cut).to_batches(), count - cut
            wanted = max(chunk, 2 * count)
    if count:
        yield pa.Table.from_batches(waiting)


def groups(rows: pa.Table, keys: Sequence[str]) -> Iterator[slice]:
    """Yield the rows of each group of a table that cuts none."""
    for start, stop in pairwise([*starts(rows, keys).tolist(), len(rows)]):
        yield slice(start, stop)


def each_group(batches: Iterable[pa.RecordBatch], key: str) -> Iterator[pa.Table]:
    """Yield the rows of one group after the other, out of batches sorted by the key column."""
    for rows in whole_groups(batches, (key,)):
        for part in groups(rows, (key,)):
            yield rows.slice(part.start, part.stop - part.start)


def runs(batches: Iterable[pa.RecordBatch], keys: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Cut each batch where one of the key columns changes, for groups too large to hold.

    A group that spans batches comes in several runs. Example, cut by `key`:

        batch   1   1   1   1   2   2
        key     a   a   b   b   b   c
        run     1   1   2   2   3   4
    """
    for batch in filter(len, batches):
        for part in groups(pa.Table.from_batches([batch]), keys):
            yield batch.slice(part.start, part.stop - part.start)


def tables(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """Join batches into tables of `rows` rows or a little more; none of them is empty."""
    for several in gathered(batches, len, rows):
        table = pa.Table.from_batches(several)
        if len(table):
            yield table


def starts(rows: pa.Table, keys: Sequence[str]) -> Array:
    """Row numbers where a group begins; null equals null."""
    begins = np.zeros(len(rows), bool)
    begins[:1] = True
    for name in keys:
        column = rows[name].combine_chunks()
        former, here = column.slice(0, len(column) - 1), column.slice(1)
        differs = pc.coalesce(pc.not_equal(former, here), pc.xor(pc.is_null(former), pc.is_null(here)))
        begins[1:] |= as_numpy(differs)
    return np.flatnonzero(begins)


def as_numpy(column: pa.Array | pa.ChunkedArray) -> Array:
    """To NumPy; null becomes zero."""
    zero = False if pa.types.is_boolean(column.type) else 0
    return np.asarray(pc.fill_null(column, zero).to_numpy(zero_copy_only=False))


def as_matrix(column: pa.ChunkedArray) -> Array:
    """Lists of one length to the rows of a matrix float32 [N, D]; null becomes zeros."""
    lengths = as_numpy(pc.list_value_length(column))
    width, filled = int(lengths.max(initial=0)), lengths > 0
    vectors = np.zeros((len(column), width), np.float32)
    vectors[filled] = as_numpy(pc.list_flatten(column)).reshape(int(filled.sum()), width)
    return vectors
