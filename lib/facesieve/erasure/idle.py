"""Since when an image is gone from the source, or alone: the dates by which retention goes.

An image is gone if the listing lacks it. It is alone if each of its faces is alone in its cluster, and the image is
not published. The log of a table tells at which version the table stood since when. Maintenance and erasures take
versions away, so the dates are noted in the table `idle` before.

Example: versions of the listing, and since when image 7 is gone on day 9.

    listing of day 1: 7, 8      day 4: 8      day 6: 7, 8      day 7: 8      ->  since day 7
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import reduce
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from facesieve.core import tables
from facesieve.core.side_sections import Retention
from facesieve.core.tables import IDLE, Idle, Table
from facesieve.lake import iceberg
from facesieve.lake.catalog import Lake, Snapshot, Stamp
from facesieve.lake.side_job import SideJob

GONE, ALONE = "gone", "alone"


class Stay(NamedTuple):
    """A version at which a table stood, and since when."""

    since: datetime
    version: Snapshot


def takes_images(settings: Retention) -> bool:
    """Say whether any image may ever be due."""
    return bool(settings.gone_days or settings.reject_days or settings.unclustered_days)


def note(job: SideJob, now: datetime) -> int:
    """Write to the table `idle` what is idle, and return how many images that is.

    Nothing is written where retention never takes an image, or where nothing is new.
    """
    if not takes_images(job.config.retention):
        return 0
    rows = idle_images(job, now).persist()
    number, former = rows.count(), job.lake.current(IDLE)
    same = former is not None and former.rows == number and rows.exceptAll(job.lake.read(IDLE, former)).isEmpty()
    if not same and (number or former is not None):
        job.lake.overwrite(IDLE, rows.coalesce(1), Stamp("", "", {}), job.lake.open(IDLE))
    rows.unpersist()
    return number


def idle_images(job: SideJob, now: datetime) -> Idle:
    """Return the images that are idle, each once for each kind, and since when."""
    since = (_gone(job, now), _alone(job))
    return Idle(reduce(DataFrame.unionByName, [each for each in since if each is not None], _nothing(job)))


def _gone(job: SideJob, now: datetime) -> DataFrame | None:
    """What no version that is left lists counts from the moment when it is first noted."""
    stays = _stays(job, tables.LISTING)
    if not stays:
        return None
    listed = [job.lake.read(tables.LISTING, stay.version).select("image_id") for stay in stays]
    stored = _images(job.lake, tables.EMBEDDINGS, tables.REJECTS)
    if stored is None:
        return None
    gone = stored.join(listed[-1], "image_id", how="left_anti")
    numbered = (rows.withColumn("at", F.lit(number)) for number, rows in enumerate(listed))
    last = reduce(DataFrame.unionByName, numbered).groupBy("image_id").agg(F.max("at").alias("last"))
    return _dated(job, GONE, gone.join(last, "image_id", how="left"), stays, F.lit(now))


def _alone(job: SideJob) -> DataFrame | None:
    """What is alone in all versions that are left is so since the first of them at least."""
    stays = _stays(job, tables.CLUSTERS)
    listed, stored = _images(job.lake, tables.LISTING), job.lake.current(tables.EMBEDDINGS)
    if not stays or listed is None or stored is None:
        return None
    faces = job.lake.read(tables.EMBEDDINGS, stored).select("face_id", "image_id")
    alone = [_alone_in(job.lake.read(tables.CLUSTERS, stay.version), faces) for stay in stays]
    published = _images(job.lake, tables.CLEANED)
    now = alone[-1].join(listed, "image_id", how="left_semi")
    now = now if published is None else now.join(published, "image_id", how="left_anti")
    numbered = (rows.withColumn("at", F.lit(number)) for number, rows in enumerate(alone))
    times = reduce(DataFrame.unionByName, numbered).groupBy("image_id").agg(F.collect_set("at").alias("alone"))
    every = F.array(*(F.lit(number) for number in range(len(stays))))
    last = times.select("image_id", F.array_max(F.array_except(every, "alone")).alias("last"))
    return _dated(job, ALONE, now.join(last, "image_id", how="left"), stays, F.lit(stays[0].since))


def _alone_in(clusters: DataFrame, faces: DataFrame) -> DataFrame:
    sizes = clusters.join(faces, "face_id", how="inner").groupBy("image_id")
    return sizes.agg(F.max("cluster_size").alias("most")).where(F.col("most") == 1).select("image_id")


def _dated(job: SideJob, kind: str, rows: DataFrame, stays: Sequence[Stay], otherwise: Column) -> DataFrame:
    """Give images their date: `last` is the number of the last version in which they were not so; null: in none."""
    times = F.array(*(F.lit(stay.since) for stay in stays))
    noted = job.lake.current(IDLE)
    former = _nothing(job) if noted is None else job.lake.read(IDLE, noted)
    former = former.where(F.col("kind") == kind).select("image_id", F.col("since").alias("noted"))
    following = F.get(times, F.col("last") + 1)
    since = F.coalesce(following, "noted", otherwise).cast("timestamp").alias("since")
    return rows.join(former, "image_id", how="left").select(F.lit(kind).alias("kind"), "image_id", since)


def _stays(job: SideJob, table: Table) -> list[Stay]:
    """Return at which versions a table stood one after the other, as far as they are left."""
    if job.lake.current(table) is None:
        return []
    versions = {each.id: each for each in job.lake.versions(table)}
    moves = iceberg.existing(job.spark, job.lake.name_of(table)).moves()
    stays: list[Stay] = []
    for at, id in moves:
        version = versions.get(id)
        if version is not None and (not stays or stays[-1].version.version != version.version):
            stays.append(Stay(datetime.fromtimestamp(at / 1_000, UTC), version))
    return stays


def _images(lake: Lake, *chosen: Table) -> DataFrame | None:
    """Return the images of tables as they stand, each once; None where none of the tables is there."""
    here = ((table, lake.current(table)) for table in chosen)
    rows = [lake.read(table, at).select("image_id") for table, at in here if at is not None]
    return reduce(DataFrame.unionByName, rows).distinct() if rows else None


def _nothing(job: SideJob) -> DataFrame:
    return job.spark.createDataFrame([], IDLE.columns)
