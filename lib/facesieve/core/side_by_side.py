"""Independent pieces of a step at the same time, where each mostly waits for the driver to plan small jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from threading import Event
from typing import Any, TypeVar

from py4j.protocol import Py4JError
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


class Aside:
    """A call that is made in a thread of its own from now on. What it raises counts where a block is `beside` it."""

    def __init__(self, spark: SparkSession, call: Callable[[], None]) -> None:
        self._spark = spark
        self._threads = ThreadPoolExecutor(2)
        self._result = self._threads.submit(inheritable_thread_target(call))

    def cancel(self) -> None:
        """Cancel the jobs of the call, if it goes on; what it raises is not heard."""
        with suppress(Py4JError, OSError):  # Spark may be gone
            _cancel(self._spark, [self._result])

    @contextmanager
    def beside(self) -> Iterator[Callable[[], None]]:
        """Let a block go on beside the call; what the block is given waits for the call's end.

        Raises what the call raises: then the jobs of the block are cancelled, and its error is not the one that counts.
        """
        ended = Event()

        def wait_for_it() -> None:
            ended.set()
            self._result.result()

        def watch() -> None:
            if self._result.exception() is not None:
                # Again and again, since the block may be about to start its next job.
                while not ended.wait(_PATIENCE):
                    self._spark.sparkContext.cancelAllJobs()

        self._threads.submit(watch)
        self._threads.shutdown(wait=False)
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
