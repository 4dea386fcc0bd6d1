"""Jobs and tasks of Spark are counted as they are started."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from pyspark.sql import SparkSession

from facesieve.lake.work import Work, work_so_far


def test_what_came_after_a_moment_is_what_was_asked_for(spark: SparkSession) -> None:
    before = work_so_far(spark)
    spark.sparkContext.parallelize(range(6), 3).count()
    spark.sparkContext.parallelize(range(6), 2).map(lambda each: (each % 2, each)).groupByKey(4).count()
    after = work_so_far(spark).minus(before)
    assert after.seconds > 0
    assert after[1:] == (2, 3 + 2 + 4)


def test_what_was_spent_elsewhere_is_taken_from_one_stage_and_given_to_another() -> None:
    began, spent = Work(100.0, 3, 40), Work(2.5, 1, 7)
    assert began.plus(spent) == Work(102.5, 4, 47)
    assert began.plus(spent).minus(spent) == began


def test_a_spark_that_does_not_tell_is_no_failure() -> None:
    silent: Any = SimpleNamespace(_jsc=SimpleNamespace(sc=lambda: SimpleNamespace(dagScheduler=lambda: None)))
    assert work_so_far(cast(SparkSession, SimpleNamespace(sparkContext=silent)))[1:] == (0, 0)
