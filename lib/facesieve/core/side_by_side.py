"""Independent pieces of a step at the same time, where each mostly waits for the driver to plan small jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Event
from typing import Any, TypeVar

from pyspark import inheritable_thread_target
from pyspark.sql import SparkSession

from facesieve.core.frames import has_few_rows

Made = TypeVar("Made")

_PATIENCE = 0.2
"""Seconds between two looks at calls whose jobs are cancelled."""


def side_by_side(spark: SparkSession, *calls: Callable[[], Made]) -> list[Made]:
    """Return what the calls return, in their order: in threads where the step's rows are few, else one by one.

    Many rows fill all cores, and what they need of memory would add up. Raises as `in_threads`.
    """
    return in_threads(spark, *calls) if has_few_rows(spark) else [call() for call in calls]


def in_threads(spark: SparkSession, *calls: Callable[[], Made]) -> list[Made]:
    """Return what the calls return, in their order, each in a thread of its own.

    Raises what the first call that fails raises; the jobs of the others are cancelled.
    """
    if len(calls) < 2:
        return [call() for call in calls]
    with ThreadPoolExecutor(len(calls)) as threads:
        results = [threads.submit(inheritable_thread_target(call)) for call in calls]
        try:
            return [result.result() for result in results]
        except BaseException:
            _cancel(spark, results)
            raise


@contextmanager
def beside(spark: SparkSession, call: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """Make a call in a thread while the block goes on; what the block is given waits for the call's end.

    Raises what the call raises: then the jobs of the block are cancelled, and its error is not the one that counts.
    """

    ended = Event()

    def guarded() -> None:
        try:
            call()
        except BaseException:
            # Again and again, since the block may be about to start its next job.
            while not ended.wait(_PATIENCE):
                spark.sparkContext.cancelAllJobs()
            raise

    def wait_for_it() -> None:
        ended.set()
        result.result()

    with ThreadPoolExecutor(1) as thread:
        result = thread.submit(inheritable_thread_target(guarded))
        try:
            yield wait_for_it
        except Exception:
            wait_for_it()
            raise
        finally:
            ended.set()
        wait_for_it()


def _cancel(spark: SparkSession, results: Sequence[Future[Any]]) -> None:
    """Cancel the jobs of calls until all have ended: a call may be about to start its next job."""
    while wait(results, timeout=_PATIENCE).not_done:
        spark.sparkContext.cancelAllJobs()
