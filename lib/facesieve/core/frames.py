"""What every room does with DataFrames, whatever they hold."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

BROADCAST_ROWS = 2_000_000
"""Rows of a few numbers each (some 100 MB) up to which every executor is sent all of them."""


def broadcast_if_few(frame: DataFrame, rows: int) -> DataFrame:
    """Mark `frame` for a broadcast join if it has few enough `rows`; more are joined by a shuffle."""
    return F.broadcast(frame) if rows <= BROADCAST_ROWS else frame


def checkpointed(rows: DataFrame) -> DataFrame:
    """Write rows to the checkpoints of the session: what follows is planned on them, not on the plan behind them.

    A plan that joins a long one with itself takes longer to make than to carry out. The rows are persisted while they
    are written, since a checkpoint reads its input twice.
    """
    persisted = rows.persist()
    written = persisted.checkpoint()
    persisted.unpersist()
    return written


def columns(**types: T.DataType) -> T.StructType:
    """Declare the columns of a frame, without a JVM.

    >>> columns(face_id=T.LongType(), target=T.StringType()).simpleString()
    'struct<face_id:bigint,target:string>'
    """
    return T.StructType([T.StructField(name, kind) for name, kind in types.items()])
