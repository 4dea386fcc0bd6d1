"""The Spark session: taken as the cluster gives it, and checked for what the job needs.

Nothing is set behind the user's back, but for a few settings. The warehouse of the embedded Iceberg catalog is
`lake.root`. Iceberg's push-down of aggregates is off, whatever the cluster says: see `_PUSH_DOWN`. Later each step sets
partitions and adaptive plans for its rows (`core.frames.follow_rows`).
"""

from __future__ import annotations

import importlib.util
import io
import os
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TextIO

from py4j.protocol import Py4JError
from pyspark import SparkContext
from pyspark.sql import SparkSession

from facesieve.core.errors import ConfigError, Fault
from facesieve.core.gateway import remember_classes
from facesieve.core.places import absolute
from facesieve.core.sections import Lake
from facesieve.lake import hadoop_files
from facesieve.lake.catalog_faults import FIX_CONF, catalog_faults, is_hadoop, loading_faults
from facesieve.lake.nodes import node_faults
from facesieve.lake.path_encoding import encoding_faults

_MOST_ROWS_A_BATCH = 1_024
_PUSH_DOWN = "spark.sql.iceberg.aggregate-push-down.enabled"
"""With it Iceberg 1.10.2 may answer min and max of binary columns, and of strings whose metrics mode was changed, from
bounds in its metadata. These are cut to 16 bytes: values that no row has. (Iceberg 1.11.0 is said to be mended.)"""


class _JvmErrors(io.TextIOBase):
    """Standard error of the process that started this one, by way of its JVM."""

    def __init__(self, stream: Any, fallback: TextIO) -> None:
        self._stream = stream
        self._fallback = fallback

    def write(self, text: str) -> int:
        try:
            self._stream.print(text)
            self._stream.flush()
        except Py4JError:  # the JVM is gone
            self._fallback.write(text)
        return len(text)


def separate_errors() -> None:
    """Let what is written to standard error arrive there.

    spark-submit merges a Python driver's standard error into its own standard output. No program could read the result
    there any more. The JVM's own standard error is the way around.
    """
    if "PYSPARK_GATEWAY_PORT" in os.environ and not isinstance(sys.stderr, _JvmErrors):
        SparkContext._ensure_initialized()
        gateway = SparkContext._gateway
        if gateway is not None:
            sys.stderr = _JvmErrors(gateway.jvm.java.lang.System.err, sys.stderr)


def start(lake: Lake, places: Mapping[str, str] = MappingProxyType({})) -> SparkSession:
    """Return the session that spark-submit configured, ready for tables and graphs.

    `places`: paths by key, beside those of the lake, that the session must be able to name.
    Raises ConfigError with every missing setting or jar at once.
    """
    spark = SparkSession.builder.appName("facesieve").getOrCreate()
    remember_classes(spark)
    named = {"lake.root": lake.root, "lake.scratch": lake.scratch, **places}
    faults = [*encoding_faults(spark, named), *catalog_faults(spark, lake), *_engine_faults(spark)]
    if faults:
        raise ConfigError(faults)
    if lake.root and is_hadoop(spark, lake.catalog):
        spark.conf.set(f"spark.sql.catalog.{lake.catalog}.warehouse", absolute(lake.root))
    spark.conf.set(_PUSH_DOWN, "false")
    if faults := loading_faults(spark, lake.catalog) or node_faults(spark):
        raise ConfigError(faults)
    try:
        spark.sparkContext.setCheckpointDir(scratch(lake))
    except Py4JError as problem:
        key = "lake.scratch" if lake.scratch else "lake.root"
        message = f"{scratch(lake)} cannot be made ({type(problem).__name__})"
        raise ConfigError([Fault(key, message, "Name a folder that this job may write.")]) from problem
    return spark


def scratch(lake: Lake) -> str:
    """Return where supersteps are checkpointed: `lake.scratch`, else a folder under the lake's root."""
    return absolute(lake.scratch) if lake.scratch else f"{absolute(lake.root).rstrip('/')}/_scratch"


def clear_scratch(spark: SparkSession) -> None:
    """Delete this session's checkpoints."""
    folder = spark.sparkContext.getCheckpointDir()
    if folder:
        hadoop_files.delete(spark, folder)


def _engine_faults(spark: SparkSession) -> list[Fault]:
    faults = []
    rows = int(spark.conf.get("spark.sql.execution.arrow.maxRecordsPerBatch", "10000") or 0)
    if not 0 < rows <= _MOST_ROWS_A_BATCH:
        key = "spark.sql.execution.arrow.maxRecordsPerBatch"
        faults.append(
            Fault(
                key,
                f"{rows} is too many for rows that hold images",
                f"Use 64, at most {_MOST_ROWS_A_BATCH}. {FIX_CONF}",
            )
        )
    for class_name, coordinate in (
        ("org.apache.iceberg.spark.SparkCatalog", "org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.10.2"),
        ("org.graphframes.GraphFrame", "io.graphframes:graphframes-spark3_2.12:0.10.0"),
    ):
        if not _on_class_path(spark, class_name):
            fix = f"Run make setup, or give spark-submit (or facesieve, before the command) --packages {coordinate}."
            faults.append(Fault("spark.jars", f"{class_name} is not on the class path", fix))
    if importlib.util.find_spec("graphframes") is None:
        faults.append(Fault("python", "the package graphframes is missing", "Install graphframes-py==0.10.0."))
    return faults


def _on_class_path(spark: SparkSession, class_name: str) -> bool:
    gateway = spark.sparkContext._gateway
    if gateway is None:
        return False
    loader = gateway.jvm.java.lang.Thread.currentThread().getContextClassLoader()
    return loader.getResource(class_name.replace(".", "/") + ".class") is not None
