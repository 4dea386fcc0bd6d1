"""decide: one verdict per image, with reasons and evidence. clusters -> decisions."""

from __future__ import annotations

from dataclasses import asdict

from facesieve import tables
from facesieve.run import Run
from facesieve.stages.conservation import prove
from facesieve.stages.decisions import Inputs, decisions
from facesieve.tables import Clusters, Decisions, Embeddings, Listing, Rejects


def decide(run: Run) -> None:
    """Give every image of the listing its verdict, and prove that none is missing and none is there twice."""
    inputs = (tables.LISTING, tables.EMBEDDINGS, tables.REJECTS, tables.CLUSTERS)
    scope = run.config.link.scope
    stage = run.stage("decide", (tables.DECISIONS,), inputs, decide=asdict(run.config.decide), scope=scope)
    reused = stage.reuse()
    if not reused:
        evidence = Inputs(
            Listing(stage.read(tables.LISTING)),
            Embeddings(stage.of_model(tables.EMBEDDINGS)),
            Rejects(stage.of_model(tables.REJECTS)),
            Clusters(stage.read(tables.CLUSTERS)),
        )
        decided = decisions(evidence, run.config.decide, scope).persist()
        # Before the commit, since a committed version is reused; after it, since the proof is about what was written.
        prove(evidence.listing, Decisions(decided))
        stage.overwrite(tables.DECISIONS, decided)
        decided.unpersist()
    proof = prove(Listing(stage.read(tables.LISTING)), Decisions(stage.read(tables.DECISIONS)))
    facts = {"verdicts": proof.verdicts, "given": proof.given, "missing": proof.missing, "extra": proof.extra}
    stage.done(proof.given, sum(proof.verdicts.values()), reused=reused, reasons=proof.reasons, **facts)
