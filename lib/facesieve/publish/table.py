"""The table `cleaned` of a run: written on a branch, proved and audited there, and only then current and tagged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pyspark.sql import functions as F

from facesieve.core import tables
from facesieve.core.errors import Refused
from facesieve.core.tables import Cleaned, Decisions, Embeddings
from facesieve.lake.catalog import Snapshot
from facesieve.lake.listed_snapshot import listed_source
from facesieve.lake.publication import Publication
from facesieve.lake.run import Run, Stage
from facesieve.publish import image_files
from facesieve.publish.check_files import Check
from facesieve.publish.check_queries import Views
from facesieve.publish.checks import failed_checks, failures
from facesieve.publish.cleaned import cleaned, prove_published
from facesieve.publish.wanted import Wanted


class Published(NamedTuple):
    """What is published: rows of the table, the tag that it bears, and whether an earlier run has written it."""

    rows: int
    tag: str | None
    reused: bool


def publish_table(stage: Stage, faces: Wanted, checks: Sequence[Check], written: Snapshot | None) -> Published:
    """Write the table, if it is not written yet, and make it current. A version that fails is never current.

    Raises Refused, with the names of the checks, if a check finds rows: the version is then left at a branch.
    """
    if written is not None:
        rows = prove_published(faces, Cleaned(stage.run.lake.read(tables.CLEANED, written)))
        return Published(rows, _publish(stage, checks, written), reused=True)
    with stage.draft(tables.CLEANED) as writing:
        writing.overwrite(_rows(stage, faces))
        rows = prove_published(faces, Cleaned(writing.read()))
        # From here on the version bears its key: a run that dies below is gone on with from here.
        tag = _publish(stage, checks, writing.seal(), writing.branch)
    return Published(rows, tag, reused=False)


def with_bytes(run: Run, rows: Cleaned) -> Cleaned:
    """Fill the column `bytes` from the source."""
    images = listed_source(run)
    if not images.carries_content:
        return image_files.with_bytes(rows, images.fetch())
    content = images.images(run.spark).select("uri", F.col("content").alias("bytes"))
    return Cleaned(rows.drop("bytes").join(content, "uri", "left"))


def _rows(stage: Stage, faces: Wanted) -> Cleaned:
    embedded = Embeddings(stage.of_model(tables.EMBEDDINGS))
    rows = cleaned(faces, embedded)
    return with_bytes(stage.run, rows) if stage.run.config.publish.bytes else rows


def _publish(stage: Stage, checks: Sequence[Check], version: Snapshot, branch: str = "") -> str | None:
    """Audit a version, make it current and return its tag."""
    _audit(stage, checks, version)
    return stage.publish(tables.CLEANED, version, stage.run.config.publish.keep_tags, branch)


def _audit(stage: Stage, checks: Sequence[Check], version: Snapshot) -> None:
    run = stage.run
    if not checks:
        return
    staged, published = run.lake.read(tables.CLEANED, version), stage.former(tables.CLEANED)
    views = Views(Decisions(stage.read(tables.DECISIONS)), Cleaned(staged), Cleaned(published))
    failed = failures(run.spark, checks, views)
    if failed:
        place = Publication(run.spark, run.lake, tables.CLEANED).leave(version)
        raise Refused(
            f"{failed_checks(failed, len(checks))} Nothing was published: the rows are in the table cleaned, "
            f"VERSION AS OF '{place}'. Run a query there to see what it finds."
        )
