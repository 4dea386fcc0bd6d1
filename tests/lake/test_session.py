"""The session: what is checked before a job begins, and where it keeps what it clears away."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from facesieve.core.errors import ConfigError
from facesieve.core.sections import Lake
from facesieve.lake import session

PUSH_DOWN = "spark.sql.iceberg.aggregate-push-down.enabled"
ICEBERG = "org.apache.iceberg.spark.SparkCatalog"


def test_checkpoints_are_in_scratch_or_below_the_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert session.scratch(Lake(root="lake/")) == str(tmp_path / "lake/_scratch")
    assert session.scratch(Lake(root="lake", scratch="s3a://bucket/scratch")) == "s3a://bucket/scratch"


def test_a_session_that_is_ready_serves_the_lakes_root(spark: SparkSession, tmp_path: Path) -> None:
    spark.conf.set("spark.sql.catalog.ready", ICEBERG)
    spark.conf.set("spark.sql.catalog.ready.type", "hadoop")
    former = spark.sparkContext.getCheckpointDir()
    spark.conf.set(PUSH_DOWN, "true")
    try:
        assert session.start(Lake(root=f"{tmp_path}/lake", catalog="ready")) is spark
        assert spark.conf.get(PUSH_DOWN) == "false", "whatever the cluster says"
        assert spark.conf.get("spark.sql.catalog.ready.warehouse") == f"{tmp_path}/lake"
        (checkpoints,) = (tmp_path / "lake/_scratch").iterdir()
        session.clear_scratch(spark)
        assert not checkpoints.exists()
    finally:
        spark.sparkContext.setCheckpointDir(former or str(tmp_path))


def test_what_is_missing_is_told_at_once(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_on_class_path", lambda spark, name: "graphframes" not in name)
    rows = spark.conf.get("spark.sql.execution.arrow.maxRecordsPerBatch")
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", 5_000)
    try:
        with pytest.raises(ConfigError) as caught:
            session.start(Lake(root="/nowhere", catalog="absent"))
    finally:
        spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", rows or "64")
    assert [(fault.key, fault.problem) for fault in caught.value.faults] == [
        ("lake.catalog", "Spark has no catalog of that name (spark.sql.catalog.absent is not set)"),
        ("spark.sql.execution.arrow.maxRecordsPerBatch", "5000 is too many for rows that hold images"),
        ("spark.jars", "org.graphframes.GraphFrame is not on the class path"),
    ]


def test_a_class_path_is_looked_at(spark: SparkSession) -> None:
    assert session._on_class_path(spark, ICEBERG)
    assert not session._on_class_path(spark, "org.apache.iceberg.Nothing")


def test_a_scratch_folder_that_cannot_be_made(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"lake\.scratch: .*cannot be made"):
        session.start(Lake(scratch=f"{tmp_path}/file/scratch"))


def test_the_greatest_of_long_values_is_a_value_that_is_there(spark: SparkSession) -> None:
    """The shipped configuration switches off what would answer from bounds that are cut to 16 bytes."""
    assert spark.conf.get(PUSH_DOWN) == "false"
    table = f"lake.ns_{uuid.uuid4().hex[:8]}.names"
    names = [f"a long name of a person {number:04d}" for number in range(9)]
    rows = spark.createDataFrame([(name, bytearray(name.encode())) for name in names], "name string, bytes binary")
    rows.writeTo(table).using("iceberg").create()
    spark.sql(f"ALTER TABLE {table} SET TBLPROPERTIES ('write.metadata.metrics.default' = 'full')")
    ends = f"SELECT min(name), max(name), min(bytes), max(bytes) FROM {table}"

    def least_and_most() -> list[str]:
        row = spark.sql(ends).collect()[0]
        return [*row[:2], *(value.decode() for value in row[2:])]

    assert least_and_most() == [names[0], names[-1]] * 2
    spark.conf.set(PUSH_DOWN, "true")
    try:
        assert not set(least_and_most()) & set(names), "Iceberg is mended: this setting may go"
    finally:
        spark.conf.set(PUSH_DOWN, "false")
