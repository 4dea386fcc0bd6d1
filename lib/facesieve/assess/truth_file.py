"""A truth table that people give: which identity each image is of."""

from __future__ import annotations

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from facesieve.core.console import count
from facesieve.core.errors import ConfigError, Fault
from facesieve.lake.session import absolute

_COLUMNS = ("uri", "identity")


def read_truth(spark: SparkSession, place: str) -> DataFrame:
    """Read uri and identity (null where empty), one row per uri, from CSV with a header (by its suffix) or Parquet.

    Raises ConfigError if it cannot be read, lacks a column, holds nothing, or names two identities for one uri.
    """
    try:
        given = _read(spark, absolute(place))
    except (Py4JJavaError, PySparkException) as problem:
        said = f"{place} cannot be read ({_cause(problem)})"
        fix = "Give a CSV file (its name ends in .csv) with a header, or a Parquet data set, where Spark can read it."
        raise _fault(said, fix) from problem
    given = given.toDF(*(name.strip() for name in given.columns))
    lacking = [name for name in _COLUMNS if given.columns.count(name) != 1]
    if lacking:
        raise _fault(
            f"it has not one column {' and not one '.join(lacking)}", "Give the columns uri and identity, once."
        )
    nested = [name for name in _COLUMNS if not isinstance(given.schema[name].dataType, T.AtomicType)]
    if nested:
        raise _fault(f"its column {nested[0]} holds no plain values", "Give uri and identity as text.")
    identity = F.nullif(F.trim(F.col("identity").cast("string")), F.lit(""))
    named = (
        given.select(F.col("uri").cast("string"), identity.alias("identity"))
        .where("uri IS NOT NULL AND identity IS NOT NULL")
        .distinct()
    )
    row = named.agg(F.count("*").alias("rows"), F.count_distinct("uri").alias("uris")).collect()[0]
    if not row.rows:
        raise _fault("it names no identity of any image", "Give one row per image, uri and identity.")
    if row.rows != row.uris:
        raise _fault(f"{count(row.rows - row.uris)} uris have two identities", "Give each uri one identity.")
    return named


def _read(spark: SparkSession, place: str) -> DataFrame:
    if place.lower().endswith(".csv"):
        return spark.read.options(header=True, escape='"').csv(place)
    return spark.read.parquet(place)


def _cause(problem: Exception) -> str:
    """Return the sentence that says most: the innermost cause's first line."""
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    told = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")] or lines
    return told[-1][:200] if isinstance(problem, Py4JJavaError) else told[0][:200]


def _fault(problem: str, fix: str) -> ConfigError:
    return ConfigError([Fault("--truth", problem, fix)])
