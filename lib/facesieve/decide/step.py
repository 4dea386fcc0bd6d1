"""decide: one verdict per image, with reasons and evidence. clusters -> decisions, identity_links."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial

import numpy as np
from pyspark.sql import functions as F

from facesieve.core import tables
from facesieve.core.console import count
from facesieve.core.errors import ConfigError
from facesieve.core.frames import batches_of_vectors
from facesieve.core.profiles import Profile
from facesieve.core.sections import VECTORS
from facesieve.core.tables import DECISIONS, IDENTITY_LINKS, Clusters, Decisions, Edges, Embeddings, Listing, Rejects
from facesieve.decide.decisions import Outcome, decisions
from facesieve.decide.inputs import Basis, Inputs
from facesieve.decide.kernels.membership import Scale
from facesieve.decide.photographs import Sight
from facesieve.decide.reconciliation import reconcile
from facesieve.decide.side_inputs import SideTables, side_inputs, side_tables
from facesieve.decide.small_folders import shrinkage
from facesieve.embed.small_pictures import SmallPictures, Wanted, small_pictures
from facesieve.lake.decide_records import DecideRecord
from facesieve.lake.listed_snapshot import listed_source
from facesieve.lake.run import Run, Stage

_log = logging.getLogger(__name__)

_INPUTS = (tables.LISTING, tables.EMBEDDINGS, tables.REJECTS, tables.EDGES, tables.CLUSTERS)


def decide(run: Run) -> None:
    """Give every image of the listing its verdict, and prove that none is missing and none is there twice."""
    basis, named = _basis(run), side_tables(run)
    meaning = [basis.link_scope, basis.scale, basis.medoid_cosine]
    settings = named.settings(run) | {"basis": meaning, "model": run.model}
    stage = run.stage("decide", (IDENTITY_LINKS, DECISIONS), _INPUTS, **settings)
    reused = stage.reuse()
    record = _earlier(stage) if reused else _decided(stage, basis, named)
    # A table that is reused was proved when it was made; a run that was killed may have left no record of it.
    if not (reused and record.listed):
        counts = reconcile(Listing(stage.read(tables.LISTING)), Decisions(stage.read(DECISIONS)))
        record = counts.entered(record)
    _warn(stage, record)
    stage.done(replace(record, reused=reused))


def _basis(run: Run) -> Basis:
    """What the rules go by: the profile says what cosines mean, unless the configuration does."""
    profile, settings = run.profile, run.config.decide
    near = settings.medoid_cosine or (profile.identity.cosine if profile.identity else 1.0)
    return Basis(settings, run.config.link.scope, _scale(profile), near)


def _scale(profile: Profile) -> Scale | None:
    if profile.impostor is None or profile.genuine is None:
        return None
    genuine, line = profile.genuine, profile.impostor
    typical = float(np.interp(0.5, genuine.probabilities, genuine.cosines))
    return Scale(line.intercept, line.slope, typical) if typical > line.intercept else None


def _decided(stage: Stage, basis: Basis, named: SideTables) -> DecideRecord:
    """Decide, reconcile, and write both tables."""
    if basis.scale is None:
        missing = "[impostor] or [genuine]"
        stage.run.warn(f"decide: the profile {stage.run.profile.name} has no {missing}: no confidences, and no moves")
    _warn_of_unhashed(stage)
    inputs = _inputs(stage, named)
    with batches_of_vectors(stage.run.spark, stage.run.profile.dimension):
        return _written(stage, inputs, decisions(inputs, basis))


def _written(stage: Stage, inputs: Inputs, outcome: Outcome) -> DecideRecord:
    rows = Decisions(outcome.rows.persist())
    # Before the commit, since a committed version is reused; after it, since the proof is about what was written.
    reconcile(inputs.listing, rows)
    # A run that finds the source readable again decides anew.
    part = "unread" if inputs.sight.unread else ""
    for table, frame in ((IDENTITY_LINKS, outcome.links), (DECISIONS, rows)):
        with stage.change(table, part) as change:
            change.overwrite(frame, last=True)
    _warn_of_unread(stage.run, inputs.sight.unread)
    record = replace(outcome.record(), links=stage.count(IDENTITY_LINKS))
    rows.unpersist()
    return record


def _earlier(stage: Stage) -> DecideRecord:
    return stage.earlier if isinstance(stage.earlier, DecideRecord) else DecideRecord()


def _inputs(stage: Stage, named: SideTables) -> Inputs:
    return Inputs(
        Listing(stage.read(tables.LISTING)),
        Embeddings(stage.of_model(tables.EMBEDDINGS)),
        Rejects(stage.of_model(tables.REJECTS)),
        Clusters(stage.read(tables.CLUSTERS)),
        Edges(stage.read(tables.EDGES)),
        side_inputs(stage, named),
        Sight(partial(_read, stage.run)),
    )


def _read(run: Run, images: Wanted) -> SmallPictures:
    """Read pictures from the source; of a source that cannot be read at all, none."""
    origin = listed_source(run)
    try:
        origin.check()
    except ConfigError:
        nothing = {"width": F.lit(None).cast("int"), "small": F.lit(None).cast("binary")}
        return SmallPictures(images.select("image_id").withColumns(nothing))
    return small_pictures(images, origin, run.config.embed)


def _warn_of_unread(run: Run, unread: int) -> None:
    if unread:
        images = f"the pictures of {count(unread)} images that may be copies cannot be read from images.root"
        run.warn(f"decide: {images}: the images stay, with the note burst; run again when the source can be read")


def _warn_of_unhashed(stage: Stage) -> None:
    if stage.run.config.images.format == VECTORS:
        rules = "near duplicates, bursts, blurred and small faces need pictures, and are not looked for among vectors"
        stage.run.warn(f"decide: {rules}; equal vectors count as duplicates")
        return
    unhashed = stage.of_model(tables.EMBEDDINGS).where("face_phash IS NULL").count()
    if unhashed:
        faces = f"{count(unhashed)} faces were embedded by an earlier version and have no perceptual hash of the face"
        fix = "mirrored, framed and cut copies are not found among them; to embed them anew, delete their rows"
        stage.run.warn(f"decide: {faces}: {fix} from embeddings")


def _warn(stage: Stage, record: DecideRecord) -> None:
    for warning in shrinkage(record, stage.run.config.decide):
        stage.run.warn(f"decide: {warning}")
    if record.links:
        _log.info(f"decide: {count(record.links)} pairs of folders seem one person: table identity_links")
    if record.contradicted:
        verdicts = f"{count(record.contradicted)} verdicts of decide.overrides are contradicted by the evidence"
        where = "decisions whose reasons begin with overridden, and whose proposal is another"
        stage.run.warn(f"decide: {verdicts}: {where}")
    if record.ruled_failed:
        images = f"{count(record.ruled_failed)} images that decide.overrides names give no face"
        stage.run.warn(f"decide: {images}: they fail all the same")
