"""Audits of `publish.checks`: queries over what is to be published that must find nothing.

Rows that a check finds are of people, so no log shows them: only their number and the file of the query.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from py4j.java_gateway import is_instance_of
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from facesieve.core.console import count
from facesieve.core.errors import ConfigError, Fault
from facesieve.publish.check_files import KEY, Check, read_checks
from facesieve.publish.check_queries import Views, no_rows, query_fault, shown

_log = logging.getLogger(__name__)


class Failure(NamedTuple):
    """A check that found rows, and how many."""

    file: str
    rows: int


def prepared(spark: SparkSession, files: Sequence[str], coming: Collection[str] = ()) -> list[Check]:
    """Read the checks and let Spark resolve them on views without rows.

    coming: names of tables that the run will make. Raises ConfigError with every check that is absent, is no query, or
    names what is not there and will not be.
    """
    checks = read_checks(files)
    if checks:
        with shown(no_rows(spark)):
            faults = [fault for check in checks if (fault := query_fault(spark, check, coming)) is not None]
        if faults:
            raise ConfigError(faults)
    return checks


def failures(spark: SparkSession, checks: Sequence[Check], views: Views) -> list[Failure]:
    """Ask the checks; return those that found rows. Raises ConfigError for one whose query fails on the rows."""
    with shown(views):
        counted = [Failure(check.file, _rows(spark, check)) for check in checks]
    failed = [failure for failure in counted if failure.rows]
    if checks and not failed:
        _log.info(f"publish: {count(len(checks))} checks passed")
    return failed


def failed_checks(failed: Sequence[Failure], asked: int) -> str:
    """Say which checks found how many rows.

    >>> failed_checks([Failure("a.sql", 1), Failure("b.sql", 1200)], 3)
    '2 of 3 publish.checks found rows: a.sql (1), b.sql (1,200).'
    """
    names = ", ".join(f"{failure.file} ({count(failure.rows)})" for failure in failed)
    return f"{len(failed)} of {asked} publish.checks found rows: {names}."


def _rows(spark: SparkSession, check: Check) -> int:
    try:
        return spark.sql(check.query).count()
    except (PySparkException, Py4JJavaError) as problem:
        error = _error_class(spark, problem)
        if error is None:
            raise
        # The sentence of such an error quotes values of rows: only its class is shown.
        fix = "Correct the query, so that it can be answered for every row."
        raise ConfigError([Fault(KEY, f"{check.file} cannot be answered ({error})", fix)]) from None


def _error_class(spark: SparkSession, problem: PySparkException | Py4JJavaError) -> str | None:
    """Return the class of an error that the rows or the query are to blame for; None for all others."""
    if isinstance(problem, PySparkException):
        return problem.getErrorClass()
    java: Any = problem.java_exception
    gateway = spark.sparkContext._gateway
    while java is not None:
        name = java.getErrorClass() if is_instance_of(gateway, java, "org.apache.spark.SparkThrowable") else None
        if name:
            return None if name == "INTERNAL_ERROR" else str(name)
        java = java.getCause()
    return None
