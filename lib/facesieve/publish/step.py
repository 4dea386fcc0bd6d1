"""publish: write the cleaned data set. decisions -> cleaned, and the exports beside it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core import tables
from facesieve.core.console import count
from facesieve.core.errors import ConfigError, Fault, InvariantError, Refused
from facesieve.core.places import absolute
from facesieve.core.sections import Publish
from facesieve.core.tables import Cleaned, Clusters, Decisions, Embeddings, Listing
from facesieve.images.sources import source
from facesieve.images.storage import Storage, why_unwritable
from facesieve.lake.run import STEP_OF, Run, Stage
from facesieve.publish import exports, image_files
from facesieve.publish.change_guard import Change, compare
from facesieve.publish.cleaned import cleaned, prove_published
from facesieve.publish.folder_export import export_folders
from facesieve.publish.parquet_export import export_parquet
from facesieve.publish.per_face import nameless_faces
from facesieve.publish.wanted import Wanted, wanted

_log = logging.getLogger(__name__)

_POLICY = ("apply", "max_change", "max_gone", "floor", "outputs", "export_root")
"""Keys that say whether and where to write, not what: they do not make another `cleaned`."""


def publish(run: Run) -> None:
    """Write the kept images as the table `cleaned` and as exports, or say what would be written (dry run)."""
    settings = run.config.publish
    if not settings.apply:
        _dry_run(run)
        return
    _check_exports(settings)
    stage = _stage(run)
    decided, faces = Decisions(stage.read(tables.DECISIONS)), _wanted(run, stage.read)
    change = compare(Cleaned(stage.former(tables.CLEANED)), faces, decided)
    objection = change.objection(settings)
    if objection:
        raise Refused(objection)
    _warn_of_gone(run, change)
    reused = stage.reuse()
    rows = prove_published(faces, Cleaned(stage.read(tables.CLEANED))) if reused else _write(stage, faces)
    exported = _export(stage, rows)
    record = change.record(exported)
    stage.done(replace(record, rows_in=decided.count(), rows_out=rows, reused=reused and not exported))


def _stage(run: Run) -> Stage:
    settings = run.config.publish
    content = {name: value for name, value in asdict(settings).items() if name not in _POLICY}
    inputs: tuple[tables.Table, ...] = (tables.LISTING, tables.EMBEDDINGS, tables.DECISIONS)
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


def _dry_run(run: Run) -> None:
    read = partial(_now, run)
    faces, published = _wanted(run, read), run.lake.current(tables.CLEANED)
    change = Change()
    if published is not None:
        change = compare(Cleaned(run.lake.read(tables.CLEANED, published)), faces, Decisions(read(tables.DECISIONS)))
    objection = change.objection(run.config.publish)
    if objection:
        run.warn(f"publish: an apply would be refused. {objection}")
    else:
        _warn_of_gone(run, change)
    images, rows = faces.agg(F.count_distinct("image_id"), F.count("*")).collect()[0]
    people = f" ({count(rows)} faces)" if run.config.publish.per_face else ""
    summary = "; ".join(filter(None, [f"dry run, {count(images)} images{people} would be published", change.summary()]))
    _log.info(f"publish: {summary}; publish.apply = true writes them")


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


def _write(stage: Stage, faces: Wanted) -> int:
    """Write the table, and prove it before it is the table: a version that fails is never current, nor reused."""
    embedded = Embeddings(stage.of_model(tables.EMBEDDINGS))
    rows = cleaned(faces, Listing(stage.read(tables.LISTING)), embedded)
    with stage.change(tables.CLEANED) as writing:
        writing.overwrite(_with_bytes(stage.run, rows) if stage.run.config.publish.bytes else rows)
        return prove_published(faces, Cleaned(writing.read()))


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
    target, version = root.child(made_by.run), str(made_by.version)
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
