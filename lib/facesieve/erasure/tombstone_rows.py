"""The table `erased`: tombstones of the images that go, and no longer those that are too old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pyspark.sql import functions as F

from facesieve.core import tombstones
from facesieve.core.tables import ERASED
from facesieve.erasure.journal import Journal
from facesieve.lake.catalog import Stamp
from facesieve.lake.side_job import SideJob


def bury(job: SideJob, journal: Journal) -> None:
    """Write the tombstones of the subject, unless they are there. The key is made at its first use."""
    settings, subject = job.config.erase, journal.subject
    images, digests = (subject.images, subject.digests) if journal.buried is None else (journal.buried, ())
    if not images and not digests:
        return
    place = tombstones.made_key(settings.key_file)
    if place is not None:
        job.warn(f"erase: {place} is the new key of the tombstones: keep it, outside the lake, as long as the lake")
    key, since = tombstones.read_key(settings.key_file), job.lake.open(ERASED)
    stones = tombstones.tombstones_of(key, images, digests)
    former = job.lake.read(ERASED, since).where(~F.col("hash").isin(*(each for _kind, each in stones)))
    if settings.tombstone_days:
        former = former.where(F.col("at") >= F.lit(datetime.now(UTC) - timedelta(days=settings.tombstone_days)))
    began = datetime.fromisoformat(journal.began)
    rows = [(*stone, began, journal.by, journal.basis, journal.name) for stone in stones]
    new = job.spark.createDataFrame(rows, ERASED.columns)
    every = former.select(*ERASED.columns.names).unionByName(new).coalesce(1)
    job.lake.overwrite(ERASED, every, Stamp("", journal.name, {}), since)
