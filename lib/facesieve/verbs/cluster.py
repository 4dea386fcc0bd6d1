"""cluster: which faces are one person. edges -> votes, clusters."""

from __future__ import annotations

from dataclasses import asdict
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve import tables
from facesieve.console import count, say
from facesieve.run import Run, Stage
from facesieve.stages.clusters import Clustered, clusters
from facesieve.stages.strangers import strangers
from facesieve.stages.votes import votes
from facesieve.tables import Clusters, Edges, Votes
from facesieve.verbs.forecast import scopes
from facesieve.verbs.link import faces_of


def cluster(run: Run) -> None:
    """Weigh the edges and let the faces vote until nobody wants to change."""
    settings = run.config.cluster
    inputs = (tables.LISTING, tables.EMBEDDINGS, tables.EDGES)
    stage = run.stage("cluster", (tables.VOTES, tables.CLUSTERS), inputs, cluster=asdict(settings), model=run.model)
    edges = Edges(stage.read(tables.EDGES))
    if stage.reuse():
        stage.done(edges.count(), stage.read(tables.CLUSTERS).count(), reused=True)
        return
    stage.overwrite(tables.VOTES, votes(edges, settings))
    found = {scope: _vote(stage, scope) for scope in scopes(run.config.link)}
    clustered: list[DataFrame] = [each.clusters for each in found.values()]
    stage.overwrite(tables.CLUSTERS, reduce(DataFrame.unionByName, clustered))
    made = stage.read(tables.CLUSTERS)
    facts = {scope: _facts(made.where(F.col("scope") == scope), each) for scope, each in found.items()}
    if "heap" in facts:
        facts["heap"]["strangers"] = _strangers(stage, edges, Clusters(made))
    stage.done(edges.count(), made.count(), reused=False, **facts)


def _vote(stage: Stage, scope: str) -> Clustered:
    faces = faces_of(stage)
    if scope == "identity":
        faces = faces.where(F.col("identity").isNotNull())

    def report(superstep: int, unsettled: int) -> None:
        say(f"cluster {scope}: superstep {superstep}, {count(unsettled)} faces unsettled")

    voting = Votes(stage.read(tables.VOTES).where(F.col("scope") == scope))
    found = clusters(faces, voting, scope, stage.run.config.cluster, report)
    if not found.settled:
        limit = stage.run.config.cluster.max_supersteps
        stage.run.warn(f"cluster {scope}: not settled after cluster.max_supersteps = {limit}; raise it and run again")
    return found


def _strangers(stage: Stage, edges: Edges, made: Clusters) -> float | None:
    """Count the strangers per face that came true, and say so beside what was forecast."""
    scope = F.col("scope") == "heap"
    clustered = Clusters(made.where(scope))
    met = strangers(Edges(edges.where(scope)), clustered, clustered.count())
    if met is not None:
        say(f"cluster heap: {met:.2f} neighbours per face are of another cluster")
    return met


def _facts(made: DataFrame, found: Clustered) -> dict[str, Any]:
    row = made.agg(
        F.count_distinct("cluster_id").alias("clusters"),
        F.max("cluster_size").alias("largest"),
        F.count("*").alias("n"),
    ).collect()[0]
    return {
        "supersteps": found.supersteps,
        "unsettled": found.unsettled,
        "settled": found.settled,
        "clusters": row.clusters,
        "largest_share": row.largest / row.n if row.n else None,
        "pi0": None,
        "attached": None,
        "churn": None,
    }
