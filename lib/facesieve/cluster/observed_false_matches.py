"""Impostors that came true: edges whose ends turned out to be of different clusters."""

from __future__ import annotations

from pyspark.sql import functions as F

from facesieve.core.frames import broadcast_if_few
from facesieve.core.tables import Clusters, Edges


def false_matches(edges: Edges, clusters: Clusters, faces: int) -> float | None:
    """Count the neighbours per face that are of another cluster; None without faces.

    edges and clusters of one scope; the unit of `link.false_matches`, to be compared with its forecast.
    """
    if not faces:
        return None
    owned = broadcast_if_few(clusters.select("face_id", "cluster_id"), faces)
    source, target = (
        owned.select(F.col("face_id").alias(end), F.col("cluster_id").alias(f"{end}_cluster"))
        for end in ("src", "dst")
    )
    both = edges.join(source, "src", "inner").join(target, "dst", "inner")
    return 2 * both.where(F.col("src_cluster") != F.col("dst_cluster")).count() / faces
