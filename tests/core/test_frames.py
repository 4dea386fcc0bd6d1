"""What every room does with frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from facesieve.core.frames import BROADCAST_ROWS, batches_of_vectors, broadcast_if_few, checkpointed, follow_rows


def test_only_few_rows_are_sent_to_every_executor(spark: SparkSession) -> None:
    joining = spark.range(3).hint("shuffle_merge")

    def plan(rows: int) -> str:
        joined = joining.join(broadcast_if_few(spark.range(3), rows), on="id")
        return str(joined._jdf.queryExecution().optimizedPlan().toString())

    assert "broadcast" in plan(BROADCAST_ROWS)
    assert "broadcast" not in plan(BROADCAST_ROWS + 1)


ADAPTIVE, PARTITIONS = "spark.sql.adaptive.enabled", "spark.sql.shuffle.partitions"
COMPILED, COMPILER = "spark.sql.codegen.wholeStage", "spark.sql.codegen.factoryMode"
COLLECTS = "facesieve.collects"


@pytest.fixture
def unchanged(spark: SparkSession) -> Iterator[None]:
    """Spark's settings are afterwards as they were."""
    former = {key: spark.conf.get(key, "false") for key in (PARTITIONS, ADAPTIVE, COMPILED, COMPILER, COLLECTS)}
    yield
    for key, value in former.items():
        spark.conf.set(key, str(value))


@pytest.mark.usefixtures("unchanged")
def test_plans_follow_the_rows(spark: SparkSession) -> None:
    cores = spark.sparkContext.defaultParallelism
    plans = []
    steady, full = 400_000 * cores, 1_000_000 * cores
    for rows in (0, 1, 1_000, 1_001, 50_001, steady, steady + 1, full, full + 1):
        follow_rows(spark, rows)
        plans.append((int(str(spark.conf.get(PARTITIONS))), *map(spark.conf.get, (ADAPTIVE, COMPILED, COMPILER))))
    compiled, interpreted = ("true", "FALLBACK"), ("false", "NO_CODEGEN")
    few = [(partitions, "false", *interpreted) for partitions in (1, 1, 2)]
    more = [(cores, "false", *compiled), (cores, "false", *compiled)]
    assert plans == [
        (cores, "true", *compiled),
        *few,
        *more,
        *[(n, "true", *compiled) for n in (cores, cores, 2 * cores)],
    ]


@pytest.mark.usefixtures("unchanged")
def test_plans_are_compiled_where_few_rows_give_many(spark: SparkSession) -> None:
    follow_rows(spark, 10_000, 3_000_000)
    assert [spark.conf.get(key) for key in (COMPILED, COMPILER, COLLECTS)] == ["true", "FALLBACK", "false"]
    follow_rows(spark, 100, 5_000)
    assert [spark.conf.get(key) for key in (COMPILED, COMPILER, COLLECTS)] == ["false", "NO_CODEGEN", "true"]


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("rows", [3, 20_001])
def test_what_is_checkpointed_is_computed_once_and_as_it_was(spark: SparkSession, rows: int) -> None:
    made = """SELECT id, IF(id = 1, NULL, array(id, id + 1)) AS numbers, named_struct('x', id / 3, 'y', 'é') AS pair,
        timestamp_micros(id) AS at, CAST(id AS FLOAT) AS float, CAST('a' AS BINARY) AS bytes, uuid() AS drawn
        FROM range(3)"""
    frame = spark.sql(made)
    follow_rows(spark, rows)
    once = checkpointed(frame)
    assert once.schema == frame.schema
    assert sorted(once.collect()) == sorted(once.collect()), "a draw is not drawn again"
    undrawn = [each.drop("drawn").orderBy("id").collect() for each in (once, frame)]
    assert undrawn[0] == undrawn[1]
    assert ("LocalTableScan" in once._jdf.queryExecution().executedPlan().toString()) == (rows == 3)


@pytest.mark.parametrize(("usual", "dimension", "rows"), [("64", 128, 8_192), ("64", 2, 8_192), (None, 1 << 21, 1)])
def test_small_rows_go_to_python_many_at_once_and_only_in_the_block(
    spark: SparkSession, usual: str | None, dimension: int, rows: int
) -> None:
    key = "spark.sql.execution.arrow.maxRecordsPerBatch"
    session = spark.newSession()
    if usual is None:
        session.conf.unset(key)
    else:
        session.conf.set(key, usual)
    before = session.conf.get(key)

    def lengths(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from (pa.RecordBatch.from_pydict({"rows": [batch.num_rows]}) for batch in batches)

    with batches_of_vectors(session, dimension):
        counted = session.range(0, 9_000, 1, 1).mapInArrow(lengths, "rows bigint")
        later = session.range(0, 9_000, 1, 1).mapInArrow(lengths, "rows bigint").persist()
        assert max(row.rows for row in counted.collect()) == rows
    assert max(row.rows for row in later.collect()) == rows
    later.unpersist()
    assert session.conf.get(key) == before
    with pytest.raises(ZeroDivisionError), batches_of_vectors(session, dimension):
        _ = 1 / 0
    assert session.conf.get(key) == before
