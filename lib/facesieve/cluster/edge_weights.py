"""How much each edge counts in the vote, scope by scope: the table `votes`.

Votes are integers, so that sums do not depend on their order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from facesieve.cluster.frames import ScoredEdges
from facesieve.cluster.kernels.neighbourhoods import SCORE_SCALE
from facesieve.cluster.structure_score import ScoreTally, structure, structure_in_one_task
from facesieve.core import tables
from facesieve.core.config import Config
from facesieve.core.errors import ConfigError, Fault
from facesieve.core.profiles import Profile
from facesieve.core.tables import VOTES, Edges, Votes, conform
from facesieve.lake.run import Stage
from facesieve.lake.scope_records import ScopeRecord
from facesieve.link.edges import Tally
from facesieve.link.epoch import Epoch
from facesieve.link.kernels.thresholds import false_matches_at, link_cosine


def weigh(stage: Stage, edges: Edges, epoch: Epoch, *, one_task: bool) -> dict[str, ScopeRecord]:
    """Write the table `votes`, unless a killed run of the same key has; return the record of each scope.

    By the structure score, or by the cosine where no scope has an impostor line. one_task: a scope's edges are few
    enough to be scored by one task. Errors as `impostor_lines`.
    """
    lines = impostor_lines(stage.run.config, stage.run.profile, epoch)
    records = {scope: ScopeRecord(impostor_line=lines.get(scope)) for scope in epoch.cosines}
    if stage.take_over(tables.VOTES):
        return records
    if not lines:
        stage.overwrite(tables.VOTES, by_cosine(edges))
        return records
    context = stage.run.spark.sparkContext
    tallies: dict[str, ScoreTally] = {scope: context.accumulator({}, Tally()) for scope in lines}
    score = structure_in_one_task if one_task else structure
    scored = {
        scope: score(Edges(edges.where(F.col("scope") == scope)), line, stage.run.config.cluster, tallies[scope])
        for scope, line in lines.items()
    }
    stage.overwrite(tables.VOTES, _by_structure(scored))
    return {scope: _with_degrees(records[scope], tally.value) for scope, tally in tallies.items()}


def impostor_lines(config: Config, profile: Profile, epoch: Epoch) -> dict[str, float]:
    """Return where gain begins: scope -> impostor line, a cosine, for the scopes of an epoch's edges.

    Empty if the score needs no line. Scope global: the cosine above which a face expects `cluster.false_matches` false
    matches, by the profile's line and the number of faces with which the epoch began. Scope identity: the profile's.
    Raises ConfigError, for all scopes at once, where there is none or it is not below the cosine for linking.
    """
    if config.cluster.score != "structure":
        return {}
    lines: dict[str, float] = {}
    faults: list[Fault] = []
    for scope, link in epoch.cosines.items():
        line = _global_line(config, profile, epoch.faces) if scope == "global" else _identity_line(profile)
        if isinstance(line, Fault):
            faults.append(line)
        elif line >= link:
            faults.append(_above(scope, line, link, config, profile, epoch.faces))
        else:
            lines[scope] = line
    if faults:
        raise ConfigError(faults)
    return lines


def by_cosine(edges: Edges) -> Votes:
    """Score every edge by its cosine: it votes if its integer is above 0 (`cluster.score = "cosine"`)."""
    scored = edges.select("scope", "src", "dst", F.col("cosine").alias("score"))
    return Votes(conform(scored.withColumn("votes", vote_integer(F.col("score")) > 0), VOTES))


def vote_integer(score: Column) -> Column:
    """Turn a float score into its integer: floor(2^20 score), bigint; exact, since a float32 times 2^20 is a double."""
    return F.floor(score.cast("double") * F.lit(float(SCORE_SCALE)))


def _by_structure(scored: Mapping[str, ScoredEdges]) -> Votes:
    named = [edges.withColumn("scope", F.lit(scope)) for scope, edges in scored.items()]
    return Votes(conform(reduce(DataFrame.unionByName, named), VOTES))


def _with_degrees(record: ScopeRecord, tally: Mapping[int, tuple[int, int]]) -> ScopeRecord:
    linked, hubs = (sum(numbers) for numbers in zip(*tally.values(), strict=True)) if tally else (0, 0)
    return replace(record, linked=linked, hubs=hubs)


def _global_line(config: Config, profile: Profile, faces: int) -> float | Fault:
    if profile.impostor is None:
        return _missing(profile, "impostor")
    line = profile.impostor
    try:
        return link_cosine(line.intercept, line.slope, config.cluster.false_matches, faces, config.link.min_n)
    except ValueError as problem:
        return Fault("cluster.false_matches", str(problem), "Give another tolerance, above link.false_matches.")


def _identity_line(profile: Profile) -> float | Fault:
    return _missing(profile, "identity") if profile.identity is None else profile.identity.impostor_line


def _missing(profile: Profile, section: str) -> Fault:
    problem = f"structure needs an impostor line, and the profile {profile.name} has no [{section}]"
    return Fault(
        "cluster.score", problem, "Give the profile that section (jobs/calibrate.py writes it), or use cosine."
    )


def _above(scope: str, line: float, link: float, config: Config, profile: Profile, faces: int) -> Fault:
    problem = f"in scope {scope} the impostor line {line:.4f} is not below the link cosine {link:.4f}"
    if scope == "identity":
        fix = f"Lower identity.impostor_line in the profile {profile.name}, or raise link.threshold_identity."
        return Fault("cluster.score", problem, fix)
    least = 0.0
    if profile.impostor is not None:
        least = false_matches_at(link, profile.impostor.intercept, profile.impostor.slope, faces, config.link.min_n)
    fix = f"Above {least:.3g} false matches would do; it must be a larger tolerance than that of linking."
    return Fault("cluster.false_matches", problem, fix)
