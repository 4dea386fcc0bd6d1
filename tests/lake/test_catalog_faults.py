"""Catalogs in which tables would not be safe are refused before anything is written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from facesieve.core.sections import Lake
from facesieve.lake.catalog_faults import catalog_faults, is_hadoop, loading_faults

KEY = "spark.sql.catalog.stored"


@pytest.fixture
def catalog(spark: SparkSession) -> Iterator[SparkSession]:
    spark.conf.set(KEY, "org.apache.iceberg.spark.SparkCatalog")
    yield spark
    for name in ("type", "catalog-impl", "warehouse", "uri"):
        spark.conf.unset(f"{KEY}.{name}")


@pytest.mark.parametrize("place", ["s3a://bucket/lake", "S3://bucket/lake", "gs://bucket", "wasbs://a@b/c"])
@pytest.mark.parametrize("named", ["root", "warehouse"])
def test_a_hadoop_catalog_on_an_object_store_is_refused(catalog: SparkSession, place: str, named: str) -> None:
    catalog.conf.set(f"{KEY}.type", "hadoop")
    catalog.conf.set(f"{KEY}.warehouse", "/elsewhere" if named == "root" else place)
    (fault,) = catalog_faults(catalog, Lake(catalog="stored", root=place if named == "root" else ""))
    assert fault.key == {"root": "lake.root", "warehouse": "lake.catalog"}[named]
    assert "may lose a commit" in fault.problem
    assert f"{KEY}.type" in fault.fix


@pytest.mark.parametrize("place", ["/lake", "relative/lake", "file:/lake", "hdfs://name/lake", "abfss://a@b/c"])
def test_a_hadoop_catalog_on_a_file_system_that_renames_is_taken(catalog: SparkSession, place: str) -> None:
    catalog.conf.set(f"{KEY}.type", "hadoop")
    assert catalog_faults(catalog, Lake(catalog="stored", root=place)) == []


def test_a_path_without_a_scheme_is_where_hadoop_says(catalog: SparkSession) -> None:
    catalog.conf.set(f"{KEY}.type", "hadoop")
    hadoop = catalog.sparkContext._jsc.hadoopConfiguration()
    former = hadoop.get("fs.defaultFS", "file:///")
    hadoop.set("fs.defaultFS", "s3a://bucket")
    try:
        (fault,) = catalog_faults(catalog, Lake(catalog="stored", root="/lake"))
    finally:
        hadoop.set("fs.defaultFS", former)
    assert "s3a://" in fault.problem


def test_other_catalogs_may_be_on_an_object_store(catalog: SparkSession) -> None:
    catalog.conf.set(f"{KEY}.type", "rest")
    catalog.conf.set(f"{KEY}.warehouse", "s3://bucket/lake")
    assert catalog_faults(catalog, Lake(catalog="stored")) == []


def test_a_catalog_named_by_its_class_is_known(catalog: SparkSession) -> None:
    assert not is_hadoop(catalog, "stored")
    catalog.conf.set(f"{KEY}.catalog-impl", "org.apache.iceberg.hadoop.HadoopCatalog")
    assert is_hadoop(catalog, "stored")


def test_a_catalog_that_cannot_be_reached_is_named(catalog: SparkSession) -> None:
    assert loading_faults(catalog, "lake") == []
    catalog.conf.set(f"{KEY}.type", "rest")
    catalog.conf.set(f"{KEY}.uri", "http://127.0.0.1:9/")
    (fault,) = loading_faults(catalog, "stored")
    assert fault.key == "lake.catalog"
    assert fault.problem.startswith("the catalog stored cannot be loaded (")
    assert "refused" in fault.problem
