"""What voting edges connect whose ends agree; two groups may end with one label and no edge between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from facesieve.cluster.coin_columns import broadcast_if_few
from facesieve.cluster.frames import VERTEX_CLUSTERS, DirectedEdges, Labels, VertexClusters, VotingEdges
from facesieve.cluster.kernels import components as kernel
from facesieve.cluster.local_finish import with_labels
from facesieve.core.frames import checkpointed
from facesieve.faces.arrow_groups import tables
from facesieve.faces.blocks import batch_of

EDGES_AT_ONCE = 1 << 20
"""Edges that a task takes in at a time; of earlier edges it stores the root of each vertex."""


def components(labels: Labels, directed: DirectedEdges, count: int, coins: int) -> VertexClusters:
    """Find the components of the edges whose ends agree in at least half of the coins; `count` vertices.

    Each component is named by its smallest id. Most edges agree in coin 0: the edges of each of its labels go through
    one task, which holds a number for each of their vertices and EDGES_AT_ONCE edges. The edges between what that finds
    are few, and join it in one task more.
    """
    pairs = VotingEdges(directed.where("src < dst").select("src", "dst"))
    edges = with_labels(pairs, Labels(broadcast_if_few(labels.select("id", "labels"), count, coins)))
    agreeing = sum((_agrees(coin).cast("int") for coin in range(coins)), F.lit(0))
    label = F.when(_agrees(0), F.col("src_labels")[0]).alias("label")
    stay = edges.where(2 * agreeing >= coins).select("src", "dst", label)
    if coins == 1:
        return _within(labels, stay)
    stay = stay.persist(StorageLevel.MEMORY_AND_DISK)
    parts = VertexClusters(checkpointed(_within(labels, stay.where(F.col("label").isNotNull()))))
    joined = _joined(parts, stay.where(F.col("label").isNull()))
    stay.unpersist()
    return joined


def _agrees(coin: int) -> Column:
    return F.col("src_labels")[coin] == F.col("dst_labels")[coin]


def connected_by(labels: Labels, edges: DataFrame) -> VertexClusters:
    """Connect the vertices by a few edges (src, dst), in one task."""
    return _with_single(labels, edges.repartition(1).mapInArrow(connected, VERTEX_CLUSTERS))


def _within(labels: Labels, edges: DataFrame) -> VertexClusters:
    """Connect the vertices by edges inside labels: src, dst, label."""
    return _with_single(labels, edges.repartition("label").select("src", "dst").mapInArrow(connected, VERTEX_CLUSTERS))


def _with_single(labels: Labels, parts: DataFrame) -> VertexClusters:
    """Add the vertices that are connected with nobody."""
    cluster = F.coalesce("cluster", "id").alias("cluster")
    return VertexClusters(labels.select("id").join(parts, "id", how="left").select("id", cluster))


def _joined(parts: VertexClusters, across: DataFrame) -> VertexClusters:
    """Join the parts that edges lead across.

    Example: the edges 2 - 4 and 4 - 9 lead across.

        id cluster      src dst    by cluster      cluster joint      id cluster
         1    1           2   4        1   3          1      1         1       1
         2    1      +    4   9   ->   3   9     ->   3      1    ->   2       1
         3    3                                       9      1         3       1
         4    3                                                        4       1
         9    9                                                        9       1
    """
    ends = across.select("src", "dst")
    for end in ("src", "dst"):
        ends = ends.join(parts.toDF(end, f"{end}_part"), end, how="inner")
    between = ends.select(F.col("src_part").alias("src"), F.col("dst_part").alias("dst"))
    between = between.where("src <> dst").distinct().repartition(1)
    joint = checkpointed(between.mapInArrow(connected, VERTEX_CLUSTERS).toDF("cluster", "joint"))
    joined = parts.join(joint, "cluster", how="left")
    return VertexClusters(joined.select("id", F.coalesce("joint", "cluster").alias("cluster")))


def connected(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Find the components of edges (src, dst) that come in batches: id, cluster."""
    ids = roots = np.empty(0, np.int64)
    for edges in tables(batches, EDGES_AT_ONCE):
        # All edges are inside a label, so the parts are the components; a vertex and its root are an edge like others.
        src, dst = np.append(ids, edges["src"].to_numpy()), np.append(roots, edges["dst"].to_numpy())
        ids = np.unique(np.append(src, dst))
        roots = kernel.connected(ids, src, dst)
    yield batch_of(id=ids, cluster=roots)
