"""publish: write the cleaned data set. decisions -> cleaned, and the exports beside it."""

from __future__ import annotations

import logging
from dataclasses import asdict, replace

from pyspark.sql import functions as F

from facesieve.core import tables
from facesieve.core.console import count
from facesieve.core.errors import ConfigError, Fault, InvariantError, Refused
from facesieve.core.places import absolute
from facesieve.core.reasons import is_published
from facesieve.core.sections import Publish
from facesieve.core.tables import Cleaned, Decisions, Embeddings, Listing
from facesieve.images.sources import source
from facesieve.images.storage import Storage, why_unwritable
from facesieve.lake.records import PublishRecord
from facesieve.lake.run import Run, Stage
from facesieve.publish import exports, image_files
from facesieve.publish.change_guard import compare
from facesieve.publish.cleaned import cleaned, prove_published
from facesieve.publish.folder_export import export_folders
from facesieve.publish.parquet_export import export_parquet

_log = logging.getLogger(__name__)

_POLICY = ("apply", "max_change", "outputs", "export_root")
"""Keys that say whether and where to write, not what: they do not make another `cleaned`."""


def publish(run: Run) -> None:
    """Write the kept images as the table `cleaned` and as exports, or say what would be written (dry run)."""
    settings = run.config.publish
    if not settings.apply:
        _dry_run(run)
        return
    _check_exports(settings)
    inputs = (tables.LISTING, tables.EMBEDDINGS, tables.DECISIONS)
    content = {name: value for name, value in asdict(settings).items() if name not in _POLICY}
    stage = run.stage("publish", (tables.CLEANED,), inputs, publish=content, model=run.model)
    decided = Decisions(stage.read(tables.DECISIONS))
    change = compare(run.lake, decided, stage.since[tables.CLEANED.name])
    objection = change.objection(settings.max_change)
    if objection:
        raise Refused(objection)
    reused = stage.reuse()
    rows = prove_published(decided, Cleaned(stage.read(tables.CLEANED))) if reused else _write(stage, decided)
    exported = _export(stage, rows)
    record = PublishRecord(decided_before=change.decided_before, changed=change.changed, exported=exported)
    stage.done(replace(record, rows_in=decided.count(), rows_out=rows, reused=reused and not exported))


def _dry_run(run: Run) -> None:
    decisions = run.now(tables.DECISIONS)
    if decisions is None or not decisions.key:
        raise ConfigError([Fault("table decisions", "is not in this lake yet", "Run jobs/decide.py first.")])
    decided = Decisions(run.lake.read(tables.DECISIONS, decisions))
    change = compare(run.lake, decided, run.lake.current(tables.CLEANED))
    objection = change.objection(run.config.publish.max_change)
    if objection:
        run.warn(f"publish: {objection}")
    published = decided.where(is_published(F.col("verdict"))).count()
    summary = f"dry run, {count(published)} images would be published"
    if change.decided_before:
        before = f"{count(change.decided_before)} published upon before"
        summary += f", {count(change.changed)} of {before} would change their verdict"
    _log.info(f"publish: {summary}; publish.apply = true writes them")


def _write(stage: Stage, decided: Decisions) -> int:
    """Write the table, and prove it before it is the table: a version that fails is never current, nor reused."""
    embedded = Embeddings(stage.of_model(tables.EMBEDDINGS))
    rows = cleaned(decided, Listing(stage.read(tables.LISTING)), embedded)
    with stage.change(tables.CLEANED) as writing:
        writing.overwrite(_with_bytes(stage.run, rows) if stage.run.config.publish.bytes else rows)
        return prove_published(decided, Cleaned(writing.read()))


def _with_bytes(run: Run, rows: Cleaned) -> Cleaned:
    """Fill the column `bytes` from the source."""
    images = source(run.config.images)
    if run.config.images.format == "files":
        return image_files.with_bytes(rows, images.fetch())
    content = images.images(run.spark).select("uri", F.col("content").alias("bytes"))
    return Cleaned(rows.drop("bytes").join(content, "uri", "left"))


def _check_exports(settings: Publish) -> None:
    if not settings.outputs:
        return
    problem = why_unwritable(absolute(settings.export_root))
    if problem is None and exports.pointer_is_folder(Storage(absolute(settings.export_root))):
        problem = f"{settings.export_root}/{exports.CURRENT} is a folder"
    if problem:
        raise ConfigError([Fault("publish.export_root", problem, "Give a place that this job may write.")])


def _export(stage: Stage, rows: int) -> int:
    """Write the exports that are not there yet, under the run that made `cleaned`; return how many were written."""
    run = stage.run
    settings = run.config.publish
    if not settings.outputs:
        return 0
    root = Storage(absolute(settings.export_root))
    made_by = run.at[tables.CLEANED.name]
    target, version = root.child(made_by.run), str(made_by.id)
    written = Cleaned(stage.read(tables.CLEANED))
    missing = [output for output in settings.outputs if not exports.is_complete(target, output, version)]
    for output in missing:
        if output == "parquet":
            exported = export_parquet(written, target, settings.buckets, version)
        else:
            exported = _export_folders(run, written, target, version)
        if exported != rows:
            target.delete_tree(f"{output}/{exports.SUCCESS}")
            raise InvariantError(f"the export {output} holds {exported} images, the table cleaned {rows}")
        _log.info(f"publish: export {output} written")
    exports.point_current(root, made_by.run)
    return len(missing)


def _export_folders(run: Run, written: Cleaned, target: Storage, version: str) -> int:
    images = source(run.config.images)
    if run.config.images.format == "parquet" and not run.config.publish.bytes:
        written = _with_bytes(run, written)
    return export_folders(written, images.fetch(), target, version)
