"""decide: one verdict per image, with reasons and evidence. clusters -> decisions, identity_links."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from facesieve.core import tables
from facesieve.core.console import count
from facesieve.core.profiles import Profile
from facesieve.core.tables import DECISIONS, IDENTITY_LINKS, Clusters, Decisions, Edges, Embeddings, Listing, Rejects
from facesieve.decide.decisions import Basis, Inputs, decisions
from facesieve.decide.kernels.membership import Scale
from facesieve.decide.reconciliation import Proof, prove
from facesieve.decide.side_inputs import Given, asides, given
from facesieve.lake.run import Run, Stage

_log = logging.getLogger(__name__)

_INPUTS = (tables.LISTING, tables.EMBEDDINGS, tables.REJECTS, tables.EDGES, tables.CLUSTERS)


def decide(run: Run) -> None:
    """Give every image of the listing its verdict, and prove that none is missing and none is there twice."""
    basis = _basis(run)
    known = given(run)
    meaning = [basis.link_scope, basis.scale, basis.medoid_cosine]
    settings = known.settings(run) | {"basis": meaning, "model": run.model}
    stage = run.stage("decide", (IDENTITY_LINKS, DECISIONS), _INPUTS, **settings)
    reused = stage.reuse()
    facts = {} if reused else _decide(stage, basis, known)
    proof = prove(Listing(stage.read(tables.LISTING)), Decisions(stage.read(DECISIONS)))
    _done(stage, proof, facts, reused=reused)


def _basis(run: Run) -> Basis:
    """What the rules go by: the profile says what cosines mean, unless the configuration does."""
    profile, settings = run.profile, run.config.decide
    near = settings.medoid_cosine or (profile.identity.cosine if profile.identity else 1.0)
    return Basis(settings, run.config.link.scope, _scale(profile), near)


def _scale(profile: Profile) -> Scale | None:
    if profile.impostor is None or profile.genuine is None:
        return None
    same = profile.genuine
    typical = float(np.interp(0.5, same.probabilities, same.cosines))
    line = profile.impostor
    return Scale(line.intercept, line.slope, typical) if typical > line.intercept else None


def _decide(stage: Stage, basis: Basis, known: Given) -> dict[str, Any]:
    if basis.scale is None:
        missing = "[impostor] or [genuine]"
        stage.run.warn(f"decide: the profile {stage.run.profile.name} has no {missing}: no confidences, and no moves")
    _warn_of_unhashed(stage)
    inputs = Inputs(
        Listing(stage.read(tables.LISTING)),
        Embeddings(stage.of_model(tables.EMBEDDINGS)),
        Rejects(stage.of_model(tables.REJECTS)),
        Clusters(stage.read(tables.CLUSTERS)),
        Edges(stage.read(tables.EDGES)),
        asides(stage, known),
    )
    decided = decisions(inputs, basis)
    rows = decided.rows.persist()
    # Before the commit, since a committed version is reused; after it, since the proof is about what was written.
    prove(inputs.listing, Decisions(rows))
    stage.overwrite(IDENTITY_LINKS, decided.links)
    stage.overwrite(DECISIONS, rows)
    facts = decided.facts()
    rows.unpersist()
    return facts | {"links": stage.read(IDENTITY_LINKS).count()}


def _warn_of_unhashed(stage: Stage) -> None:
    # The size came with the hash, and is quicker to read.
    unhashed = stage.of_model(tables.EMBEDDINGS).where("image_width IS NULL").count()
    if unhashed:
        said = f"{count(unhashed)} faces were embedded by an earlier version and have no perceptual hash"
        fix = "near duplicates are not found among them; to embed them anew, delete their rows from embeddings"
        stage.run.warn(f"decide: {said}: {fix}")


def _done(stage: Stage, proof: Proof, facts: dict[str, Any], *, reused: bool) -> None:
    told = stage.record | facts
    if told.get("links"):
        _log.info(f"decide: {count(told['links'])} pairs of folders seem one person: table identity_links")
    if told.get("contradicted"):
        said = f"{count(told['contradicted'])} verdicts of decide.overrides are contradicted by the evidence"
        stage.run.warn(f"decide: {said}: decisions whose reasons begin with overridden, and whose proposal is another")
    if told.get("ruled_failed"):
        said = f"{count(told['ruled_failed'])} images that decide.overrides names give no face"
        stage.run.warn(f"decide: {said}: they fail all the same")
    proven = {"verdicts": proof.verdicts, "given": proof.given, "missing": proof.missing, "extra": proof.extra}
    rows_out = sum(proof.verdicts.values())
    stage.done(proof.given, rows_out, reused=reused, reasons=proof.reasons, **facts, **proven)
