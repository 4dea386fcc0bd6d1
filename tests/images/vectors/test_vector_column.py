from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from facesieve.core.sections import Columns
from facesieve.images.vectors.vector_column import VECTOR_ROWS, as_vectors, is_vector, vector_columns

ROWS = [[1.0, 2.0], None, [0.5, -3.0]]
BYTES = [None if row is None else np.array(row, "<f4").tobytes() for row in ROWS]
KINDS = [pa.float16(), pa.float32(), pa.float64()]


@pytest.mark.parametrize("number", KINDS)
@pytest.mark.parametrize("many", [pa.list_, pa.large_list, lambda kind: pa.list_(kind, 2)])
def test_lists_of_any_precision_are_bytes(number: pa.DataType, many: object) -> None:
    assert callable(many)
    values = pa.array([None if row is None else np.array(row, number.to_pandas_dtype()) for row in ROWS], many(number))
    assert as_vectors(values).to_pylist() == BYTES
    assert as_vectors(values.slice(1)).to_pylist() == BYTES[1:]
    assert is_vector(values.type)


def test_tensors_and_gaps() -> None:
    tensors = pa.ExtensionArray.from_storage(
        pa.fixed_shape_tensor(pa.float32(), [2]), pa.array(ROWS, pa.list_(pa.float32(), 2))
    )
    assert as_vectors(tensors).to_pylist() == BYTES
    (content,) = as_vectors(pa.array([[1.0, None]])).to_pylist()
    assert np.isnan(np.frombuffer(content, "<f4")).tolist() == [False, True]
    assert as_vectors(pa.array([[1.0], [1.0, 2.0], []])).to_pylist() == [bytes(2) + b"\x80\x3f", BYTES[0], b""]


@pytest.mark.parametrize("kind", [pa.list_(pa.int64()), pa.string(), pa.list_(pa.list_(pa.float32())), pa.float32()])
def test_other_columns_are_refused(kind: pa.DataType) -> None:
    assert not is_vector(kind)
    with pytest.raises(pa.ArrowTypeError):
        VECTOR_ROWS.cast(pa.array([], kind))


def test_the_only_column_of_vectors_is_taken() -> None:
    vector = pa.list_(pa.float32())
    ours = Columns(bytes="vector")
    schema = pa.schema([("emb", vector), ("uri", pa.string()), ("years", pa.list_(pa.int32()))])
    assert vector_columns(schema, ours) == Columns(bytes="emb")
    assert vector_columns(schema.append(pa.field("other", vector)), ours) == ours
    assert vector_columns(schema, Columns(bytes="face")) == Columns(bytes="face")
    assert vector_columns(pa.schema([("VECTOR", vector)]), ours) == Columns("", "vector")
