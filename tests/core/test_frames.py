"""What every room does with frames."""

from __future__ import annotations

from pyspark.sql import SparkSession

from facesieve.core.frames import BROADCAST_ROWS, broadcast_if_few, follow_rows


def test_only_few_rows_are_sent_to_every_executor(spark: SparkSession) -> None:
    joining = spark.range(3).hint("shuffle_merge")

    def plan(rows: int) -> str:
        joined = joining.join(broadcast_if_few(spark.range(3), rows), on="id")
        return str(joined._jdf.queryExecution().optimizedPlan().toString())

    assert "broadcast" in plan(BROADCAST_ROWS)
    assert "broadcast" not in plan(BROADCAST_ROWS + 1)


def test_partitions_follow_the_rows_and_leave_no_core_idle(spark: SparkSession) -> None:
    key = "spark.sql.shuffle.partitions"
    former, cores = str(spark.conf.get(key)), spark.sparkContext.defaultParallelism
    partitions = []
    for rows in (0, 100_000 * cores, 100_000 * cores + 1, 10_000_000):
        follow_rows(spark, rows)
        partitions.append(int(str(spark.conf.get(key))))
    spark.conf.set(key, former)
    assert partitions == [cores, cores, cores + 1, 100]
