"""How much each edge counts when faces vote on who belongs together."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from facesieve.cluster.kernels.structure import SCORE_SCALE
from facesieve.core.tables import VOTES, Edges, Votes, conform


def votes(scored: DataFrame) -> Votes:
    """Return the table `votes` from scope, src, dst, score, votes: one row per edge, scopes may be mixed."""
    return Votes(conform(scored, VOTES))


def by_cosine(edges: Edges) -> DataFrame:
    """Score every edge by its cosine: it votes if its integer is above 0 (`cluster.score = "cosine"`)."""
    scored = edges.select("scope", "src", "dst", F.col("cosine").alias("score"))
    return scored.withColumn("votes", vote_integer(F.col("score")) > 0)


def vote_integer(score: Column) -> Column:
    """Turn a float score into its integer: floor(2^20 score), bigint; exact, since a float32 times 2^20 is a double.

    Votes are integers so that sums do not depend on their order.
    """
    return F.floor(score.cast("double") * F.lit(float(SCORE_SCALE)))
