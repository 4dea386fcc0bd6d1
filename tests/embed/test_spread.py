from __future__ import annotations

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from facesieve.embed.spread import chunk_of, spread, spread_to_digest
from facesieve.images.packs.archives import ArchiveFetch
from facesieve.images.storage import Storage


def _images(spark: SparkSession) -> DataFrame:
    members = [
        (f"{archive:02}.{suffix}!/{number}.jpg",)
        for archive in range(40)
        for number in range(5)
        for suffix in ("tgz", "zip")
    ]
    return spark.createDataFrame([*members, ("alone.jpg",)], "uri string")


def _homes(rows: DataFrame, part: object, suffix: str) -> int:
    """In how many parts the archives of a suffix lie, in all."""
    archive = F.regexp_extract("uri", r"^(.*)!/", 1).alias("archive")
    pairs = rows.select(archive, part.alias("part")).where(F.col("archive").endswith(suffix))  # type: ignore[attr-defined]
    return pairs.distinct().count()


def test_files_are_dealt_by_their_uris_as_ever(spark: SparkSession) -> None:
    chunks = _images(spark).select(chunk_of(0, 7).alias("chunk"), F.pmod(F.xxhash64("uri"), F.lit(7)).alias("by_uri"))
    assert chunks.where("chunk <> by_uri").isEmpty()


@pytest.mark.parametrize(("archives", "zips"), [(80, 40), (3, 130)])
def test_many_archives_stay_whole_and_of_few_the_compressed_ones(archives: int, zips: int, spark: SparkSession) -> None:
    images = _images(spark)
    assert _homes(images, chunk_of(archives, 10), ".tgz") == 40
    assert _homes(images, chunk_of(archives, 10), ".zip") >= zips
    assert _homes(images, chunk_of(archives, 10), ".zip") <= max(zips, 40 * 5)
    dealt = spread(images, archives, 10)
    assert dealt.count() == images.count()
    assert _homes(dealt, F.spark_partition_id(), ".tgz") == 40
    assert (_homes(dealt, F.spark_partition_id(), ".zip") == 40) == (archives == 80)


def test_a_task_gets_the_members_of_an_archive_in_order(spark: SparkSession) -> None:
    parts = spread(_images(spark), 80, 3).select("uri").rdd.glom().collect()
    assert all([row.uri for row in part] == sorted(row.uri for row in part) for part in parts)


def test_a_tar_is_digested_by_one_task_or_by_two_that_share_it_and_a_zip_by_all(spark: SparkSession) -> None:
    members = [(f"{part:02}.{suffix}!/{at}.jpg",) for part in range(20) for at in range(9) for suffix in ("tar", "zip")]
    images, tasks = _images(spark).union(spark.createDataFrame(members, "uri string")), 8
    dealt = spread_to_digest(images, ArchiveFetch(Storage("/"), archives=120), tasks)
    assert dealt.count() == images.count()
    task = F.spark_partition_id()
    assert _homes(dealt, task, ".tgz") == 40
    assert 20 <= _homes(dealt, task, ".tar") <= 20 + tasks - 1
    assert _homes(dealt, task, ".zip") > 2 * 40
    parts = dealt.select("uri").rdd.glom().collect()
    assert all([row.uri for row in part] == sorted(row.uri for row in part) for part in parts)


def test_no_sample_is_taken_of_images_that_lie_in_no_archive(spark: SparkSession) -> None:
    for fetch in (ArchiveFetch(Storage("/")), lambda uri: b""):
        plan = spread_to_digest(_images(spark), fetch, 8)._jdf.queryExecution().toString()
        assert ("hashpartitioning" in plan, "rangepartitioning" in plan) == (True, False)
