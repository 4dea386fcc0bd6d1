"""Whether the cluster has stopped Spark under the job: then whatever fails next is to blame for nothing."""

from __future__ import annotations

from py4j.protocol import Py4JError
from pyspark import SparkContext

_WORDS = ("stopped SparkContext", "SparkContext was shut down")
"""What Spark says of a call that came too late, and of a job that was at work."""


def why_stopped(problem: Exception) -> str | None:
    """Return what to say where an error comes of Spark's context being stopped; None for every other error.

    A master that does not answer has Spark stop the context after a minute, beside what the job is doing. What the job
    meets then differs: a catalog without settings, a table that cannot be opened, a call that is refused.
    """
    context = SparkContext._active_spark_context
    if not any(words in str(problem) for words in _WORDS) and not _is_stopped(context):
        return None
    where = f"the cluster {context.master}" if context is not None else "the cluster"
    return (
        f"{where} gave no application, or has ended it: Spark's context is stopped. See whether the master can be "
        "reached from here, and what its log says. The same command goes on where this stopped."
    )


def _is_stopped(context: SparkContext | None) -> bool:
    if context is None or context._jsc is None:
        return False
    try:
        return bool(context._jsc.sc().isStopped())
    except Py4JError:  # the JVM is gone, which is another story
        return False
