"""What every room does with DataFrames, whatever they hold."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

BROADCAST_ROWS = 2_000_000
"""Rows of a few numbers each (some 100 MB) up to which every executor is sent all of them."""


def broadcast_if_few(frame: DataFrame, rows: int) -> DataFrame:
    """Mark `frame` for a broadcast join if it has few enough `rows`; more are joined by a shuffle."""
    return F.broadcast(frame) if rows <= BROADCAST_ROWS else frame
