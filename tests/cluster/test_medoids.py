from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest

from facesieve.cluster import medoids as module
from facesieve.cluster.kernels.cohesion import cohesion
from facesieve.cluster.kernels.coins import stability

SIZES = [1, 1, 2, 30, 1, 7, 64, 1]


def members() -> pa.RecordBatch:
    rng = np.random.default_rng(0)
    count = sum(SIZES)
    vectors = rng.normal(size=(count, 5)).astype(np.float32)
    return pa.RecordBatch.from_pydict(
        {
            "cluster": np.repeat(np.arange(len(SIZES)), SIZES),
            "face_id": np.concatenate([np.sort(rng.permutation(1000)[:size]) for size in SIZES]),
            "vector": pa.array(vectors.tolist(), pa.list_(pa.float32())),
            "labels": pa.array(rng.integers(0, 2, (count, 4)).tolist(), pa.list_(pa.int64())),
            "settled": np.arange(count) % 3 > 0,
        }
    )


def cut(rows: pa.RecordBatch, size: int) -> Iterator[pa.RecordBatch]:
    for start in range(0, rows.num_rows, size):
        yield rows.slice(start, size)
    yield rows.slice(0, 0)


@pytest.mark.parametrize("batch", [1, 5, 64, 1000])
@pytest.mark.parametrize("in_memory", [4, 5, 8_192])
def test_batches_and_spilling_do_not_show(batch: int, in_memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MEMORY_ROWS", in_memory)
    monkeypatch.setattr(module, "SENT_ROWS", 20)
    rows = members()
    result = pa.Table.from_batches(module.measured(cut(rows, batch)))
    assert result.column("face_id").to_pylist() == rows.column("face_id").to_pylist()
    assert result.column("settled").to_pylist() == rows.column("settled").to_pylist()
    ids = rows.column("face_id").to_numpy()
    vectors = np.array(rows.column("vector").to_pylist(), np.float32)
    labels = np.array(rows.column("labels").to_pylist())
    for start, size in zip(np.cumsum(SIZES) - SIZES, SIZES, strict=True):
        part = slice(start, start + size)
        medoid, mean = cohesion(ids[part], vectors[part])
        got = result.slice(start, size)
        assert got.column("cluster_id").to_pylist() == [ids[start]] * size
        assert got.column("cluster_size").to_pylist() == [size] * size
        assert got.column("cohesion").to_pylist() == [np.float32(mean)] * size
        assert got.column("medoid").to_pylist() == [row == medoid for row in range(size)]
        assert got.column("stability").to_pylist() == stability(labels[part], medoid).tolist()


def test_no_faces() -> None:
    assert list(module.measured(iter([]))) == []
