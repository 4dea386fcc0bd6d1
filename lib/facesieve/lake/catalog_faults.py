"""What may be wrong with the catalog that the tables are in, before anything is written."""

from __future__ import annotations

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from facesieve.core.errors import Fault
from facesieve.core.places import absolute, is_uri
from facesieve.core.sections import Lake

FIX_CONF = (
    "On one machine set SPARK_CONF_DIR=conf/spark; on a cluster give spark-submit --properties-file "
    "conf/spark/cluster.conf, with your catalog in it."
)

_EXTENSIONS = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"
_HADOOP = "org.apache.iceberg.hadoop.HadoopCatalog"
_WITHOUT_RENAME = frozenset(("s3", "s3a", "s3n", "gs", "wasb", "wasbs", "oss", "cos", "cosn", "obs", "swift"))
"""Schemes of stores that copy where a file system renames; abfs renames at once."""


def catalog_faults(spark: SparkSession, lake: Lake) -> list[Fault]:
    """Return what Spark's settings lack for the catalog `lake.catalog`, and why its tables would not be safe there."""
    faults = []
    key = _key(lake.catalog)
    if not spark.conf.get(key, ""):
        faults.append(Fault("lake.catalog", f"Spark has no catalog of that name ({key} is not set)", FIX_CONF))
    if _EXTENSIONS not in str(spark.conf.get("spark.sql.extensions", "")):
        faults.append(Fault("spark.sql.extensions", "Iceberg's extensions are not in it", FIX_CONF))
    return faults + _store_faults(spark, lake)


def is_hadoop(spark: SparkSession, catalog: str) -> bool:
    """Say whether a catalog finds its tables by the names of files, and commits by renaming one."""
    kinds = {name: str(spark.conf.get(f"{_key(catalog)}.{name}", "")) for name in ("type", "catalog-impl")}
    return kinds["type"].lower() == "hadoop" or kinds["catalog-impl"] == _HADOOP


def loading_faults(spark: SparkSession, catalog: str) -> list[Fault]:
    """Return why Spark cannot load a catalog, if it cannot; it would take the name for a namespace of its own else."""
    try:
        spark._jsparkSession.sessionState().catalogManager().catalog(catalog)
    except Py4JJavaError as problem:
        cause = problem.java_exception
        while cause.getCause() is not None:
            cause = cause.getCause()
        fix = f"Correct the settings {_key(catalog)}.*, and see whether the catalog can be reached from here."
        return [Fault("lake.catalog", f"the catalog {catalog} cannot be loaded ({str(cause.toString())[:300]})", fix)]
    return []


def _store_faults(spark: SparkSession, lake: Lake) -> list[Fault]:
    if not is_hadoop(spark, lake.catalog):
        return []
    warehouse = absolute(lake.root) if lake.root else str(spark.conf.get(f"{_key(lake.catalog)}.warehouse", ""))
    if not is_uri(warehouse):
        warehouse = str(spark.sparkContext._jsc.hadoopConfiguration().get("fs.defaultFS", ""))
    scheme = warehouse.partition("://")[0].lower()
    if scheme not in _WITHOUT_RENAME:
        return []
    problem = (
        f"a catalog of type hadoop on {scheme}:// may lose a commit: two can succeed, since nothing is renamed there"
    )
    fix = f"Give {_key(lake.catalog)}.type another catalog (rest, glue, hive, jdbc), and leave lake.root empty."
    return [Fault("lake.root" if lake.root else "lake.catalog", problem, fix)]


def _key(catalog: str) -> str:
    return f"spark.sql.catalog.{catalog}"
