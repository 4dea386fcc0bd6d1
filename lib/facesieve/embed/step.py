"""embed: list the images, find faces, turn each into a vector. images -> listing, embeddings, rejects.

New images are hashed and embedded in one read, then all are listed, then what is left is embedded: images whose content
has changed, or that another model has embedded.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from pyspark.sql import functions as F

from facesieve import models
from facesieve.core import tables
from facesieve.core.console import count
from facesieve.core.errors import ContractError
from facesieve.core.frames import batches_of_vectors, broadcast_if_few, follow_rows
from facesieve.core.hidden_paths import path_seal
from facesieve.core.reasons import Reason
from facesieve.core.sections import VECTORS
from facesieve.core.side_by_side import Aside
from facesieve.core.tables import Listing
from facesieve.embed import embeddings as faces_of
from facesieve.embed.chunks.commits import embed_chunks
from facesieve.embed.chunks.vectors import check_dimension
from facesieve.embed.formats import optional_formats
from facesieve.embed.layout import Layout, layout
from facesieve.embed.listing import Digests, check_uris
from facesieve.embed.listing_stage import list_again, list_images
from facesieve.embed.model_probe import probe
from facesieve.embed.new_images import digests_of, new_uris, seen_images
from facesieve.embed.reject_check import check_rejects, warn_of_erased, warn_of_formats
from facesieve.embed.stored_paths import refuse_archives, warn_of_names
from facesieve.embed.unchanged import state_of, unchanged
from facesieve.images import left_out
from facesieve.images.hidden.hidden_source import hidden_source
from facesieve.images.hidden.hidden_uris import hidden_uris
from facesieve.images.labels import Labelled, LabelRow, labelled, read_labels
from facesieve.images.lake_tables.catalog_table import CatalogTable
from facesieve.images.protocol import Source, SourceImages
from facesieve.images.side_tables import Entries
from facesieve.images.sources import archives_of, source
from facesieve.images.vectors.vector_set import VectorSet
from facesieve.lake.records import EmbedRecord, ListingRecord
from facesieve.lake.run import Run, Stage
from facesieve.lake.step_record import StepRecord
from facesieve.lake.work import work_so_far

_log = logging.getLogger(__name__)

_FACES = (tables.EMBEDDINGS, tables.REJECTS)


def embed(run: Run) -> None:
    """List the images, and embed those that this model has not seen yet, chunk by chunk."""
    if run.config.images.format == VECTORS:
        with batches_of_vectors(run.spark, run.profile.dimension):
            _list_new_and_embed(run)
        return
    models.check(run.profile)
    optional_formats.check(run.config.embed.formats)
    _list_new_and_embed(run)


def _list_new_and_embed(run: Run) -> None:
    images = source(run.config.images)
    labels = read_labels(run.config.images.labels)
    images.check()
    check_dimension(images, run.profile)
    listing_stage = run.stage("listing", (tables.LISTING,), ())
    new = run.stage("embed", _FACES, (), model=run.model)
    # The workers load the model while the driver looks at the names.
    with (run.ahead or Aside(run.spark, partial(load_ahead, run))).beside() as loaded:
        state = state_of(run, images, labels)
        if record := unchanged(listing_stage, state):
            list_again(listing_stage, record)
            hidden = hidden_source(images, path_seal(run.config.lake))
            _embed(run.stage("embed", _FACES, (tables.LISTING,), model=run.model), hidden)
            return
        _list_and_embed(run, images, labels, Begun(listing_stage, new, state, loaded))


def load_ahead(run: Run) -> None:
    """Let the workers load the model if nothing in the lake was embedded by it: it takes them longer than all else."""
    if run.config.images.format == VECTORS:
        return
    at = run.lake.current(tables.EMBEDDINGS)
    if at is None or run.lake.read(tables.EMBEDDINGS, at).where(F.col("model") == run.model).isEmpty():
        probe(run.spark, run.profile, run.config.embed.formats)


class Begun(NamedTuple):
    """The stages that an embedding begins with, the digest of what it lists, and what waits for the model probe."""

    listing: Stage
    faces: Stage
    state: str | None
    loaded: Callable[[], None]


def _list_and_embed(run: Run, images: Source, labels: Entries[LabelRow], begun: Begun) -> None:
    """Embed what is new, list all, and embed what is left."""
    listing_stage = begun.listing
    began, warned = work_so_far(run.spark), len(run.ledger.warnings)
    names = images.images(run.spark, content=False)
    named = _labelled(run, names, labels) if labels.rows else None
    rows, shown = (named.of(each) if named else each for each in (images.images(run.spark), names))
    shape = _layout(run, images, shown)
    seal = path_seal(run.config.lake)
    if seal is None and not run.config.lake.store_names:
        warn_of_names(run, shown)
    record = ListingRecord(
        ignored=shape.ignored.files,
        left_out=shape.ignored.by_sort(),
        layout=shape.record,
        state=begun.state,
        snapshot=images.version(run.spark) or None if isinstance(images, CatalogTable) else None,
        warnings=tuple(run.ledger.warnings[warned:]),
    )
    begun.loaded()
    names, shown, rows = (hidden_uris(each, seal) for each in (names, shown, rows))
    images = hidden_source(images, seal)
    fresh, rows = _embed_new(listing_stage, begun.faces, images, Listed(names, shown, rows, shape.record.images))
    spent = work_so_far(run.spark).minus(began)
    listing_stage.began = listing_stage.began.plus(spent)
    list_images(listing_stage, rows, images, fresh, shape.united, record)
    stage = run.stage("embed", _FACES, (tables.LISTING,), model=run.model)
    stage.began = stage.began.minus(spent)
    _embed(stage, images)


def _labelled(run: Run, names: SourceImages, labels: Entries[LabelRow]) -> Labelled:
    """Return the identities that `images.labels` gives to the images of the source."""
    named = labelled(names, labels, run.config.images.root)
    if named.unlabelled:
        run.warn(f"images.labels: {count(named.unlabelled)} images have no identity in {labels.path}")
    if named.missing:
        which = f"{count(named.missing)} of the {count(len(labels.rows))} rows of {labels.path}"
        run.warn(f"images.labels: {which} name no image of images.root")
    return named


def _layout(run: Run, origin: Source, images: SourceImages) -> Layout:
    """Say what layout the images have, and what was left out, before anything is embedded."""
    follow_rows(run.spark, origin.count(run.spark))
    ignored = origin.ignored(run.spark)
    shape = layout(images, run.config.images, ignored)
    if not run.config.lake.store_paths:
        refuse_archives(archives_of(origin, run.spark))
        shape = shape._replace(record=replace(shape.record, examples={}))
    _log.info(f"layout: {shape.record.text}")
    if ignored.files:
        kinds = left_out.counts(ignored)
        _log.info(f"listing: {count(ignored.files)} files below the root are no images and are ignored ({kinds})")
    if shape.united:
        _log.info(f"layout: {count(len(shape.united))} identities are united with another (images.same_names)")
    for warning in (*shape.warnings, *left_out.warnings(ignored)):
        run.warn(warning)
    return shape


class Listed(NamedTuple):
    """The images of the source, without their content and with it where the source carries it; how many there are.

    shown: names with the identities that count.
    """

    names: SourceImages
    shown: SourceImages
    rows: SourceImages
    total: int


def _embed_new(
    listing_stage: Stage, stage: Stage, images: Source, listed: Listed
) -> tuple[Digests | None, SourceImages]:
    """Embed the images that are new; return their digests, and the images that are to be listed."""
    names, shown, rows, every = listed
    uris = new_uris(names, listing_stage, stage)
    total = uris.count()
    if not total:
        return None, rows
    if not (isinstance(images, VectorSet) and images.numbered):
        check_uris(names)
    fresh = rows if total == every else rows.join(broadcast_if_few(uris, total), "uri", how="left_semi")
    new = faces_of.unlisted_images(SourceImages(fresh))
    embed_chunks(stage, new, images, total, whole=False)
    if total == every:  # all digests are known then: the listing must not read the content again
        sized = isinstance(images, VectorSet)
        rows = shown if sized else SourceImages(rows.withColumn("content", F.lit(None).cast("binary")))
    return digests_of(uris, stage), rows


def _embed(stage: Stage, images: Source) -> None:
    """Embed the listed images that the model has not seen, unless a run has done so with the same listing."""
    listed = Listing(stage.read(tables.LISTING))
    total = stage.count(tables.LISTING)
    reused = stage.reuse()
    if not reused:
        _embed_missing(stage, listed, images)
    if reused and stage.earlier is not None and stage.earlier.rows_out is not None:
        record = stage.reused(total, stage.earlier.rows_out)
    else:
        record = replace(_counted(stage, listed), rows_in=total, reused=reused)
    stage.done(record)
    if isinstance(record, EmbedRecord):
        warn_of_formats(record.not_decoded or {}, stage.run.warn)
        warn_of_erased(record.reasons.get(Reason.ERASED, 0), stage.run.warn)
    check_rejects(record.reasons, total, stage.run.config.embed.max_rejects, stage.run.warn)


def _counted(stage: Stage, listed: Listing) -> StepRecord:
    """Count the faces of the listing's images, those that give none by reason, and by format if that is why."""
    rejects = stage.of_model(tables.REJECTS).join(listed.select("image_id"), "image_id", "left_semi")
    undecoded = F.when(F.col("reason") == Reason.WRONG_TYPE.value, F.col("detail")).alias("undecoded")
    reasons, formats = Counter[str](), Counter[str]()
    for row in rejects.groupBy("reason", undecoded).count().collect():
        reasons[row.reason] += row["count"]
        if row.undecoded:
            formats[row.undecoded] += row["count"]
    return EmbedRecord(rows_out=_faces(stage, listed), reasons=dict(reasons), not_decoded=dict(formats) or None)


def _embed_missing(stage: Stage, listed: Listing, images: Source) -> None:
    seen = seen_images(stage).select("image_id").distinct()
    missing = Listing(listed.join(seen, "image_id", "left_anti").persist())
    total, unread = missing.count(), 0
    if total:
        unread = embed_chunks(stage, faces_of.listed_images(missing, images), images, total, whole=True)
    else:
        for table in _FACES:
            with stage.change(table):
                pass  # the versions that are there bear the stage's key from now on
    missing.unpersist()
    if unread:
        stage.run.warn(f"embed: {count(unread)} images could not be read, or changed since they were listed; run again")


def _faces(stage: Stage, listed: Listing) -> int:
    """Count the faces of the listing's images.

    Refuses a table in which one face_id stands for two faces: a collision, or rows added by other hands.
    """
    ours = listed.select("image_id", F.lit(True).alias("listed"))
    marked = stage.of_model(tables.EMBEDDINGS).select("face_id", "image_id").join(ours, "image_id", "left")
    ids = marked.groupBy("face_id").agg(F.count("*").alias("rows"), F.count("listed").alias("listed"))
    twice, faces = ids.agg(F.count_if(F.col("rows") > 1), F.coalesce(F.sum("listed"), F.lit(0))).collect()[0]
    if twice:
        raise ContractError(f"embeddings.face_id: {twice} ids stand for more than one row. Remove the doubled rows.")
    return int(faces)
