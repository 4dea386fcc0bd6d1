"""The proof that a vote has settled: every face looks once more, by sums that share no code with the vote itself."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.cluster.messages import told


def discontent(labels: DataFrame, mirrored: DataFrame, faces: int) -> int:
    """Count the faces for which some label has more votes than their own.

    labels: id, label, one row per face, some `faces` of them. mirrored: src, dst, vote, in both directions. 0 is a
    fixed point.
    """
    sender = told(labels.select(F.col("id").alias("src"), "label"), faces)
    receiver = told(labels.select(F.col("id").alias("dst"), F.col("label").alias("own")), faces)
    heard = mirrored.join(sender, "src", how="inner").groupBy("dst", "label").agg(F.sum("vote").alias("votes"))
    for_own = F.max(F.when(F.col("label") == F.col("own"), F.col("votes")))
    sums = heard.join(receiver, "dst", how="inner").groupBy("dst")
    compared = sums.agg(F.max("votes").alias("most"), F.coalesce(for_own, F.lit(0)).alias("for_own"))
    return compared.where("for_own < most").count()
