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


ADAPTIVE, PARTITIONS = "spark.sql.adaptive.enabled", "spark.sql.shuffle.partitions"
COMPILED, COMPILER = "spark.sql.codegen.wholeStage", "spark.sql.codegen.factoryMode"


def test_plans_follow_the_rows(spark: SparkSession) -> None:
    former = {key: str(spark.conf.get(key)) for key in (PARTITIONS, ADAPTIVE, COMPILED, COMPILER)}
    cores = spark.sparkContext.defaultParallelism
    plans = []
    for rows in (0, 1, 1_000, 1_001, 50_001, 100_000 * cores, 100_000 * cores + 1, 10_000_000):
        follow_rows(spark, rows)
        plans.append((int(str(spark.conf.get(PARTITIONS))), *map(spark.conf.get, (ADAPTIVE, COMPILED, COMPILER))))
    for key, value in former.items():
        spark.conf.set(key, value)
    compiled, interpreted = ("true", "FALLBACK"), ("false", "NO_CODEGEN")
    few = [(partitions, "false", *interpreted) for partitions in (1, 1, 2)]
    more = [(cores, "false", *compiled), (cores, "false", *compiled)]
    assert plans == [(cores, "true", *compiled), *few, *more, *[(n, "true", *compiled) for n in (cores + 1, 100)]]
