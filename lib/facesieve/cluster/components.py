"""Labels split into parts that voting edges connect: two groups may end with one label and no edge between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.cluster.kernels.whispers import split
from facesieve.cluster.local_finish import column, labelled
from facesieve.cluster.messages import told
from facesieve.faces.blocks import batch_of, gathered

EDGES_AT_ONCE = 1 << 20
"""Edges that a task takes in at a time; of those before it keeps the root of each face."""


def parts(labels: DataFrame, mirrored: DataFrame, count: int) -> DataFrame:
    """Split labels into parts that their own edges connect: id, cluster (the smallest id of the part), all bigint.

    labels: id, label, one row per face. mirrored: src, dst, edges in both directions, of some `count` faces. A label's
    edges go through one task, which holds a number for each of their faces and EDGES_AT_ONCE edges.
    """
    edges = labelled(mirrored.where("src < dst").select("src", "dst"), told(labels.select("id", "label"), count))
    inner = edges.where("src_label = dst_label").select("src", "dst", "src_label").repartition("src_label")
    found = inner.mapInArrow(connected, "id long, cluster long")
    cluster = F.coalesce("cluster", "id").alias("cluster")
    return labels.select("id").join(found, "id", how="left").select("id", cluster)


def connected(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Find the components of edges (src, dst) that come in batches: id, cluster."""
    ids = roots = np.empty(0, np.int64)
    for held in gathered(batches, len, EDGES_AT_ONCE):
        # All edges are inside a label, so the parts are the components; a face and its root are an edge like others.
        src, dst = np.append(ids, column(held, "src")), np.append(roots, column(held, "dst"))
        ids = np.unique(np.append(src, dst))
        roots = split(ids, np.zeros_like(ids), src, dst)
    yield batch_of(id=ids, cluster=roots)
