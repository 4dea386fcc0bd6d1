"""What every room does with frames."""

from __future__ import annotations

from pyspark.sql import SparkSession

from facesieve.core.frames import BROADCAST_ROWS, broadcast_if_few


def test_only_few_rows_are_sent_to_every_executor(spark: SparkSession) -> None:
    joining = spark.range(3).hint("shuffle_merge")

    def plan(rows: int) -> str:
        joined = joining.join(broadcast_if_few(spark.range(3), rows), on="id")
        return str(joined._jdf.queryExecution().optimizedPlan().toString())

    assert "broadcast" in plan(BROADCAST_ROWS)
    assert "broadcast" not in plan(BROADCAST_ROWS + 1)
