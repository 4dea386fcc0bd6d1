from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from facesieve.cluster.coin_columns import any_coin, broadcast_if_few, by_coin, coin_column, each_coin
from facesieve.core import frames


@pytest.mark.parametrize("values", [np.array([[1, 2], [3, 4], [5, 6]]), np.array([[True], [False]])])
def test_there_and_back(values: np.ndarray) -> None:
    column = coin_column(values)
    assert column.to_pylist() == values.tolist()
    assert by_coin(column, values.shape[1]).tolist() == values.tolist()
    # A slice, and a column in chunks.
    assert by_coin(column.slice(1), values.shape[1]).tolist() == values[1:].tolist()
    chunks = pa.chunked_array([column.slice(0, 1), column.slice(1)])
    assert by_coin(chunks, values.shape[1]).tolist() == values.tolist()


def test_no_rows() -> None:
    assert by_coin(coin_column(np.zeros((0, 3), np.int64)), 3).shape == (0, 3)


def test_of_each_coin_and_of_any(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1, [False, True]), (2, [False, False])], "id long, flags array<boolean>")
    numbers = each_coin(3, lambda coin: rows["id"] * 10 + coin).alias("numbers")
    result = rows.orderBy("id").select(any_coin("flags", 2).alias("any"), numbers).collect()
    assert [tuple(row) for row in result] == [(True, [10, 11, 12]), (False, [20, 21, 22])]


@pytest.mark.parametrize(("coins", "rows", "few"), [(1, 100, True), (7, 100, True), (8, 50, True), (8, 51, False)])
def test_many_labels_are_broadcast_for_fewer_vertices(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch, coins: int, rows: int, few: bool
) -> None:
    monkeypatch.setattr(frames, "BROADCAST_ROWS", 100)
    frame = broadcast_if_few(spark.range(3), rows, coins)
    assert ("broadcast" in frame._jdf.queryExecution().logical().toString().lower()) == few
