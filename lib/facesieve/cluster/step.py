"""cluster: which faces are one person. edges -> votes, clusters."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.cluster.checkpoints import Progress
from facesieve.cluster.clusters import Clustered, Electorate, clusters
from facesieve.cluster.constraint_file import ConstraintRow, constraints, read_constraints
from facesieve.cluster.constraints import Constraints, violations
from facesieve.cluster.edge_weights import weigh
from facesieve.cluster.gain_thresholds import impostor_lines
from facesieve.cluster.lasting_ids import Ancestry, ancestry
from facesieve.cluster.observed_false_matches import false_matches
from facesieve.cluster.supersteps import Voting
from facesieve.core import tables
from facesieve.core.console import count
from facesieve.core.errors import InvariantError
from facesieve.core.tables import CLUSTERS, VOTES, Clusters, Edges, Votes, conform
from facesieve.images.side_tables import Entries
from facesieve.lake.run import Run, Stage
from facesieve.lake.session import scratch
from facesieve.link.epoch import Epoch, linked
from facesieve.link.step import faces_of

_log = logging.getLogger(__name__)


def cluster(run: Run) -> None:
    """Weigh the edges and let the faces vote until nobody wants to change."""
    said = read_constraints(run.config.cluster.constraints)
    # Where a vote is finished does not change its result. What the file says does, and not where it lies.
    settings = asdict(replace(run.config.cluster, finish_locally_below=0, constraints=said.digest))
    inputs = (tables.LISTING, tables.EMBEDDINGS, tables.EDGES, tables.EPOCHS)
    stage = run.stage("cluster", (VOTES, CLUSTERS), inputs, cluster=settings, model=run.model)
    edges = Edges(stage.read(tables.EDGES))
    if stage.reuse():
        stage.done(edges.count(), stage.read(CLUSTERS).count(), reused=True)
        return
    epoch = linked(stage)
    weighed = weigh(stage, edges, impostor_lines(run.config, run.profile, epoch))
    past = ancestry(stage, epoch, settings)
    known = _known(stage, said)
    found = _found(stage, epoch, past, known)
    made = Clusters(stage.read(CLUSTERS))
    facts = {
        scope: weighed.get(scope, {}) | each.facts(made.where(F.col("scope") == scope)) for scope, each in found.items()
    }
    if "global" in facts:
        facts["global"]["false_matches"] = _false_matches(stage, edges, made)
    stage.done(edges.count(), made.count(), reused=False, begun=past.begun.to_json(), constraints=_told(known), **facts)
    kept = _progress(stage, past)
    kept.clear()
    kept.clear_old()


@dataclass(frozen=True)
class _Found:
    """What one scope came to: its rows of the table `clusters`, and how."""

    rows: DataFrame
    clustered: Clustered
    churn: Mapping[str, Any] | None

    def facts(self, written: DataFrame) -> dict[str, Any]:
        """Return what the ledger keeps of the scope, from its rows as they were written."""
        row = written.agg(
            F.count_distinct("cluster_id").alias("clusters"),
            F.max("cluster_size").alias("largest"),
            F.count("*").alias("n"),
        ).collect()[0]
        vote = self.clustered.vote
        return {
            "supersteps": vote.supersteps,
            "unsettled": vote.unsettled,
            "settled": vote.settled,
            "finished_locally": vote.finished_locally,
            "clusters": row.clusters,
            "largest_share": row.largest / row.n if row.n else None,
            "pi0": None,
            "attached": None,
            "churn": self.churn,
        } | self.clustered.attachment


def _known(stage: Stage, said: Entries[ConstraintRow]) -> Constraints:
    run = stage.run
    listed = stage.read(tables.LISTING).select("image_id", "identity")
    embedded = stage.of_model(tables.EMBEDDINGS).select("face_id", "image_id", "face_rank")
    # One face per image leaves nothing to tell apart.
    differ = run.config.cluster.same_photo_differs and run.config.embed.faces == "all"
    return constraints(said, embedded.join(listed, "image_id", how="inner"), run.warn, photos_differ=differ)


def _told(known: Constraints) -> dict[str, int]:
    told = {"must": len(known.must), "cannot": len(known.cannot)}
    if any(told.values()):
        _log.info(f"cluster: {told['must']} must-links and {told['cannot']} cannot-links hold, checked")
    return told


def _found(stage: Stage, epoch: Epoch, past: Ancestry, known: Constraints) -> dict[str, _Found]:
    """Cluster every scope and write the table."""
    faces = faces_of(stage)
    found = {}
    for scope, link in epoch.cosines.items():
        ours = known.within_folders() if scope == "identity" else known
        attaching = scope == "global" and stage.run.config.cluster.attach_error > 0
        votes = Votes(stage.read(VOTES).where(F.col("scope") == scope))
        voters = faces.where(F.col("identity").isNotNull()) if scope == "identity" else faces
        labelled = past.labelled(voters.select("face_id", "vector"), scope)
        given = Electorate(labelled, votes, ours, link if attaching else None)
        clustered = clusters(given, Voting(stage.run.config.cluster, _progress(stage, past, scope), _report(scope)))
        _warn(stage, scope, clustered)
        broken = violations(clustered.rows, ours)
        if broken:
            raise InvariantError(f"cluster {scope}: {broken} pairs of faces are together or apart against constraints")
        rows, churn = past.named(clustered.rows, scope)
        found[scope] = _Found(conform(rows.withColumn("scope", F.lit(scope)), CLUSTERS), clustered, churn)
    stage.overwrite(CLUSTERS, reduce(DataFrame.unionByName, [each.rows for each in found.values()]))
    return found


def _progress(stage: Stage, past: Ancestry, scope: str = "") -> Progress:
    """Say where a vote's states are kept (all of the stage's, without a scope): apart for what is another vote."""
    work = f"{stage.key[:24]}-{past.snapshot}" + (f"-{stage.run.name}" if stage.run.full else "")
    folder = f"{scratch(stage.run.config.lake)}/supersteps/{work}"
    return Progress(stage.run.spark, f"{folder}/{scope}" if scope else folder, stage.run.name)


def _report(scope: str) -> Callable[[int, int], None]:
    def report(superstep: int, unsettled: int) -> None:
        _log.info(f"cluster {scope}: superstep {superstep}, {count(unsettled)} faces unsettled")

    return report


def _warn(stage: Stage, scope: str, found: Clustered) -> None:
    if not found.vote.settled:
        limit = stage.run.config.cluster.max_supersteps
        stage.run.warn(f"cluster {scope}: not settled after cluster.max_supersteps = {limit}; raise it and run again")
    if found.attachment:
        _log.info(f"cluster {scope}: {found.attachment['attached']} of the leftover faces attached")


def _false_matches(stage: Stage, edges: Edges, made: Clusters) -> float | None:
    """Count the false matches per face that came true, and say so beside what was forecast."""
    scope = F.col("scope") == "global"
    clustered = Clusters(made.where(scope))
    met = false_matches(Edges(edges.where(scope)), clustered, clustered.count())
    if met is not None:
        _log.info(f"cluster global: {met:.2f} neighbours per face are of another cluster")
    return met
