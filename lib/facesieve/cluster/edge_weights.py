"""How much each edge counts in the vote, scope by scope: the table `votes`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

from pyspark.accumulators import Accumulator
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.cluster.structure_score import structure
from facesieve.cluster.votes import by_cosine, votes
from facesieve.core import tables
from facesieve.core.tables import Edges
from facesieve.lake.run import Stage
from facesieve.link.edges import Tally

_Tallies = dict[str, Accumulator[dict[int, tuple[int, int]]]]


def weigh(stage: Stage, edges: Edges, lines: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    """Write the table `votes`, unless a killed run of the same key has; return facts of each scope.

    lines: the impostor line of every scope for the structure score; empty: an edge counts by its cosine.
    """
    told: dict[str, dict[str, Any]] = {scope: {"impostor_line": line} for scope, line in lines.items()}
    if stage.take_over(tables.VOTES):
        return told
    if not lines:
        stage.overwrite(tables.VOTES, votes(by_cosine(edges)))
        return told
    context = stage.run.spark.sparkContext
    tallies: _Tallies = {scope: context.accumulator({}, Tally()) for scope in lines}
    stage.overwrite(tables.VOTES, votes(reduce(DataFrame.unionByName, _scored(stage, edges, lines, tallies))))
    return {scope: told[scope] | _degrees(tally.value) for scope, tally in tallies.items()}


def _scored(stage: Stage, edges: Edges, lines: Mapping[str, float], tallies: _Tallies) -> list[DataFrame]:
    settings = stage.run.config.cluster
    found = []
    for scope, line in lines.items():
        ours = edges.where(F.col("scope") == scope)
        found.append(structure(ours, line, settings, tallies[scope]).withColumn("scope", F.lit(scope)))
    return found


def _degrees(tally: Mapping[int, tuple[int, int]]) -> dict[str, int]:
    return {"linked": sum(faces for faces, _ in tally.values()), "hubs": sum(hubs for _, hubs in tally.values())}
