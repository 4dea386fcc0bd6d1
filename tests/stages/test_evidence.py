"""Folders stream through in batches: nothing may depend on where a batch ends."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pytest

from facesieve.kernels.nearest import nearest
from facesieve.stages import evidence

FOLDERS = [("a", None, None)] * 5 + [("b", None, None)] + [(None, 7, None)] * 3 + [(None, 8, None), (None, None, 1)]


def rows(folders: list[tuple[str | None, int | None, int | None]], seed: int) -> pa.Table:
    count, draw = len(folders), np.random.default_rng(seed)
    vectors = [None if loner else draw.normal(size=4).astype(np.float32).tolist() for *_, loner in folders]
    names, pools, loners = zip(*folders, strict=True)
    return pa.table(
        {
            "identity": pa.array(names, pa.string()),
            "pool": pa.array(pools, pa.int64()),
            "loner": pa.array(loners, pa.int64()),
            "image_id": pa.array(range(count), pa.int64()),
            "face_id": pa.array([None if v is None else 100 - i for i, v in enumerate(vectors)], pa.int64()),
            "face_rank": pa.array([None if v is None else 0 for v in vectors], pa.int32()),
            "main": pa.array([True] * count),
            "verdict": pa.array(["keep" if i % 2 else "drop" for i in range(count)]),
            "vector": pa.array(vectors, pa.list_(pa.float32())),
        }
    )


def told(batches: Iterable[pa.RecordBatch]) -> list[tuple[int, int | None, float | None]]:
    table = pa.Table.from_batches(list(evidence._testimonies(batches)))
    return list(zip(*(table[name].to_pylist() for name in ("image_id", "nearest_face", "cosine")), strict=True))


@pytest.mark.parametrize("batch", [1, 2, 3, 64])
@pytest.mark.parametrize("chunk", [1, 4, 4_096])
def test_batches_and_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch, batch: int, chunk: int) -> None:
    monkeypatch.setattr(evidence, "_CHUNK", chunk)
    table = rows(FOLDERS, 0)
    ids = np.array(table["face_id"].fill_null(0))
    expected = []
    for start, stop in ((0, 5), (5, 6), (6, 9), (9, 10)):
        vectors = np.array(table["vector"][start:stop].to_pylist(), np.float32)
        found, cosine = nearest(ids[start:stop], vectors, np.arange(start, stop) % 2 == 1)
        for i, (row, value) in enumerate(zip(found, cosine, strict=True)):
            expected.append((start + i, *((None, None) if row < 0 else (ids[start + row], float(value)))))
    expected.append((10, None, None))
    assert told(table.to_batches(max_chunksize=batch)) == expected


def test_a_folder_is_never_cut_and_a_large_one_is_not_looked_at_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "_CHUNK", 8)
    looked: list[int] = []
    starts = evidence._starts
    monkeypatch.setattr(evidence, "_starts", lambda table: looked.append(len(table)) or starts(table))
    table = rows([("a", None, None)] * 300 + [("b", None, None)] * 300, 0)
    assert [len(part) for part in evidence._whole_folders(table.to_batches(max_chunksize=2))] == [300, 300]
    assert len(looked) < 15
