"""Since when images are gone or alone, also when the versions that told it are expired."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import erasable
import lapsed
from pyspark.sql import SparkSession
from small_lake import small_lake

from facesieve.core import tables
from facesieve.core.config import Config
from facesieve.core.side_sections import Retention
from facesieve.core.tables import Table
from facesieve.erasure.idle import idle_images, note
from facesieve.erasure.rebase import Rebase
from facesieve.lake import iceberg
from facesieve.lake.catalog import Lake
from facesieve.lake.side_job import SideJob

CONFIG = replace(Config(), retention=Retention(gone_days=1))
NOW = datetime(2099, 1, 1, tzinfo=UTC)


def dates(job: SideJob, now: datetime = NOW) -> dict[tuple[str, int], datetime]:
    rows = idle_images(job, now).collect()
    assert len({(row.kind, row.image_id) for row in rows}) == len(rows)
    return {(row.kind, erasable.small(row.image_id)): row.since.astimezone(UTC) for row in rows}


def stood(job: SideJob, table: Table) -> datetime:
    """When the table came to stand where it stands."""
    at, _ = iceberg.existing(job.spark, job.lake.name_of(table)).moves()[-1]
    return datetime.fromtimestamp(at / 1_000, UTC)


def test_dates_come_from_the_versions_that_are_left(spark: SparkSession, lapsed_lake: Lake) -> None:
    job = lapsed.job_on(spark, lapsed_lake, CONFIG)
    gone, alone = stood(job, tables.LISTING), stood(job, tables.CLUSTERS)
    assert dates(job) == {("gone", 1): gone, ("gone", 7): gone, ("alone", 2): alone}, "2 was in company in between"


def test_dates_that_are_noted_outlive_their_versions(spark: SparkSession) -> None:
    job = lapsed.job_on(spark, small_lake(spark), CONFIG)
    lake = job.lake
    erasable.put(spark, lake, tables.EMBEDDINGS, [lapsed.face(number) for number in (1, 2, 3)])
    erasable.put(spark, lake, tables.LISTING, [lapsed.image(1), lapsed.image(2)], "first")
    erasable.put(spark, lake, tables.LISTING, [lapsed.image(2)], "second")
    before = {("gone", 1): stood(job, tables.LISTING), ("gone", 3): NOW}
    assert dates(job) == before, "3 was never listed, and counts from when it is noted"
    assert note(replace(job, config=Config()), NOW) == 0, "retention is not asked for"
    assert lake.current(tables.IDLE) is None
    assert note(job, NOW) == 2
    once, later = lake.snapshot(tables.IDLE).id, datetime(2100, 1, 1, tzinfo=UTC)
    rebase = Rebase(spark, lake.name_of(tables.LISTING), "r")
    rebase.rewrite(rebase.read(), {})
    rebase.purge()
    assert (dates(job, later), note(job, later), lake.snapshot(tables.IDLE).id) == (before, 2, once)
    erasable.put(spark, lake, tables.LISTING, [lapsed.image(number) for number in (1, 2, 3)], "third")
    assert dates(job) == {}, "what has come back is not idle"
    erasable.put(spark, lake, tables.LISTING, [lapsed.image(2), lapsed.image(3)], "fourth")
    assert dates(job) == {("gone", 1): stood(job, tables.LISTING)}, "and counts anew when it goes again"
