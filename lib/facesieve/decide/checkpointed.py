"""Rows computed once and for all."""

from __future__ import annotations

from pyspark.sql import DataFrame


def fixed(rows: DataFrame) -> DataFrame:
    """Write rows to the checkpoints of the session: what follows is planned on them, not on the plan behind them.

    A plan that joins a long one with itself takes longer to make than to carry out. The rows are kept while they are
    written, since a checkpoint reads its input twice.
    """
    held = rows.persist()
    written = held.checkpoint()
    held.unpersist()
    return written
