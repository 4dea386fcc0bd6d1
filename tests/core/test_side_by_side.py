"""Pieces of a step at the same time where rows are few, and one by one where they are many."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from facesieve.core.frames import follow_rows
from facesieve.core.side_by_side import Aside, side_by_side

FEW, MANY = 10, 1_000_000


@pytest.fixture(autouse=True)
def rows_afterwards(spark: SparkSession) -> Iterator[None]:
    yield
    follow_rows(spark, FEW)


def test_few_rows_are_worked_on_at_once(spark: SparkSession) -> None:
    follow_rows(spark, FEW)
    both = threading.Barrier(2, timeout=60)

    def counted(rows: int) -> int:
        both.wait()
        return spark.range(rows).count()

    assert side_by_side(spark, lambda: counted(2), lambda: counted(3)) == [2, 3]


def test_many_rows_are_worked_on_one_by_one(spark: SparkSession) -> None:
    follow_rows(spark, MANY)
    caller = threading.get_ident()
    assert side_by_side(spark, threading.get_ident, threading.get_ident) == [caller, caller]


def test_the_error_of_the_first_that_fails_is_raised_and_the_jobs_of_others_are_cancelled(spark: SparkSession) -> None:
    follow_rows(spark, FEW)
    begun = threading.Event()

    def fails() -> int:
        begun.wait(60)
        raise ValueError("this piece")

    def goes_on() -> int:
        begun.set()
        # Half an hour, were the job not cancelled.
        return spark.sparkContext.parallelize(range(10_000), 10_000).map(lambda _: time.sleep(0.3)).count()

    with pytest.raises(ValueError, match="this piece"):
        side_by_side(spark, fails, goes_on)
    assert spark.range(3).count() == 3


def test_a_call_goes_on_beside_a_block(spark: SparkSession) -> None:
    both, done = threading.Barrier(2, timeout=60), []

    def call() -> None:
        both.wait()
        done.append(spark.range(2).count())

    with Aside(spark, call).beside() as ended:
        both.wait()
        ended()
        assert done == [2]


def test_the_error_of_a_call_beside_a_block_is_raised_and_ends_the_block(spark: SparkSession) -> None:
    def call() -> None:
        raise ValueError("the call")

    with pytest.raises(ValueError, match="the call"), Aside(spark, call).beside():
        spark.sparkContext.parallelize(range(10), 10).map(lambda _: time.sleep(0.3)).count()
    with pytest.raises(ValueError, match="the call"), Aside(spark, call).beside() as ended:
        ended()
    with pytest.raises(KeyError), Aside(spark, lambda: None).beside():
        raise KeyError("the block")


def test_a_call_begins_before_the_block_and_its_error_waits_for_it(spark: SparkSession) -> None:
    failed = threading.Event()

    def call() -> None:
        failed.set()
        raise ValueError("the call")

    aside = Aside(spark, call)
    failed.wait(60)
    assert spark.range(3).count() == 3, "nothing is cancelled that is not beside it"
    with pytest.raises(ValueError, match="the call"), aside.beside():
        spark.sparkContext.parallelize(range(10), 10).map(lambda _: time.sleep(0.3)).count()
