"""What a stage costs: seconds, and the jobs and tasks that Spark was given."""

from __future__ import annotations

import time
from typing import NamedTuple

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession


class Work(NamedTuple):
    """Seconds, jobs that were started, and tasks that were sent to executors (those tried again included)."""

    seconds: float
    jobs: int
    tasks: int

    def plus(self, other: Work) -> Work:
        """Return both together."""
        return Work(self.seconds + other.seconds, self.jobs + other.jobs, self.tasks + other.tasks)

    def minus(self, other: Work) -> Work:
        """Return this without the other, for example what came after an earlier moment of the same session."""
        return Work(self.seconds - other.seconds, self.jobs - other.jobs, self.tasks - other.tasks)


def work_so_far(spark: SparkSession) -> Work:
    """Return a moment: a clock's seconds, and the numbers that Spark's schedulers give next; 0 where they do not tell.

    A listener would tell the same later: its events come by a queue, and the store behind the UI forgets old jobs.
    """
    try:
        context = spark.sparkContext._jsc.sc()
        counts = int(context.dagScheduler().numTotalJobs()), int(context.taskScheduler().nextTaskId())
    except (Py4JError, AttributeError, TypeError):
        counts = 0, 0
    return Work(time.monotonic(), *counts)
