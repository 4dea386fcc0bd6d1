"""Labels split into parts that voting edges connect: two groups may end with one label and no edge between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from facesieve.cluster.frames import VERTEX_CLUSTERS, DirectedEdges, Labels, VertexClusters, VotingEdges
from facesieve.cluster.kernels.whispers import split
from facesieve.cluster.local_finish import with_labels
from facesieve.core.frames import broadcast_if_few
from facesieve.faces.arrow_groups import tables
from facesieve.faces.blocks import batch_of

EDGES_AT_ONCE = 1 << 20
"""Edges that a task takes in at a time; of earlier edges it stores the root of each vertex."""


def components(labels: Labels, directed: DirectedEdges, count: int) -> VertexClusters:
    """Split labels into parts that their own edges connect, each named by its smallest id; `count` vertices.

    A label's edges go through one task, which holds a number for each of their vertices and EDGES_AT_ONCE edges.
    """
    pairs = VotingEdges(directed.where("src < dst").select("src", "dst"))
    edges = with_labels(pairs, Labels(broadcast_if_few(labels.select("id", "label"), count)))
    inner = edges.where("src_label = dst_label").select("src", "dst", "src_label").repartition("src_label")
    parts = inner.mapInArrow(connected, VERTEX_CLUSTERS)
    cluster = F.coalesce("cluster", "id").alias("cluster")
    return VertexClusters(labels.select("id").join(parts, "id", how="left").select("id", cluster))


def connected(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Find the components of edges (src, dst) that come in batches: id, cluster."""
    ids = roots = np.empty(0, np.int64)
    for edges in tables(batches, EDGES_AT_ONCE):
        # All edges are inside a label, so the parts are the components; a vertex and its root are an edge like others.
        src, dst = np.append(ids, edges["src"].to_numpy()), np.append(roots, edges["dst"].to_numpy())
        ids = np.unique(np.append(src, dst))
        roots = split(ids, np.zeros_like(ids), src, dst)
    yield batch_of(id=ids, cluster=roots)
