"""cluster: which faces are one person. edges -> votes, clusters."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.cluster.checkpoints import Checkpoints
from facesieve.cluster.clusters import Clustered, VoteInput, clusters
from facesieve.cluster.constraint_file import ConstraintFile, constraint_file, constraints
from facesieve.cluster.constraints import Constraints, violations
from facesieve.cluster.edge_weights import weigh
from facesieve.cluster.facts import ScopeOutcome, false_matches, scope_facts
from facesieve.cluster.frames import ListedFaces
from facesieve.cluster.lineage import FormerClusters, former_clusters
from facesieve.cluster.supersteps import Voting
from facesieve.core import tables
from facesieve.core.console import count
from facesieve.core.errors import InvariantError
from facesieve.core.tables import CLUSTERS, VOTES, Clusters, Edges, Votes, conform
from facesieve.lake.run import Run, Stage
from facesieve.lake.session import scratch
from facesieve.link.epoch import Epoch, linked
from facesieve.link.step import faces_of

_log = logging.getLogger(__name__)


def cluster(run: Run) -> None:
    """Weigh the edges, let the faces of every scope vote, and write who belongs together."""
    file = constraint_file(run.config.cluster.constraints)
    # Where a vote is finished does not change its result. What the file says does, and not where it lies.
    settings = asdict(replace(run.config.cluster, finish_locally_below=0, constraints=file.digest))
    inputs = (tables.LISTING, tables.EMBEDDINGS, tables.EDGES, tables.EPOCHS)
    stage = run.stage("cluster", (VOTES, CLUSTERS), inputs, cluster=settings, model=run.model)
    edges = Edges(stage.read(tables.EDGES))
    if stage.reuse():
        stage.done(edges.count(), stage.read(CLUSTERS).count(), reused=True)
        return
    epoch = linked(stage)
    weights = weigh(stage, edges, epoch)
    former = former_clusters(stage, epoch, settings)
    held_to = _constraints(stage, file)
    outcomes = {scope: _outcome(stage, scope, epoch, former, held_to) for scope in epoch.cosines}
    rows: list[DataFrame] = [each.rows for each in outcomes.values()]
    stage.overwrite(CLUSTERS, reduce(DataFrame.unionByName, rows))
    facts = _facts(stage, edges, weights, outcomes)
    facts_of_constraints = _constraint_facts(held_to)
    rows_out = stage.read(CLUSTERS).count()
    stage.done(edges.count(), rows_out, reused=False, begun=former.begun, constraints=facts_of_constraints, **facts)
    finished = _checkpoints(stage, former)
    finished.clear()
    finished.clear_old()


def _constraints(stage: Stage, file: ConstraintFile) -> Constraints:
    """Resolve the rows of the file to faces of the run."""
    run = stage.run
    listed = stage.read(tables.LISTING).select("image_id", "identity")
    embedded = stage.of_model(tables.EMBEDDINGS).select("face_id", "image_id", "face_rank")
    faces = ListedFaces(embedded.join(listed, "image_id", how="inner"))
    # One face per image leaves nothing to tell apart.
    photos_differ = run.config.cluster.same_photo_differs and run.config.embed.faces == "all"
    return constraints(file, faces, run.warn, photos_differ=photos_differ)


def _outcome(stage: Stage, scope: str, epoch: Epoch, former: FormerClusters, constraints: Constraints) -> ScopeOutcome:
    """Cluster one scope: vote, check the constraints, and give the clusters the ids that they had before."""
    held_to = constraints.within_folders() if scope == "identity" else constraints
    voting = Voting(stage.run.config.cluster, _checkpoints(stage, former, scope), _reporter(scope))
    clustered = clusters(_vote_input(stage, scope, epoch, former, held_to), voting)
    _warn(stage, scope, clustered)
    broken = violations(clustered.rows, held_to)
    if broken:
        raise InvariantError(f"cluster {scope}: {broken} pairs of faces are together or apart against constraints")
    rows, churn = former.named(clustered.rows, scope)
    return ScopeOutcome(Clusters(conform(rows.withColumn("scope", F.lit(scope)), CLUSTERS)), clustered, churn)


def _vote_input(stage: Stage, scope: str, epoch: Epoch, former: FormerClusters, constraints: Constraints) -> VoteInput:
    faces = faces_of(stage)
    votes = Votes(stage.read(VOTES).where(F.col("scope") == scope))
    voters = faces.where(F.col("identity").isNotNull()) if scope == "identity" else faces
    labelled = former.labelled(voters.select("face_id", "vector"), scope)
    attaching = scope == "global" and stage.run.config.cluster.attach_error > 0
    return VoteInput(labelled, votes, constraints, epoch.cosines[scope] if attaching else None)


def _checkpoints(stage: Stage, former: FormerClusters, scope: str = "") -> Checkpoints:
    """Say where a vote's states are stored (all of the step's, without a scope): apart for what is another vote."""
    work = f"{stage.key[:24]}-{former.snapshot}" + (f"-{stage.run.name}" if stage.run.full else "")
    folder = f"{scratch(stage.run.config.lake)}/supersteps/{work}"
    return Checkpoints(stage.run.spark, f"{folder}/{scope}" if scope else folder, stage.run.name)


def _constraint_facts(constraints: Constraints) -> dict[str, int]:
    must, cannot = len(constraints.must), len(constraints.cannot)
    if must or cannot:
        _log.info(f"cluster: {must} must-links and {cannot} cannot-links hold, checked")
    return {"must": must, "cannot": cannot}


def _facts(
    stage: Stage, edges: Edges, weights: Mapping[str, dict[str, Any]], outcomes: Mapping[str, ScopeOutcome]
) -> dict[str, dict[str, Any]]:
    """Return what the ledger keeps of each scope."""
    facts = {}
    for scope, outcome in outcomes.items():
        of_scope = F.col("scope") == scope
        written = Clusters(stage.read(CLUSTERS).where(of_scope))
        facts[scope] = weights.get(scope, {}) | scope_facts(outcome, written)
        if scope == "global":
            observed = false_matches(Edges(edges.where(of_scope)), written, written.count())
            facts[scope]["false_matches"] = observed
            if observed is not None:
                _log.info(f"cluster global: {observed:.2f} neighbours per face are of another cluster")
    return facts


def _reporter(scope: str) -> Callable[[int, int], None]:
    def report(superstep: int, unsettled: int) -> None:
        _log.info(f"cluster {scope}: superstep {superstep}, {count(unsettled)} faces unsettled")

    return report


def _warn(stage: Stage, scope: str, clustered: Clustered) -> None:
    if not clustered.vote.settled:
        limit = stage.run.config.cluster.max_supersteps
        stage.run.warn(f"cluster {scope}: not settled after cluster.max_supersteps = {limit}; raise it and run again")
    if clustered.attachment:
        _log.info(f"cluster {scope}: {clustered.attachment['attached']} of the leftover faces attached")
