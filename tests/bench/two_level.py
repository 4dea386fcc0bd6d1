"""A hand-written loop of Chinese Whispers without any graph library: what GraphFrames' messages are measured against.

Per superstep it looks at the same faces as `facesieve.cluster.supersteps`, finds the best label by two groupBys (votes
per face and label; the best per face), and keeps its state in Parquet as that does.
"""

from __future__ import annotations

from collections.abc import Callable

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from facesieve.cluster.kernels.whispers import Coin
from facesieve.cluster.supersteps import draws
from facesieve.core import sections

FILTER_BELOW = 0.25


def two_level(
    spark: SparkSession,
    edges: DataFrame,
    settings: sections.Cluster,
    folder: str,
    report: Callable[[int, int], None] = lambda *_: None,
) -> DataFrame:
    """Let the faces of `edges` (src, dst, vote) whisper; at most COIN_STEPS supersteps. Returns id, label."""
    back = edges.select(F.col("dst").alias("src"), F.col("src").alias("dst"), "vote")
    both = edges.select("src", "dst", "vote").unionByName(back).repartition("dst").persist()
    both.count()
    state = both.select(F.col("dst").alias("id")).distinct()
    state = _kept(spark, state.selectExpr("id", "id label", "id preferred", "false wanting", "true moved"), folder, 0)
    faces = moved = state.count()
    for step in range(1, settings.max_supersteps + 1):
        near = both if moved > FILTER_BELOW * faces else _near(both, state)
        after = _stepped(state, _best(near, state), step, settings)
        state = _kept(spark, after, folder, step)
        row = state.agg(F.count_if("wanting"), F.count_if("moved")).collect()[0]
        wanting, moved = row[0], row[1]
        report(step, wanting)
        if not wanting:
            break
    both.unpersist()
    return state.select("id", "label")


def _near(both: DataFrame, state: DataFrame) -> DataFrame:
    senders = F.broadcast(state.where("moved").select(F.col("id").alias("src")))
    receivers = both.join(senders, "src", "left_semi").select("dst").distinct()
    return both.join(F.broadcast(receivers), "dst", "left_semi")


def _best(near: DataFrame, state: DataFrame) -> DataFrame:
    labels = F.broadcast(state.select(F.col("id").alias("src"), F.col("label").alias("heard")))
    own = F.broadcast(state.select(F.col("id").alias("dst"), "label"))
    votes = near.join(labels, "src").groupBy("dst", "heard").agg(F.sum("vote").alias("votes")).join(own, "dst")
    rank = F.struct("votes", (F.col("heard") == F.col("label")).alias("own"), F.bitwise_not("heard").alias("least"))
    return votes.groupBy(F.col("dst").alias("id")).agg(F.max_by("heard", rank).alias("best"))


def _stepped(state: DataFrame, best: DataFrame, step: int, settings: sections.Cluster) -> DataFrame:
    preferred = F.coalesce("best", "preferred")
    looked = state.join(F.broadcast(best), "id", "left").select("id", "label", preferred.alias("preferred"))
    wanting = F.col("preferred") != F.col("label")
    heads = draws(step, settings.seed) < F.lit(Coin(settings.update_fraction, settings.seed).bound)
    moved = wanting & heads & F.lit(step < settings.max_supersteps)
    label = F.when(moved, F.col("preferred")).otherwise(F.col("label"))
    return looked.select("id", label.alias("label"), "preferred", wanting.alias("wanting"), moved.alias("moved"))


def _kept(spark: SparkSession, state: DataFrame, folder: str, step: int) -> DataFrame:
    state.write.mode("overwrite").parquet(f"{folder}/{step}")
    return spark.read.schema(state.schema).parquet(f"{folder}/{step}")
