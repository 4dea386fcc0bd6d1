"""Columns of arrays with an element for every coin: in Spark, and from Arrow to a matrix and back."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import or_
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from facesieve.core import frames

Matrix = npt.NDArray[Any]

_LABELS_A_ROW = 4
"""Labels that make a row as large as one of `core.frames.BROADCAST_ROWS`."""


def each_coin(coins: int, value: Callable[[int], Column]) -> Column:
    """Make an array of the value of each coin, from 0 on."""
    return F.array(*map(value, range(coins)))


def any_coin(flags: str, coins: int) -> Column:
    """Say whether a flag of the column `flags` (array<boolean>) is set in any coin."""
    return reduce(or_, (F.col(flags)[coin] for coin in range(coins)))


def broadcast_if_few(frame: DataFrame, rows: int, coins: int) -> DataFrame:
    """Mark a frame with a label by coin for a broadcast join if it has few enough `rows`; the more coins, the fewer."""
    return frames.broadcast_if_few(frame, rows * max(1, coins // _LABELS_A_ROW))


def by_coin(column: pa.Array | pa.ChunkedArray, coins: int) -> Matrix:
    """Turn a column of arrays of `coins` elements, none null, into a matrix [n, coins] of the elements' type.

    >>> by_coin(pa.array([[1, 2], [3, 4]]), 2).tolist()
    [[1, 2], [3, 4]]
    """
    return np.asarray(pc.list_flatten(column).to_numpy(zero_copy_only=False)).reshape(len(column), coins)


def coin_column(values: Matrix) -> pa.Array:
    """Turn a matrix [n, coins] into a column of arrays of `coins` elements.

    >>> coin_column(np.array([[1, 2], [3, 4]])).to_pylist()
    [[1, 2], [3, 4]]
    """
    rows, coins = values.shape
    return pa.ListArray.from_arrays(np.arange(rows + 1, dtype=np.int32) * coins, pa.array(values.ravel()))
