"""publish: write the cleaned data set. decisions -> cleaned, and the exports beside it."""

from __future__ import annotations

from dataclasses import asdict

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve import exports, tables
from facesieve.config import Publish
from facesieve.console import count, say
from facesieve.errors import ConfigError, Fault, Refused
from facesieve.lake import Snapshot
from facesieve.reasons import PUBLISHED
from facesieve.run import Run, Stage
from facesieve.session import absolute
from facesieve.sources import source
from facesieve.stages.cleaned import cleaned
from facesieve.storage import Storage, why_unwritable
from facesieve.tables import Decisions, Embeddings, Listing

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
    decided = stage.read(tables.DECISIONS)
    _refuse_large_change(stage, decided, settings.max_change)
    reused = stage.reuse()
    if not reused:
        stage.overwrite(tables.CLEANED, _cleaned(stage, with_bytes=settings.bytes))
    written = stage.read(tables.CLEANED)
    exported = _export(stage, written)
    stage.done(decided.count(), written.count(), reused=reused and not exported, exported=exported)


def _dry_run(run: Run) -> None:
    decisions = run.now(tables.DECISIONS)
    if decisions is None or not decisions.key:
        raise ConfigError([Fault("table decisions", "is not in this lake yet", "Run jobs/decide.py first.")])
    keep = run.lake.read(tables.DECISIONS, decisions).where(F.col("verdict").isin(*PUBLISHED)).count()
    say(f"publish: dry run, {count(keep)} images would be published; publish.apply = true writes them")


def _cleaned(stage: Stage, *, with_bytes: bool) -> DataFrame:
    embedded = Embeddings(stage.of_model(tables.EMBEDDINGS))
    kept = cleaned(Decisions(stage.read(tables.DECISIONS)), Listing(stage.read(tables.LISTING)), embedded)
    return _with_bytes(stage.run, kept) if with_bytes else kept


def _with_bytes(run: Run, kept: DataFrame) -> DataFrame:
    """Fill the column `bytes` from the source."""
    images = source(run.config.images)
    if run.config.images.format == "files":
        return exports.with_bytes(kept, images.fetch())
    content = images.images(run.spark).select("uri", F.col("content").alias("bytes"))
    return kept.drop("bytes").join(content, "uri", "left")


def _refuse_large_change(stage: Stage, decided: DataFrame, limit: float) -> None:
    """Refuse an apply that changes more verdicts of known images than allowed; a first apply is free."""
    behind = stage.since[tables.CLEANED.name].inputs.get(tables.DECISIONS.name)
    if behind is None:
        return
    before = stage.run.lake.read(tables.DECISIONS, Snapshot(tables.DECISIONS.name, behind, "", ""))
    both = decided.select("image_id", "verdict").join(
        before.select("image_id", F.col("verdict").alias("former")), "image_id", "inner"
    )
    known, changed = both.agg(F.count("*"), F.count_if(F.col("verdict") != F.col("former"))).collect()[0]
    if known and changed / known > limit:
        raise Refused(
            f"{count(changed)} of {count(known)} known images would change their verdict ({changed / known:.1%}), "
            f"more than publish.max_change = {limit:g}. Look at the table decisions; raise publish.max_change to apply."
        )


def _check_exports(settings: Publish) -> None:
    problem = why_unwritable(absolute(settings.export_root)) if settings.outputs else None
    if problem:
        raise ConfigError([Fault("publish.export_root", problem, "Give a place that this job may write.")])


def _export(stage: Stage, written: DataFrame) -> int:
    """Write the exports that are not there yet, under the run that made `cleaned`; return how many were written."""
    run = stage.run
    settings = run.config.publish
    if not settings.outputs:
        return 0
    root = Storage(absolute(settings.export_root))
    made_by = run.at[tables.CLEANED.name]
    target, version = root.child(made_by.run), str(made_by.id)
    missing = [output for output in settings.outputs if not exports.is_complete(target, output, version)]
    for output in missing:
        if output == "parquet":
            exports.export_parquet(written, target, settings.buckets, version)
        else:
            _export_folders(run, written, target, version)
        say(f"publish: export {output} written")
    exports.point_current(root, made_by.run)
    return len(missing)


def _export_folders(run: Run, written: DataFrame, target: Storage, version: str) -> None:
    images = source(run.config.images)
    if run.config.images.format == "parquet" and not run.config.publish.bytes:
        written = _with_bytes(run, written)
    exports.export_folders(written, images.fetch(), target, version)
