"""cluster: which faces are one person. edges -> votes, clusters."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from functools import partial, reduce
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.cluster.checkpoints import Checkpoints
from facesieve.cluster.clusters import Clustered, VoteInput, clusters, clusters_in_one_task
from facesieve.cluster.constraint_file import ConstraintRow, constraints, read_constraints
from facesieve.cluster.constraints import Constraints, violations
from facesieve.cluster.doubts import STABLE
from facesieve.cluster.edge_weights import weigh
from facesieve.cluster.facts import ScopeOutcome, false_matches, scope_record
from facesieve.cluster.frames import FaceVectors, ListedFaces
from facesieve.cluster.guards import refuse_doubled, refuse_strays
from facesieve.cluster.lineage import FormerClusters, former_clusters
from facesieve.cluster.supersteps import Voting
from facesieve.cluster.task_memory import edges_in_memory, fits_one_task
from facesieve.core import tables
from facesieve.core.console import count
from facesieve.core.errors import InvariantError
from facesieve.core.frames import batches_of_vectors, follow_rows
from facesieve.core.side_by_side import Made, in_threads, side_by_side
from facesieve.core.tables import CLUSTERS, VOTES, Clusters, Edges, Votes, conform
from facesieve.images.side_tables import Entries
from facesieve.lake.leftovers import SUPERSTEPS
from facesieve.lake.records import ClusterRecord
from facesieve.lake.run import Run, Stage
from facesieve.lake.scope_records import ConstraintCounts, ScopeRecord
from facesieve.lake.session import scratch
from facesieve.link.epoch import Epoch, linked
from facesieve.link.step import faces_of

_log = logging.getLogger(__name__)


def cluster(run: Run) -> None:
    """Weigh the edges, let the faces of every scope vote, and write who belongs together."""
    pairs = read_constraints(run.config.cluster.constraints)
    settings = _settings(run, pairs)
    inputs = (tables.LISTING, tables.EMBEDDINGS, tables.EDGES, tables.EPOCHS)
    stage = run.stage("cluster", (VOTES, CLUSTERS), inputs, cluster=settings, model=run.model)
    if stage.reuse():
        stage.done(stage.reused(stage.count(tables.EDGES), stage.count(CLUSTERS)))
        return
    one_task = _fits_one_task(stage)
    # Many tasks send each other rows of packed bytes, which are large.
    with batches_of_vectors(run.spark, run.profile.dimension) if one_task else nullcontext():
        stage.done(_clustered(stage, pairs, settings, one_task=one_task))


def _clustered(
    stage: Stage, pairs: Entries[ConstraintRow], settings: Mapping[str, Any], *, one_task: bool
) -> ClusterRecord:
    """Write both tables; return what the ledger keeps."""
    run, edges = stage.run, Edges(stage.read(tables.EDGES))
    epoch = linked(stage)
    if not one_task:
        refuse_strays(edges, faces_of(stage))
    weighed = weigh(stage, edges, epoch, one_task=one_task)
    former = former_clusters(stage, epoch, settings)
    limits = _constraints(stage, pairs)
    calls = {scope: partial(_outcome, stage, scope, epoch, former, limits, one_task) for scope in epoch.cosines}
    outcomes = _by_scope(run, calls, at_once=one_task)
    for scope, outcome in outcomes.items():
        _warn(stage, scope, outcome.clustered)
    written = _written(stage, outcomes)
    measured = Measured(epoch, edges, written)
    records = _by_scope(
        run, {scope: partial(_record, scope, weighed[scope], each, measured) for scope, each in outcomes.items()}
    )
    record = ClusterRecord(begun=former.begun, constraints=_counts(limits), scopes=records)
    checkpoints = _checkpoints(stage, former)
    checkpoints.clear()
    checkpoints.clear_old()
    # Every edge has a row of votes, whose number no scan is needed for.
    return replace(record, rows_in=stage.count(VOTES), rows_out=stage.count(CLUSTERS))


def _fits_one_task(stage: Stage) -> bool:
    """Whether a task for each scope holds its edges and faces, all at once; Spark's plans then suit the faces."""
    # Rows that are deleted beside their file count too.
    edges, faces = (stage.inputs[table.name].rows or stage.count(table) for table in (tables.EDGES, tables.EMBEDDINGS))
    most, spark = stage.run.config.cluster.finish_locally_below, stage.run.spark
    scopes = 2 if stage.run.config.link.scope == "both" else 1
    fits = 0 < most >= edges and fits_one_task(spark, edges, faces, scopes)
    if fits:
        follow_rows(spark, faces, edges)
    return fits


def _by_scope(run: Run, calls: Mapping[str, Callable[[], Made]], *, at_once: bool = False) -> dict[str, Made]:
    """Make a call for each scope, side by side where the rows are few, or where memory has room for all `at_once`."""
    results = (in_threads if at_once else side_by_side)(run.spark, *calls.values())
    return dict(zip(calls, results, strict=True))


def _settings(run: Run, pairs: Entries[ConstraintRow]) -> dict[str, Any]:
    """Return the settings that decide the result: not where a vote is finished, nor where the constraints lie."""
    settings = asdict(replace(run.config.cluster, finish_locally_below=0, constraints=pairs.digest))
    # A single coin is what there was before there were several: its votes go on from the clusters of that time.
    return {name: value for name, value in settings.items() if (name, value) != ("coins", 1)}


def _constraints(stage: Stage, pairs: Entries[ConstraintRow]) -> Constraints:
    """Resolve the rows of the file to faces of the run."""
    run = stage.run
    listed = stage.read(tables.LISTING).select("image_id", "identity")
    embedded = stage.of_model(tables.EMBEDDINGS).select("face_id", "image_id", "face_rank")
    faces = ListedFaces(embedded.join(listed, "image_id", how="inner"))
    # One face per image leaves nothing to tell apart.
    photos_differ = run.config.cluster.same_photo_differs and run.config.embed.faces != "largest"
    return constraints(pairs, faces, run.warn, photos_differ=photos_differ)


def _outcome(
    stage: Stage, scope: str, epoch: Epoch, former: FormerClusters, constraints: Constraints, one_task: bool
) -> ScopeOutcome:
    """Cluster one scope: vote, check the constraints, and give the clusters the ids that they had before."""
    held_to = constraints.within_folders() if scope == "identity" else constraints
    settings = stage.run.config.cluster
    few = min(settings.finish_locally_below, edges_in_memory(stage.run.spark))
    voting = Voting(replace(settings, finish_locally_below=few), _checkpoints(stage, former, scope), _reporter(scope))
    vote_input = _vote_input(stage, scope, epoch, former, held_to)
    if one_task:
        clustered = clusters_in_one_task(scope, vote_input, voting)
    else:
        refuse_doubled(scope, vote_input.faces)
        clustered = clusters(vote_input, voting)
    broken = violations(clustered.rows, held_to)
    if broken:
        raise InvariantError(f"cluster {scope}: {broken} pairs of faces are together or apart against constraints")
    rows, churn = former.named(clustered.rows, scope)
    return ScopeOutcome(Clusters(conform(rows.withColumn("scope", F.lit(scope)), CLUSTERS)), clustered, churn)


def _vote_input(stage: Stage, scope: str, epoch: Epoch, former: FormerClusters, constraints: Constraints) -> VoteInput:
    faces = faces_of(stage)
    votes = Votes(stage.read(VOTES).where(F.col("scope") == scope))
    voters = faces.where(F.col("identity").isNotNull()) if scope == "identity" else faces
    labelled = former.labelled(FaceVectors(voters.select("face_id", "vector")), scope)
    attaching = scope == "global" and stage.run.config.cluster.attach_error > 0
    return VoteInput(labelled, votes, constraints, epoch.cosines[scope] if attaching else None)


def _checkpoints(stage: Stage, former: FormerClusters, scope: str = "") -> Checkpoints:
    """Say where a vote's states are stored (all of the step's, without a scope): apart for what is another vote."""
    work = f"{stage.key[:24]}-{former.snapshot}" + (f"-{stage.run.name}" if stage.run.full else "")
    folder = f"{scratch(stage.run.config.lake)}/{SUPERSTEPS}/{work}"
    return Checkpoints(stage.run.spark, f"{folder}/{scope}" if scope else folder, stage.run.name)


def _written(stage: Stage, outcomes: Mapping[str, ScopeOutcome]) -> Clusters:
    rows: list[DataFrame] = [outcome.rows for outcome in outcomes.values()]
    stage.overwrite(CLUSTERS, reduce(DataFrame.unionByName, rows))
    return Clusters(stage.read(CLUSTERS))


@dataclass(frozen=True)
class Measured:
    """What the record of a scope is measured on: all edges, and all clusters as they were written."""

    epoch: Epoch
    edges: Edges
    clusters: Clusters


def _record(scope: str, weighed: ScopeRecord, outcome: ScopeOutcome, measured: Measured) -> ScopeRecord:
    """Return what the ledger keeps of a scope; of scope global also the false matches, beside their forecast."""
    of_scope = F.col("scope") == scope
    # What one task has clustered is at hand; else the table is read.
    counted = outcome.clustered.counted
    rows = outcome.rows if counted else Clusters(measured.clusters.where(of_scope))
    record = scope_record(weighed, outcome, rows, measured.epoch.cosines[scope])
    if record.unstable or record.loose:
        stability = f"{count(record.unstable)} clusters are of low stability (mean below {STABLE})"
        cohesion = f"{count(record.loose)} of low cohesion (below the link cosine {measured.epoch.cosines[scope]:.4f})"
        _log.info(f"cluster {scope}: {stability}, {cohesion}")
    if scope != "global":
        return record
    if counted:
        observed = counted.false_matches
    else:
        observed = false_matches(Edges(measured.edges.where(of_scope)), rows, rows.count())
    if observed is not None:
        _log.info(f"cluster global: {observed:.2f} neighbours per face are of another cluster")
    return replace(record, false_matches=observed)


def _counts(constraints: Constraints) -> ConstraintCounts:
    must, cannot = len(constraints.must), len(constraints.cannot)
    if must or cannot:
        _log.info(f"cluster: {must} must-links and {cannot} cannot-links hold, checked")
    return ConstraintCounts(must=must, cannot=cannot)


def _reporter(scope: str) -> Callable[[int, int], None]:
    def report(superstep: int, unsettled: int) -> None:
        _log.info(f"cluster {scope}: superstep {superstep}, {count(unsettled)} faces unsettled")

    return report


def _warn(stage: Stage, scope: str, clustered: Clustered) -> None:
    if not clustered.vote.settled:
        limit, coins = stage.run.config.cluster.max_supersteps, len(clustered.vote.histories)
        which = f"{clustered.vote.unsettled_coins} of {coins} coins " if coins > 1 else ""
        stage.run.warn(
            f"cluster {scope}: {which}not settled after cluster.max_supersteps = {limit}; raise it and run again"
        )
    if clustered.attachment:
        _log.info(f"cluster {scope}: {clustered.attachment.attached} of the leftover faces attached")
