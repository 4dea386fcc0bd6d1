"""Hadoop's file calls, on a folder of this machine."""

from __future__ import annotations

import os
from pathlib import Path

from pyspark.sql import SparkSession

from facesieve.lake.hadoop_files import Child, children, delete, exists, newest


def test_files_and_folders(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    (tmp_path / "folder" / "a file").write_text("")
    os.utime(tmp_path / "folder" / "inner", (7, 7))
    os.utime(tmp_path / "folder" / "a file", (1_700_000_000, 1_700_000_000))
    place = f"file:{tmp_path}/folder"
    assert exists(spark, place)
    assert sorted(children(spark, place)) == [Child("a file", 1_700_000_000.0), Child("inner", 7.0)]
    assert newest(spark, place) == 1_700_000_000.0
    assert newest(spark, f"{place}/inner") is None
    delete(spark, f"{place}/a file")
    assert [child.name for child in children(spark, place)] == ["inner"]
    delete(spark, str(tmp_path / "folder"))
    assert (exists(spark, place), children(spark, place)) == (False, [])
    delete(spark, place)
