"""What every room does with DataFrames, whatever they hold."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar, cast

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

Frame = TypeVar("Frame", bound=DataFrame)
"""Rows of any kind, which stay of that kind."""

_TASKS_PER_CORE = 4
_ROWS_A_PARTITION, _ROWS_A_CORE = 1_000_000, 1_000
"""How many rows a partition takes at most, and with how many more it is worth a core of its own."""
_STEADY_ROWS_A_CORE = 400_000
"""Rows for each core up to which plans do not adapt while they run."""
_INTERPRETED_ROWS = 50_000
"""Rows up to which plans are not compiled: a plan costs some 0.1 s to compile, a row some microseconds to interpret."""

_COLLECTED_ROWS = 20_000
"""Input rows of a step up to which what it computes on the way is held by the driver."""
_COLLECTS = "facesieve.collects"

BROADCAST_ROWS = 2_000_000
"""Rows of a few numbers each (some 100 MB) up to which every executor is sent all of them."""

_ROWS_AT_ONCE = "spark.sql.execution.arrow.maxRecordsPerBatch"
_BATCH_BYTES, _NUMBER_BYTES = 4 << 20, 4
_PICTURES_AT_ONCE = 64
SMALL_ROWS_AT_ONCE = 8_192
"""Rows of a kilobyte or less that Spark sends to Python at once."""

_NUMBERS = (T.LongType, T.IntegerType, T.FloatType, T.DoubleType)
_KINDS = (*_NUMBERS, T.BooleanType, T.StringType, T.BinaryType, T.TimestampType)
_TYPES: dict[str, T.DataType] = {kind().simpleString(): kind() for kind in _KINDS}


def broadcast_if_few(frame: Frame, rows: int) -> Frame:
    """Mark `frame` for a broadcast join if it has few enough `rows`; more are joined by a shuffle."""
    return cast(Frame, F.broadcast(frame)) if rows <= BROADCAST_ROWS else frame


def many_tasks(spark: SparkSession) -> int:
    """Return in how many tasks work is done of which rows take long and not alike: several for each core."""
    return _TASKS_PER_CORE * spark.sparkContext.defaultParallelism


def follow_rows(spark: SparkSession, rows: int, results: int = 0) -> None:
    """Let Spark's plans from now on suit `rows`: partitions after a shuffle, and whether plans adapt while they run.

    Spark's number of partitions is one for all steps, and 200 by default: too many for most steps, too few for some.
    Adaptive plans start a job for every shuffle and every broadcast, which costs few rows more than it saves. They stay
    on where the rows are many for each core, and where nobody knows the rows (0).
    Plans for few rows that give few `results` are interpreted: to compile a program for each takes longer than to run
    it.
    """
    cores = spark.sparkContext.defaultParallelism
    rounds = math.ceil(rows / _ROWS_A_PARTITION / cores)  # in the last one no core is idle
    partitions = min(rounds * cores, math.ceil(rows / _ROWS_A_CORE)) if rows else cores
    spark.conf.set("spark.sql.shuffle.partitions", str(partitions))
    spark.conf.set("spark.sql.adaptive.enabled", "false" if 0 < rows <= cores * _STEADY_ROWS_A_CORE else "true")
    few = 0 < rows + results <= _INTERPRETED_ROWS
    spark.conf.set("spark.sql.codegen.wholeStage", "false" if few else "true")
    spark.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN" if few else "FALLBACK")
    spark.conf.set(_COLLECTS, "true" if 0 < rows + results <= _COLLECTED_ROWS else "false")


def batches_of_vectors(spark: SparkSession, dimension: int) -> AbstractContextManager[None]:
    """Let Spark send rows of a vector each to Python a few megabytes at once while the block lasts (`rows_at_once`)."""
    return rows_at_once(spark, min(SMALL_ROWS_AT_ONCE, max(1, _BATCH_BYTES // (_NUMBER_BYTES * dimension))))


def batches_of_pictures(spark: SparkSession) -> AbstractContextManager[None]:
    """Let Spark send few rows to Python at once, while the block lasts: each holds pictures (`rows_at_once`)."""
    return rows_at_once(spark, _PICTURES_AT_ONCE)


@contextmanager
def rows_at_once(spark: SparkSession, rows: int) -> Iterator[None]:
    """Let Spark send so many rows to Python at once, in plans that are carried out or persisted in the block.

    The number of a session is small, as rows that hold photographs need it. For small rows most time is then that
    of batches. The session's number holds afterwards.
    """
    usual = spark.conf.get(_ROWS_AT_ONCE, None)
    spark.conf.set(_ROWS_AT_ONCE, str(rows))
    try:
        yield
    finally:
        if usual is None:
            spark.conf.unset(_ROWS_AT_ONCE)
        else:
            spark.conf.set(_ROWS_AT_ONCE, usual)


def has_few_rows(spark: SparkSession) -> bool:
    """Whether the rows of the step are so few that what it computes on the way may be held by the driver."""
    return spark.conf.get(_COLLECTS, "false") == "true"


def count_if_many(rows: DataFrame) -> int:
    """Count rows, for a choice between plans; 0 without counting where the rows of the step are few."""
    return 0 if has_few_rows(rows.sparkSession) else rows.count()


def checkpointed(rows: DataFrame, *, large: bool = False) -> DataFrame:
    """Compute rows now: what follows is planned on them, not on the plan behind them.

    A plan that joins a long one with itself takes longer to make than to carry out. Where a step has few rows the
    driver holds them, unless a row is `large`; else they are written to the checkpoints of the session. They are
    persisted while they are written, since a checkpoint reads its input twice.
    """
    spark = rows.sparkSession
    if not large and has_few_rows(spark):
        values = rows._jdf.collectAsList()
        return DataFrame(spark._jsparkSession.createDataFrame(values, rows._jdf.schema()), spark)
    persisted = rows.persist()
    written = persisted.checkpoint()
    persisted.unpersist()
    return written


def columns(ddl: str) -> T.StructType:
    """Declare the columns of a frame, as DDL does, but without a JVM.

    >>> columns("face_id bigint, doubts array<string>").simpleString()
    'struct<face_id:bigint,doubts:array<string>>'
    """
    return T.StructType([T.StructField(*_named(column)) for column in ddl.split(",")])


def _named(column: str) -> tuple[str, T.DataType]:
    name, kind = column.split()
    element = kind.removeprefix("array<").removesuffix(">")
    return name, T.ArrayType(_TYPES[element]) if element != kind else _TYPES[kind]
