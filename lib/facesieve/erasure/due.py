"""What retention lets go: images that have been idle for too long, old exports, old rows of the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pyarrow.fs import FileType
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core import tables
from facesieve.core.sections import OUTPUTS
from facesieve.erasure.exports import MARK, runs_below
from facesieve.erasure.idle import ALONE, GONE, idle_images, takes_images
from facesieve.erasure.plan import export_roots
from facesieve.images.storage import Storage
from facesieve.lake.side_job import SideJob
from facesieve.publish.exports import SUCCESS, current, pointer_is_folder


@dataclass(frozen=True)
class Due:
    """What goes.

    gone: images with a face that are gone from the source; rejects: gone images without a face; unclustered: images
    that are alone. exports: root and run. runs: names of rows of the ledger.
    """

    gone: Sequence[int] = ()
    rejects: Sequence[int] = ()
    unclustered: Sequence[int] = ()
    exports: Sequence[tuple[str, str]] = ()
    runs: Sequence[str] = ()

    @property
    def images(self) -> tuple[int, ...]:
        """Return all images, ascending."""
        return tuple(sorted({*self.gone, *self.rejects, *self.unclustered}))

    def counts(self) -> dict[str, int]:
        """Return how many of each."""
        return {name: len(getattr(self, name)) for name in self.__dataclass_fields__}


def due_of(job: SideJob, now: datetime) -> Due:
    """Look through the lake, its exports and its ledger."""
    settings = job.config.retention
    gone, rejects, unclustered = _images(job, now) if takes_images(settings) else ((), (), ())
    exports = tuple(_exports(job, now - timedelta(days=settings.export_days))) if settings.export_days else ()
    runs = tuple(_runs(job, now - timedelta(days=settings.run_days), exports)) if settings.run_days else ()
    return Due(gone, rejects, unclustered, exports, runs)


def _images(job: SideJob, now: datetime) -> tuple[tuple[int, ...], ...]:
    """Return images that are gone, gone images without a face, and images that are alone."""
    settings, kind, faceless = job.config.retention, F.col("kind"), F.col("face").isNull()
    late = (
        ((kind == GONE) & ~faceless, settings.gone_days),
        ((kind == GONE) & faceless, _sooner(settings.gone_days, settings.reject_days)),
        (kind == ALONE, settings.unclustered_days),
    )
    rows = _with_faces(job, idle_images(job, now)).persist()
    overdue = ((of & (F.col("since") <= now - timedelta(days=days)), days) for of, days in late)
    due = tuple(_ids(rows.where(of)) if days else () for of, days in overdue)
    rows.unpersist()
    return due


def _ids(rows: DataFrame) -> tuple[int, ...]:
    return tuple(sorted(row.image_id for row in rows.select("image_id").collect()))


def _sooner(*days: int) -> int:
    return min((each for each in days if each), default=0)


def _with_faces(job: SideJob, idle: DataFrame) -> DataFrame:
    at = job.lake.current(tables.EMBEDDINGS)
    if at is None:
        return idle.withColumn("face", F.lit(None).cast("boolean"))
    faces = job.lake.read(tables.EMBEDDINGS, at).select("image_id", F.lit(True).alias("face")).distinct()
    return idle.join(faces, "image_id", how="left")


def _exports(job: SideJob, before: datetime) -> Iterator[tuple[str, str]]:
    """Yield the exports that were written before, but for the one that CURRENT names."""
    for root in export_roots(job):
        storage = Storage(root)
        if not storage.exists() or pointer_is_folder(storage):
            continue
        named = current(storage)
        for run in runs_below(storage):
            if run != named and _written(storage, run) < before:
                yield root, run


def _written(root: Storage, run: str) -> datetime:
    """Return when an export was last written to: its mark is made first, and `_SUCCESS` of each form last."""
    infos = (root.info(f"{run}/{name}") for name in (MARK, *(f"{form}/{SUCCESS}" for form in OUTPUTS)))
    times: list[datetime] = [info.mtime for info in infos if info.type == FileType.File]
    return max(times).astimezone(UTC)


def _runs(job: SideJob, before: datetime, exports: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield the rows of the ledger that nobody needs.

    The newest run that is done stays, and so does each run that made a version of a table that is still there: what
    was undone must be known as undone, and what is reused tells what was recorded of it. A run whose export stays,
    stays.
    """
    at = job.lake.current(tables.RUNS)
    if at is None:
        return
    rows = job.lake.read(tables.RUNS, at).select("run", "status", F.coalesce("ended", "started").alias("last"))
    ordered = sorted(rows.collect(), key=lambda row: (row["last"], row.run))
    newest = next((row.run for row in reversed(ordered) if row.status == "done"), None)
    needed = {newest, *_makers(job), *_exporters(job, exports)}
    yield from (row.run for row in ordered if row["last"].astimezone(UTC) < before and row.run not in needed)


def _makers(job: SideJob) -> set[str]:
    here = [table for table in tables.IN_LAKE if job.lake.current(table) is not None]
    return {version.run for table in here for version in job.lake.versions(table)}


def _exporters(job: SideJob, going: Sequence[tuple[str, str]]) -> set[str]:
    every = [(root, run) for root in export_roots(job) for run in runs_below(Storage(root))]
    return {run for root, run in every if (root, run) not in going}
