"""How much each edge counts when faces vote on who belongs together."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from facesieve import config
from facesieve.tables import VOTES, Edges, Votes, conform

VOTE_SCALE = 2**20
"""Votes are integers, so that sums do not depend on their order: a score of 1 is this many."""


def votes(edges: Edges, settings: config.Cluster) -> Votes:
    """Score every edge and say whether it votes.

    Columns as `tables.VOTES`, one row per row of `edges`, whose scopes may be mixed. With `cluster.score = "cosine"`
    the score is the edge's cosine, and it votes if its integer is above 0.
    """
    scored = edges.select("scope", "src", "dst", F.col("cosine").alias("score"))
    return Votes(conform(scored.withColumn("votes", vote_integer(F.col("score")) > 0), VOTES))


def vote_integer(score: Column) -> Column:
    """Turn a float score into its integer: floor(2^20 score), bigint; exact, since a float32 times 2^20 is a double."""
    return F.floor(score.cast("double") * F.lit(float(VOTE_SCALE)))
