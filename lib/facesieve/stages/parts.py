"""Labels split into parts that voting edges connect: two groups may end with one label and no edge between them."""

from __future__ import annotations

from graphframes import GraphFrame
from graphframes.lib import AggregateMessages
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.stages.remaining import labelled

HOPS = 8
"""Rounds of cheap messages before the few labels still in doubt are given to connected components."""


def parts(labels: DataFrame, mirrored: DataFrame) -> DataFrame:
    """Split labels into parts that their own edges connect: id, cluster (the smallest id of the part), all bigint.

    labels: id, label, one row per face. mirrored: src, dst, edges in both directions.

    In each hop every face takes the least root among itself and its neighbours of the same label; a label whose faces
    all bear one root is connected. Clusters are dense, so few are left after `HOPS`; those are settled by GraphFrames'
    connected components, whose rounds grow with the logarithm of a path.
    """
    faces = labels.select("id", "label")
    whole = faces.groupBy("label").agg(F.min("id").alias("whole"))
    doubtful = faces.withColumn("root", F.col("id"))
    for _ in range(HOPS):
        doubtful = _uneven(_hop(doubtful, mirrored)).checkpoint()
        if doubtful.isEmpty():
            return faces.join(whole, "label", how="inner").select("id", F.col("whole").alias("cluster"))
    component = _components(doubtful.select("id", "label"), mirrored)
    both = faces.join(whole, "label", how="inner").join(component, "id", how="left")
    return both.select("id", F.coalesce("part", "whole").alias("cluster"))


def _hop(faces: DataFrame, mirrored: DataFrame) -> DataFrame:
    """Lower each root to the least among the neighbours of the same label; checkpointed, as it is read twice."""
    source, target = AggregateMessages.src, AggregateMessages.dst
    root = F.when(source["label"] == target["label"], source["root"])
    least = F.min(AggregateMessages.msg).alias("least")
    heard = GraphFrame(faces, mirrored).aggregateMessages([least], sendToDst=[root])
    lowered = faces.join(heard, "id", how="left").select("id", "label", F.least("root", "least").alias("root"))
    done = lowered.checkpoint()
    heard.unpersist()
    return done


def _uneven(faces: DataFrame) -> DataFrame:
    """Keep the labels whose faces do not yet bear one root."""
    roots = faces.groupBy("label").agg(F.min("root").alias("least"), F.max("root").alias("most"))
    return faces.join(roots.where("least < most").select("label"), "label", how="left_semi")


def _components(faces: DataFrame, mirrored: DataFrame) -> DataFrame:
    """Find connected components inside labels: id, part (its smallest id)."""
    inner = labelled(mirrored.where("src < dst").select("src", "dst"), faces).where("src_label = dst_label")
    found: DataFrame = GraphFrame(faces.select("id"), inner.select("src", "dst")).connectedComponents()
    least = found.groupBy("component").agg(F.min("id").alias("part"))
    return found.join(least, "component", how="inner").select("id", "part")
