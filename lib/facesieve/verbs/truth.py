"""A truth table that people give: which identity each image is of."""

from __future__ import annotations

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from facesieve.console import count
from facesieve.errors import ConfigError, Fault
from facesieve.session import absolute

_COLUMNS = ("uri", "identity")


def read_truth(spark: SparkSession, place: str) -> DataFrame:
    """Read uri and identity (null where empty), one row per uri, from CSV with a header (by its suffix) or Parquet.

    Raises ConfigError if it cannot be read, lacks a column, holds nothing, or names two identities for one uri.
    """
    try:
        given = _read(spark, absolute(place))
    except AnalysisException as problem:
        said = f"{place} cannot be read ({str(problem).splitlines()[0][:200]})"
        raise _fault(said, "Give a CSV file with a header, or a Parquet data set.") from problem
    lacking = [name for name in _COLUMNS if name not in given.columns]
    if lacking:
        raise _fault(f"it has no column {' and no '.join(lacking)}", "Give the columns uri and identity.")
    identity = F.nullif(F.trim(F.col("identity").cast("string")), F.lit(""))
    named = given.select("uri", identity.alias("identity")).where("uri IS NOT NULL AND identity IS NOT NULL").distinct()
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


def _fault(problem: str, fix: str) -> ConfigError:
    return ConfigError([Fault("--truth", problem, fix)])
