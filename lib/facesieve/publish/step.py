"""publish: write the cleaned data set. decisions -> cleaned, and the exports beside it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core import tables
from facesieve.core.console import count
from facesieve.core.errors import ConfigError, Fault, Refused
from facesieve.core.tables import Cleaned, Clusters, Decisions, Embeddings
from facesieve.lake.run import STEP_OF, Run, Stage
from facesieve.publish.change_guard import Change, compare
from facesieve.publish.check_files import Check
from facesieve.publish.check_queries import Views, no_rows
from facesieve.publish.checks import failed_checks, failures, prepared
from facesieve.publish.cleaned import cleaned
from facesieve.publish.outputs import check_export_root, write_exports
from facesieve.publish.per_face import nameless_faces
from facesieve.publish.table import publish_table
from facesieve.publish.wanted import Wanted, wanted

_log = logging.getLogger(__name__)

_CONTENT = ("per_face", "buckets", "bytes")
"""Keys that say what is in `cleaned`. The others say whether it is written, and what exports are made of it."""


def publish(run: Run) -> None:
    """Write the kept images as the table `cleaned` and as exports, or say what would be written (dry run)."""
    settings = run.config.publish
    checks = prepared(run.spark, settings.checks)
    if not settings.apply:
        _dry_run(run, checks)
        return
    check_export_root(settings)
    stage = _stage(run)
    written, faces = stage.find(tables.CLEANED), _wanted(run, stage.read)
    stays = written is not None and written.version == stage.since[tables.CLEANED.name].version
    # What stays is read once more, to be proved. Else several queries read the faces, most of them by identity.
    faces = faces if stays else Wanted(faces.repartition("identity").persist())
    change = None if stays and not settings.per_face else _accepted(stage, faces)
    published = publish_table(stage, faces, checks, written)
    exported = write_exports(stage, published.rows)
    record = replace((change or Change(published.rows)).record(exported), checks=len(checks), tag=published.tag)
    rows_in, reused = stage.count(tables.DECISIONS), published.reused and not exported
    stage.done(replace(record, rows_in=rows_in, rows_out=published.rows, reused=reused))


def _accepted(stage: Stage, faces: Wanted) -> Change:
    """Return what becomes of the published images. Raises Refused if that is too much."""
    decided = Decisions(stage.read(tables.DECISIONS))
    change = compare(Cleaned(stage.former(tables.CLEANED)), faces, decided)
    objection = change.objection(stage.run.config.publish)
    if objection:
        raise Refused(objection)
    _warn_of_gone(stage.run, change)
    return change


def _stage(run: Run) -> Stage:
    settings = run.config.publish
    content = {name: value for name, value in asdict(settings).items() if name in _CONTENT}
    inputs: tuple[tables.Table, ...] = (tables.EMBEDDINGS, tables.DECISIONS)
    if settings.per_face:
        inputs, content["min_faces"] = (*inputs, tables.CLUSTERS), run.config.decide.min_faces
    return run.stage("publish", (tables.CLEANED,), inputs, publish=content, model=run.model)


def _wanted(run: Run, read: Callable[[tables.Table], DataFrame]) -> Wanted:
    """Return what is to be published: of images without an identity all faces, if `publish.per_face` says so."""
    decided = Decisions(read(tables.DECISIONS))
    if not run.config.publish.per_face:
        return wanted(decided)
    faces = Embeddings(read(tables.EMBEDDINGS).where(F.col("model") == run.model))
    clusters = Clusters(read(tables.CLUSTERS))
    every = wanted(decided, nameless_faces(decided, faces, clusters, run.config.decide.min_faces))
    if every.groupBy("image_id").count().where("count > 1").isEmpty():
        why = 'no image without an identity has two faces in large clusters; embed.faces = "all" finds more'
        run.warn(f"publish: publish.per_face changes nothing: {why}")
    return every


def _dry_run(run: Run, checks: Sequence[Check]) -> None:
    read = partial(_now, run)
    faces, snapshot = _wanted(run, read), run.lake.current(tables.CLEANED)
    published = no_rows(run.spark).cleaned if snapshot is None else Cleaned(run.lake.read(tables.CLEANED, snapshot))
    change = compare(published, faces, Decisions(read(tables.DECISIONS))) if snapshot else Change()
    objection = change.objection(run.config.publish)
    failed = failures(run.spark, checks, _to_be_published(run, faces, published)) if checks else []
    if failed:
        objection = f"{objection} {failed_checks(failed, len(checks))}".strip()
    if objection:
        run.warn(f"publish: an apply would be refused. {objection}")
    else:
        _warn_of_gone(run, change)
    images, rows = faces.agg(F.count_distinct("image_id"), F.count("*")).collect()[0]
    people = f" ({count(rows)} faces)" if run.config.publish.per_face else ""
    summary = "; ".join(filter(None, [f"dry run, {count(images)} images{people} would be published", change.summary()]))
    _log.info(f"publish: {summary}; publish.apply = true writes them")


def _to_be_published(run: Run, faces: Wanted, published: Cleaned) -> Views:
    """Return what an apply would be audited with; `bytes` is null."""
    read = partial(_now, run)
    embedded = Embeddings(read(tables.EMBEDDINGS).where(F.col("model") == run.model))
    return Views(Decisions(read(tables.DECISIONS)), cleaned(faces, embedded), published)


def _now(run: Run, table: tables.Table) -> DataFrame:
    snapshot = run.now(table)
    if snapshot is None or not snapshot.key:
        raise ConfigError(
            [Fault(f"table {table.name}", "is not in this lake yet", f"Run jobs/{STEP_OF[table.name]}.py first.")]
        )
    return run.lake.read(table, snapshot)


def _warn_of_gone(run: Run, change: Change) -> None:
    if change.gone:
        gone = f"{count(change.gone)} of {count(change.published)} published images are gone from the source"
        run.warn(f"publish: {gone}: they leave the cleaned data set")
