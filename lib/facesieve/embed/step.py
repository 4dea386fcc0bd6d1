"""embed: list the images, find faces, turn each into a vector. images -> listing, embeddings, rejects."""

from __future__ import annotations

import logging
import math

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve import models
from facesieve.core import tables
from facesieve.core.console import Progress, count
from facesieve.core.errors import ContractError, InvariantError
from facesieve.core.tables import Listing
from facesieve.embed import embeddings as faces_stage
from facesieve.embed.listing import listing, listing_key
from facesieve.embed.model_probe import prove
from facesieve.images.protocol import Source
from facesieve.images.sources import source
from facesieve.lake.run import Run, Stage

_log = logging.getLogger(__name__)

_TASKS_PER_CORE = 4


def embed(run: Run) -> None:
    """List the images, then embed those that this model has not seen yet, chunk by chunk."""
    models.check(run.profile)
    images = source(run.config.images)
    images.check()
    if not _known(run):
        prove(run.spark, run.profile)
    _list(run, images)
    stage = run.stage("embed", (tables.EMBEDDINGS, tables.REJECTS), (tables.LISTING,), model=run.model)
    listed = stage.read(tables.LISTING)
    given = listed.count()
    reused = stage.reuse()
    if not reused:
        _embed_missing(stage, listed, images)
    _check_ids(stage)
    faces = _of(stage, tables.EMBEDDINGS, listed)
    reasons = {
        row.reason: row["count"] for row in _of(stage, tables.REJECTS, listed).groupBy("reason").count().collect()
    }
    stage.done(given, faces.count(), reused=reused, reasons=reasons)


def _known(run: Run) -> bool:
    """Say whether this lake has faces of the model, so that it has proved itself."""
    faces = run.lake.read(tables.EMBEDDINGS, run.lake.open(tables.EMBEDDINGS))
    return not faces.where(F.col("model") == run.model).isEmpty()


def _list(run: Run, images: Source) -> None:
    stage = run.stage("listing", (tables.LISTING,), ())
    found = images.images(run.spark)
    former = Listing(stage.former(tables.LISTING))
    rows = listing(found, former, run.config.images, images.fetch(), run.config.embed.rehash)
    stage.holds(listing_key(Listing(rows)))
    reused = stage.reuse()
    if not reused:
        stage.overwrite(tables.LISTING, rows)
    given = rows.count()
    since = _since(rows, former)
    rows.unpersist()
    if since["gone"]:
        _log.info(f"listing: {count(since['gone'])} images of the last listing are gone; what is stored of them stays")
    ignored = images.ignored(run.spark)
    if ignored.files:
        kinds = ", ".join(f"{count(files)} {kind}" for kind, files in ignored.kinds)
        _log.info(f"listing: {count(ignored.files)} files below the root are no images and are ignored ({kinds})")
    stage.done(given, given, reused=reused, ignored=ignored.files, **since)


def _since(listed: Listing, former: Listing) -> dict[str, int]:
    """Count what became of the images since the last listing, by uri: new ones, gone ones, those of other content."""
    now = listed.select("uri", F.coalesce("sha256", F.lit("")).alias("now"))
    then = former.select("uri", F.coalesce("sha256", F.lit("")).alias("then"))
    states = {
        "new": F.col("then").isNull(),
        "gone": F.col("now").isNull(),
        "changed": F.col("now") != F.col("then"),
    }
    counts = now.join(then, on="uri", how="full").agg(
        *(F.count_if(state).alias(name) for name, state in states.items())
    )
    return dict(counts.collect()[0].asDict())


def _embed_missing(stage: Stage, listed: DataFrame, images: Source) -> None:
    run = stage.run
    todo = listed.join(_seen(stage), "image_id", "left_anti").persist()
    left = todo.count()
    chunks = max(1, math.ceil(left / run.config.embed.chunk_images))
    plan = faces_stage.Plan(run.profile, run.config.embed, run.model, images.fetch())
    progress, unread = Progress("embed", left), 0
    for chunk in range(chunks):
        rows = todo.where(F.pmod("image_id", F.lit(chunks)) == chunk)
        outcome = _outcome(run, _with_content(rows, images, run), plan)
        unread += faces_stage.unread(outcome).count()
        last = chunk == chunks - 1
        _commit(stage, outcome, "unread" if last and unread else "" if last else f"{chunk + 1}/{chunks}")
        progress.step(_accounted(rows, outcome))
        outcome.unpersist()
    todo.unpersist()
    if unread:
        run.warn(f"embed: {count(unread)} images could not be read, or changed since they were listed; run again")


def _outcome(run: Run, rows: DataFrame, plan: faces_stage.Plan) -> DataFrame:
    tasks = run.spark.sparkContext.defaultParallelism * _TASKS_PER_CORE
    return faces_stage.outcomes(rows.repartition(tasks, "image_id"), plan).persist()


def _commit(stage: Stage, outcome: DataFrame, part: str) -> None:
    """Commit the faces and the rejects of one chunk; `part` marks a chunk that does not complete the stage."""
    stage.append(tables.EMBEDDINGS, faces_stage.embeddings(outcome), part)
    stage.append(tables.REJECTS, faces_stage.rejects(outcome), part)


def _accounted(rows: DataFrame, outcome: DataFrame) -> int:
    """Return the number of images of a chunk, each of which came back from the workers."""
    given, accounted = rows.count(), outcome.select("image_id").distinct().count()
    if given != accounted:
        raise InvariantError(f"embed: {given} images were given to the workers, {accounted} came back")
    return given


def _with_content(rows: DataFrame, images: Source, run: Run) -> DataFrame:
    """Add the column `content`: the bytes of a Parquet data set, null for files, which the workers fetch."""
    rows = rows.select("image_id", "uri", "sha256", "size")
    if run.config.images.format == "files":
        return rows.withColumn("content", F.lit(None).cast("binary"))
    return rows.join(images.images(run.spark).select("uri", "content"), "uri", "left")


def _seen(stage: Stage) -> DataFrame:
    """Return the ids of the images that this model has embedded or rejected already."""
    seen = [stage.former(table).where(F.col("model") == stage.run.model) for table in stage.outputs]
    return seen[0].select("image_id").unionByName(seen[1].select("image_id")).distinct()


def _of(stage: Stage, table: tables.Table, listed: DataFrame) -> DataFrame:
    return stage.of_model(table).join(listed.select("image_id"), "image_id", "left_semi")


def _check_ids(stage: Stage) -> None:
    """Refuse a table in which one face_id stands for two faces: a collision, or rows added by other hands."""
    twice = stage.of_model(tables.EMBEDDINGS).groupBy("face_id").count().where("count > 1").count()
    if twice:
        raise ContractError(f"embeddings.face_id: {twice} ids stand for more than one row. Remove the doubled rows.")
