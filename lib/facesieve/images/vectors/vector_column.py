"""A column of vectors in Parquet files: any list of numbers with a fraction, of half, single or double precision."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from facesieve.core.sections import Columns
from facesieve.images.parquet_columns import Content


def as_vectors(values: pa.Array) -> pa.Array:
    """Turn lists of numbers into bytes: float32, little-endian. A number that is null becomes NaN.

    Raises ArrowTypeError if they are no such lists.

    >>> as_vectors(pa.array([[1.0, 2.0], None])).to_pylist() == [np.array([1, 2], "<f4").tobytes(), None]
    True
    """
    lists = values.storage if isinstance(values, pa.ExtensionArray) else values
    if not is_vector(lists.type):
        raise pa.ArrowTypeError(f"{values.type} is no list of numbers with a fraction")
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    flat = lists.filter(pc.is_valid(lists)).flatten().to_numpy(zero_copy_only=False)
    with np.errstate(over="ignore"):
        numbers = np.ascontiguousarray(flat, "<f4")
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32) * 4
    content = pa.Array.from_buffers(
        pa.binary(), len(lists), [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(numbers)]
    )
    return pc.if_else(pc.is_valid(lists), content, None)


def is_vector(kind: pa.DataType) -> bool:
    """Whether a column holds lists of numbers with a fraction."""
    kind = kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(test(kind) for test in lists) and bool(pa.types.is_floating(kind.value_type))


def vector_columns(schema: pa.Schema, names: Columns) -> Columns:
    """Return the columns to look for; where none is called so, the only column of vectors.

    Rows whose uri is neither named nor there are named by file and number.

    >>> vector_columns(pa.schema([("emb", pa.list_(pa.float16()))]), Columns(bytes="vector"))
    Columns(uri='', bytes='emb', identity='identity', vector='vector')
    """
    there = {name.lower() for name in schema.names}
    vectors = [field.name for field in schema if is_vector(field.type)]
    if names.bytes == Columns().vector and names.bytes.lower() not in there and len(vectors) == 1:
        names = replace(names, bytes=vectors[0])
    if names.uri == Columns().uri and names.uri.lower() not in there:
        names = replace(names, uri="")
    return names


VECTOR_ROWS = Content("vectors", as_vectors, vector_columns)
