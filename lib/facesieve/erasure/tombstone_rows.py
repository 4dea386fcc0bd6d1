"""The table `erased`: tombstones of the images that go, and no longer those that are too old."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pyspark.sql import functions as F

from facesieve.core import tombstones
from facesieve.core.ids import keyed_hash
from facesieve.core.resemblance import bands_of
from facesieve.core.tables import EMBEDDINGS, ERASED
from facesieve.embed.chunks.erased import tombstones as tombstones_in
from facesieve.embed.perceptual_hash import orientations
from facesieve.erasure.journal import Journal
from facesieve.erasure.selection import tips
from facesieve.lake.catalog import Stamp
from facesieve.lake.side_job import SideJob

Stone = tuple[str, str, list[str] | None]
"""Kind, hash and bands of a tombstone."""


def check_key(job: SideJob) -> None:
    """Raise ConfigError if there are tombstones, and `erase.key_file` is absent or another key than theirs."""
    tombstones_in(job.lake, job.config.erase.key_file)


def bury(job: SideJob, journal: Journal) -> None:
    """Write the tombstones of the subject, unless they are there. The key is made at its first use.

    Raises ConfigError if older tombstones are of another key.
    """
    settings, subject = job.config.erase, journal.subject
    images, digests = (subject.images, subject.digests) if journal.buried is None else (journal.buried, ())
    if not images and not digests:
        return
    check_key(job)
    place = tombstones.made_key(settings.key_file)
    if place is not None:
        job.warn(f"erase: {place} is the new key of the tombstones: keep it, outside the lake, as long as the lake")
    key, since = tombstones.read_key(settings.key_file), job.lake.open(ERASED)
    stones: list[Stone] = [(kind, each, None) for kind, each in tombstones.tombstones_of(key, images, digests)]
    stones.append((tombstones.KEY, tombstones.mark_of(key), None))
    if settings.block_similar and journal.buried is None:
        stones += _of_pictures(job, key, images)
    former = job.lake.read(ERASED, since).where(~F.col("hash").isin(*(each for _kind, each, _bands in stones)))
    if settings.tombstone_days:
        former = former.where(F.col("at") >= F.lit(datetime.now(UTC) - timedelta(days=settings.tombstone_days)))
    began = datetime.fromisoformat(journal.began)
    rows = [(kind, each, began, journal.by, journal.basis, journal.name, bands) for kind, each, bands in stones]
    new = job.spark.createDataFrame(rows, ERASED.columns)
    every = former.select(*ERASED.columns.names).unionByName(new).coalesce(1)
    job.lake.overwrite(ERASED, every, Stamp("", journal.name, {}), since)


def _of_pictures(job: SideJob, key: bytes, images: Sequence[int]) -> list[Stone]:
    """Return a tombstone of each picture that is still embedded, and of each of its quarter turns."""
    hashes = set[bytes]()
    for version in tips(job.lake, EMBEDDINGS) if job.lake.current(EMBEDDINGS) else []:
        rows = job.lake.read(EMBEDDINGS, version).where(F.col("image_id").isin(*images) & F.col("phash").isNotNull())
        for row in rows.select("phash", "turned_phash").distinct().collect():
            hashes.update(orientations(bytes(row.phash), bytes(row.turned_phash or b"")))
    pictures = ((each.hex(), bands_of(key, each)) for each in sorted(hashes))
    return [(tombstones.SIMILAR, keyed_hash(key, tombstones.SIMILAR, name), bands) for name, bands in pictures if bands]
