"""Groups stream through in batches: nothing may depend on where a batch ends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from facesieve.faces import arrow_groups

KEYS = ("name", "pool")
SIZES = {("a", None): 5, ("b", None): 1, (None, 7): 3, (None, 8): 1, (None, None): 1}


def rows(sizes: dict[tuple[str | None, int | None], int]) -> pa.Table:
    keys = [key for key, size in sizes.items() for _ in range(size)]
    names, pools = zip(*keys, strict=True)
    numbers = pa.array(range(len(keys)), pa.int64())
    columns = {"name": pa.array(names, pa.string()), "pool": pa.array(pools, pa.int64()), "row": numbers}
    return pa.table(columns)


@pytest.mark.parametrize("batch", [1, 2, 3, 64])
@pytest.mark.parametrize("chunk", [1, 4, 4_096])
def test_groups_come_whole_and_in_order(batch: int, chunk: int) -> None:
    groups = []
    for table in arrow_groups.whole_groups(rows(SIZES).to_batches(max_chunksize=batch), KEYS, chunk):
        groups += [table["row"][part.start : part.stop].to_pylist() for part in arrow_groups.groups(table, KEYS)]
    assert groups == [[0, 1, 2, 3, 4], [5], [6, 7, 8], [9], [10]]


def test_a_large_group_is_not_looked_at_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    starts = arrow_groups.starts

    def watched(table: pa.Table, keys: Sequence[str]) -> arrow_groups.Array:
        looked.append(len(table))
        return starts(table, keys)

    monkeypatch.setattr(arrow_groups, "starts", watched)
    table = rows({("a", None): 300, ("b", None): 300})
    parts = arrow_groups.whole_groups(table.to_batches(max_chunksize=2), KEYS, 8)
    assert [len(part) for part in parts] == [300, 300]
    assert len(looked) < 15


@pytest.mark.parametrize("batch", [1, 2, 3, 64])
def test_runs_end_where_a_batch_or_a_group_ends(batch: int) -> None:
    batches = [*rows(SIZES).to_batches(max_chunksize=batch), rows(SIZES).to_batches()[0].slice(0, 0)]
    parts = [part.column("row").to_pylist() for part in arrow_groups.runs(batches, KEYS)]
    groups = np.repeat(np.arange(len(SIZES)), list(SIZES.values())).tolist()
    expected = [
        [row for row in range(11) if (row // batch, groups[row]) == key]
        for key in sorted({(row // batch, groups[row]) for row in range(11)})
    ]
    assert parts == expected


@pytest.mark.parametrize(("batch", "enough", "sizes"), [(2, 4, [4, 4, 3]), (3, 4, [6, 5]), (64, 1, [11])])
def test_tables_join_batches_and_are_never_empty(batch: int, enough: int, sizes: list[int]) -> None:
    empty = rows(SIZES).to_batches()[0].slice(0, 0)
    joined = list(arrow_groups.tables([empty, *rows(SIZES).to_batches(max_chunksize=batch), empty], enough))
    assert [len(table) for table in joined] == sizes
    assert pa.concat_tables(joined).equals(rows(SIZES))
    assert list(arrow_groups.tables([empty], enough)) == []


def test_nulls_become_zeros() -> None:
    vectors = pa.chunked_array([pa.array([[1.0, 2.0], None], pa.list_(pa.float32()))])
    assert arrow_groups.as_matrix(vectors).tolist() == [[1.0, 2.0], [0.0, 0.0]]
    assert arrow_groups.as_numpy(pa.array([True, None])).tolist() == [True, False]
    assert arrow_groups.as_numpy(pa.array([7, None], pa.int64())).dtype == np.int64
